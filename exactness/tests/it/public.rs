//! Public tables that are hard to join with, in every catalog of these tests.

use glovebox_catalog::PublicManifest;

use crate::data::Place;

/// The score of the kind `a`, as it stands in `p.kinds`.
pub(crate) const SCORE_OF_A: i64 = 30;

struct Table {
    name: &'static str,
    unique: &'static str,
    columns: &'static [(&'static str, &'static str, &'static str)],
    rows: &'static str,
}

const TABLES: [Table; 3] = [
    Table {
        name: "p.kinds",
        unique: r#"[["kind"]]"#,
        columns: &[
            ("kind", "text", ""),
            ("class", "text", ""),
            ("next", "text", ""),
            ("score", "int", "bounds = { lower = -5, upper = 40, basis = \"test\" }"),
            ("rate", "float", "grid = 0.5\nbounds = { lower = 0, upper = 3, basis = \"test\" }"),
            ("open", "bool", "keys = { values = [true], basis = \"test\" }"),
            ("note", "text", ""),
        ],
        // One row without a key, which nothing equals; values out of bounds; a kind that no row has.
        rows: "kind,class,next,score,rate,open,note\n\
               a,vowel,b,30,0.5,true,x\nb,consonant,c,9223372036854775807,1e308,false,\nunlisted,,a,-9000,inf,,y\n\
               12,digit,a,3,nan,true,z\njunk,digit,junk,,,,\n汉字,汉字,汉字,7,2.75,false,汉字\nz,vowel,z,1,1,true,z\n\
               ,consonant,a,40,3,true,nobody\n",
    },
    Table {
        name: "p.slots",
        unique: r#"[["g", "flag"], ["day"]]"#,
        columns: &[
            ("g", "int", ""),
            ("flag", "bool", ""),
            ("day", "date", "days = { first = 2019-12-01, last = 2020-02-01, basis = \"test\" }"),
            ("label", "text", "keys = { values = [\"one\", \"two\", \"never\"], basis = \"test\" }"),
            ("worth", "int", "bounds = { lower = 0, upper = 9, basis = \"test\" }"),
        ],
        rows: "g,flag,day,label,worth\n1,true,1970-01-01,one,1\n1,false,2020-01-01,two,20\n2,true,2019-11-30,one,-4\n\
               2,,1969-12-31,two,5\n3,false,2020-02-08,three,\n",
    },
    Table {
        name: "p.codes",
        unique: r#"[["code"]]"#,
        columns: &[("code", "int", ""), ("weight", "int", "bounds = { lower = -3, upper = 60, basis = \"test\" }")],
        rows: "code,weight\n-9223372036854775808,1\n9223372036854775807,2\n0,3\n-1,50\n1,\n9007199254740992,-2\n5,60\n",
    },
];

/// Adds them.
pub(crate) fn add(place: &Place) {
    for table in &TABLES {
        let mut text = format!(
            r#"
            [dataset]
            name = "{}"
            kind = "public"
            title_en = "Public"
            title_zh = "公开"
            max_rows = 20
            source = "made up"
            licence = "public domain"
            classification = "test"
            unique = {}
            "#,
            table.name, table.unique
        );
        for (column, kind, rest) in table.columns {
            text += &format!(
                "\n[[columns]]\nname = \"{column}\"\ntype = \"{kind}\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n{rest}\n"
            );
        }
        let manifest = PublicManifest::parse(&text).unwrap_or_else(|report| panic!("{report}"));
        let file = place.dir.path().join(table.name);
        std::fs::write(&file, table.rows).unwrap();
        place.catalog.add_public(&manifest, &file, |_| true).unwrap();
    }
}
