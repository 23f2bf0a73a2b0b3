//! Rows that are hard on purpose, the manifest that declares them, and a catalog in a temporary folder.
//!
//! Every dataset of a [`Place`] is of one id-space, and units are hashed with one key per id-space: a person has the
//! same unit in each of them. So a dataset and the same dataset without one person, registered under two names, are
//! neighbours exactly as the promise means it, down to which groups a selection key keeps.

use std::fs::File;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use glovebox_catalog::{Catalog, Manifest};
use glovebox_policy::NanoEpsilon;
use glovebox_privacy::Key;
use glovebox_query::{Analysis, Defaults, Draft, InnerFault, Options, Parallelism, SelectionKey};
use glovebox_vault::Expose as _;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;

/// The declared number of rows per unit. Some generated persons have more.
pub(crate) const MAX_ROWS: usize = 4;

/// One row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Row {
    pub(crate) person: i64,
    /// Bounds −10..50.
    pub(crate) x: Option<i64>,
    /// No bounds; marked for keys without a list.
    pub(crate) big: Option<i64>,
    /// Bounds −5..20 in steps of 0.25.
    pub(crate) c: Option<f64>,
    /// No bounds, no grid.
    pub(crate) w: Option<f64>,
    /// Public keys `a`, `b`, `c`.
    pub(crate) k: Option<String>,
    /// Public keys 1 to 4.
    pub(crate) g: Option<i64>,
    /// Public keys false, true.
    pub(crate) flag: Option<bool>,
    /// Marked for keys without a list.
    pub(crate) note: Option<String>,
    pub(crate) day: Option<i32>,
    /// Marked for keys without a list.
    pub(crate) at: Option<i64>,
}

/// Leave to group by a column without a list.
const MARKED: &str = r#"keys = { threshold = true, basis = "test" }"#;

/// The manifest of [`Row`] under a name.
pub(crate) fn manifest(name: &str) -> Manifest {
    manifest_of(name, MAX_ROWS)
}

/// The same for persons of at most so many rows.
fn manifest_of(name: &str, max_rows: usize) -> Manifest {
    let mut text = format!(
        r#"
        [dataset]
        name = "{name}"
        kind = "table"
        title_en = "Generated"
        title_zh = "生成"
        id_space = "person"
        budget_domain = "resident"
        unit = ["person"]
        max_units = 100000
        max_rows_per_unit = {max_rows}
        source = "generated"
        licence = "public domain"
        classification = "test"
        "#
    );
    for (column, kind, rest) in [
        ("person", "int", ""),
        ("x", "int", r#"bounds = { lower = -10, upper = 50, basis = "test" }"#),
        ("big", "int", MARKED),
        ("c", "float", "grid = 0.25\nbounds = { lower = -5, upper = 20, basis = \"test\" }"),
        ("w", "float", ""),
        ("k", "text", r#"keys = { values = ["a", "b", "c"], basis = "test" }"#),
        ("g", "int", r#"keys = { values = [1, 2, 3, 4], basis = "test" }"#),
        ("flag", "bool", r#"keys = { values = [false, true], basis = "test" }"#),
        ("note", "text", MARKED),
        ("day", "date", "days = { first = 2019-11-15, last = 2020-02-10, basis = \"test\" }"),
        (
            "at",
            "timestamp",
            "days = { first = 2019-11-15, last = 2020-02-10, basis = \"test\" }\nkeys = { threshold = true, basis = \"test\" }",
        ),
    ] {
        text += &format!(
            "\n[[columns]]\nname = \"{column}\"\ntype = \"{kind}\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n{rest}\n"
        );
    }
    Manifest::parse(&text).unwrap_or_else(|report| panic!("{report}"))
}

fn batch(rows: &[Row]) -> RecordBatch {
    fn column<A: FromIterator<Option<T>> + arrow::array::Array + 'static, T>(
        rows: &[Row],
        cell: impl Fn(&Row) -> Option<T>,
    ) -> ArrayRef {
        Arc::new(rows.iter().map(cell).collect::<A>())
    }
    RecordBatch::try_from_iter_with_nullable([
        ("person", column::<Int64Array, _>(rows, |r| Some(r.person)), true),
        ("x", column::<Int64Array, _>(rows, |r| r.x), true),
        ("big", column::<Int64Array, _>(rows, |r| r.big), true),
        ("c", column::<Float64Array, _>(rows, |r| r.c), true),
        ("w", column::<Float64Array, _>(rows, |r| r.w), true),
        ("k", column::<StringArray, _>(rows, |r| r.k.clone()), true),
        ("g", column::<Int64Array, _>(rows, |r| r.g), true),
        ("flag", column::<BooleanArray, _>(rows, |r| r.flag), true),
        ("note", column::<StringArray, _>(rows, |r| r.note.clone()), true),
        ("day", column::<Date32Array, _>(rows, |r| r.day), true),
        ("at", column::<TimestampMicrosecondArray, _>(rows, |r| r.at), true),
    ])
    .unwrap()
}

/// A catalog that goes away with its folder.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) catalog: Catalog,
    next: AtomicU32,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("master.key")).unwrap();
        let place = Self { dir, catalog, next: AtomicU32::new(0) };
        crate::public::add(&place);
        place
    }

    fn fresh(&self) -> (String, PathBuf) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (format!("t.d{number}"), self.dir.path().join(format!("d{number}")))
    }

    /// Registers rows by way of Parquet; the dataset's name.
    pub(crate) fn add(&self, rows: &[Row]) -> String {
        self.add_bounded(rows, MAX_ROWS)
    }

    /// The same for persons of at most so many rows.
    pub(crate) fn add_bounded(&self, rows: &[Row], max_rows: usize) -> String {
        let (name, path) = self.fresh();
        let batch = batch(rows);
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.catalog.add(&manifest_of(&name, max_rows), &path).unwrap();
        name
    }

    /// Registers rows, and beside them [`others`] of the same persons, which `{o}` stands for; the first dataset's name.
    pub(crate) fn add_with_others(&self, rows: &[Row]) -> String {
        let (name, beside) = (self.add(rows), self.add(&others(rows)));
        let (number, next) = (number_of(&name), number_of(&beside));
        assert_eq!(next, number + 1, "added side by side");
        name
    }

    /// Registers a CSV.
    pub(crate) fn add_csv(&self, text: &str) -> String {
        let (name, path) = self.fresh();
        std::fs::write(&path, text).unwrap();
        self.catalog.add(&manifest(&name), &path).unwrap();
        name
    }

    /// Analyses a question about a dataset; `{t}` stands for its name.
    pub(crate) fn analyse(&self, sql: &str, name: &str) -> Analysis {
        self.try_analyse(sql, name).unwrap_or_else(|refusal| panic!("{sql}\n{refusal}"))
    }

    pub(crate) fn try_analyse(&self, sql: &str, name: &str) -> Result<Analysis, glovebox_policy::Refusal> {
        let defaults =
            Defaults { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 1e-9, max_groups_contributed: 2 };
        let beside = format!("t.d{}", number_of(name) + 1);
        let sql = sql.replace("{t}", name).replace("{o}", &beside);
        Draft::read(&self.catalog, &sql, &[])?.complete(defaults, Options::default())
    }
}

fn number_of(name: &str) -> u32 {
    name.trim_start_matches("t.d").parse().unwrap()
}

/// Other rows of most of the same persons: a function of each person's own rows.
pub(crate) fn others(rows: &[Row]) -> Vec<Row> {
    let mut seen = std::collections::BTreeMap::<i64, usize>::new();
    let other = |row: &Row| {
        let place = seen.entry(row.person).or_default();
        *place += 1;
        let changed =
            Row { x: row.g, g: row.x.map(|x| x.rem_euclid(5)), flag: row.flag.map(|f| !f), c: row.w, ..row.clone() };
        // Every seventh person has no rows here; others lack their second.
        (row.person % 7 != 3 && *place != 2).then_some(changed)
    };
    rows.iter().filter_map(other).collect()
}

/// Exact cells, open: this crate depends on vault.
pub(crate) type Cells = Vec<Vec<i128>>;

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

pub(crate) fn block<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

pub(crate) const KEY: SelectionKey = SelectionKey::new(*b"a selection key!");

pub(crate) fn cut(partitions: usize, batch_rows: usize) -> Parallelism {
    Parallelism { partitions, batch_rows }
}

pub(crate) fn fold(analysis: &Analysis, parallelism: Parallelism) -> Result<Cells, InnerFault> {
    block(analysis.exact_cells(&KEY, parallelism)).map(|cells| cells.expose())
}

pub(crate) fn plain(analysis: &Analysis, parallelism: Parallelism) -> Result<Cells, InnerFault> {
    block(analysis.exact_cells_by_plain_nodes(&KEY, parallelism)).map(|cells| cells.expose())
}

/// Keys and cells, open.
pub(crate) type Totals = (Vec<Key>, Cells);

pub(crate) fn fold_keys(analysis: &Analysis, parallelism: Parallelism) -> Result<Totals, InnerFault> {
    block(analysis.exact_totals(&KEY, parallelism)).map(|totals| totals.expose())
}

pub(crate) fn plain_keys(analysis: &Analysis, parallelism: Parallelism) -> Result<Totals, InnerFault> {
    block(analysis.exact_totals_by_plain_nodes(&KEY, parallelism)).map(|totals| totals.expose())
}

pub(crate) fn linf(analysis: &Analysis) -> Vec<u64> {
    analysis.noise().families().iter().map(|family| family.linf).collect()
}

/// What a unit's rows can add up to, for each family.
pub(crate) fn totals(analysis: &Analysis) -> Vec<Option<u64>> {
    analysis.noise().families().iter().map(|family| family.total).collect()
}

/// [`fold`] of an accepted question, which never fails.
pub(crate) fn folded(analysis: &Analysis, sql: &str, parallelism: Parallelism) -> Cells {
    fold(analysis, parallelism).unwrap_or_else(|fault| panic!("{fault}: {sql}"))
}

/// The rows of all persons but one.
pub(crate) fn without(rows: &[Row], person: i64) -> Vec<Row> {
    rows.iter().filter(|row| row.person != person).cloned().collect()
}

pub(crate) const HARD_INTS: [i64; 8] = [i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, -1, 0, 1, 1 << 53];
pub(crate) const HARD_FLOATS: [f64; 12] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e308,
    -1e308,
    f64::MIN_POSITIVE,
    5e-324,
    -0.0,
    0.125,
    0.375,
    9.223372036854776e18,
    -9.3e18,
];
pub(crate) const HARD_TEXTS: [&str; 14] = [
    "",
    " 7 ",
    "12",
    "-3.5",
    "junk",
    "NaN",
    "inf",
    "-inf",
    "1e400",
    "true",
    "2020-01-01",
    "9223372036854775807",
    "汉字",
    "a",
];
/// The first two are near the ends of what the calendar library can name; ingest takes no day far beyond.
const HARD_DAYS: [i32; 7] = [-95_000_000, 95_000_000, 0, -1, 18_262, 18_230, 18_300];
const HARD_INSTANTS: [i64; 7] =
    [i64::MIN, i64::MAX, 0, -1, 1_577_836_800_000_000, 86_399_999_999, 1_580_000_000_000_001];

fn ints(ordinary: std::ops::Range<i64>) -> impl Strategy<Value = Option<i64>> {
    prop_oneof![6 => ordinary.prop_map(Some), 2 => select(&HARD_INTS[..]).prop_map(Some), 1 => Just(None)]
}

fn floats(ordinary: std::ops::Range<f64>) -> impl Strategy<Value = Option<f64>> {
    prop_oneof![6 => ordinary.prop_map(Some), 3 => select(&HARD_FLOATS[..]).prop_map(Some), 1 => Just(None)]
}

fn texts(ordinary: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    let text = |t: &str| Some(t.to_owned());
    prop_oneof![5 => select(ordinary).prop_map(text), 2 => select(&HARD_TEXTS[..]).prop_map(text), 1 => Just(None)]
}

prop_compose! {
    fn row()(
        x in ints(-15..60), big in ints(-2000..2000), c in floats(-8.0..25.0), w in floats(-3.0..3.0),
        k in texts(&["a", "b", "c"]), g in ints(0..6), flag in prop::option::of(any::<bool>()), note in texts(&["12"]),
        day in prop::option::of(select(&HARD_DAYS[..])), at in prop::option::of(select(&HARD_INSTANTS[..])),
    ) -> Row {
        Row { person: 0, x, big, c, w, k, g, flag, note, day, at }
    }
}

/// Rows of `0..=persons` persons with up to `rows` rows each, some of them written twice.
pub(crate) fn rows(persons: usize, rows: usize) -> impl Strategy<Value = Vec<Row>> {
    let person = (prop::collection::vec(row(), 1..=rows), any::<bool>());
    prop::collection::vec(person, 0..=persons).prop_map(move |persons| {
        let mut out = Vec::new();
        for (number, (mut own, twice)) in (1_i64..).zip(persons) {
            if twice && own.len() < rows {
                own.push(own[0].clone());
            }
            out.extend(own.into_iter().map(|row| Row { person: number, ..row }));
        }
        out
    })
}

/// Fixed rows with every hard value at least once, in units of every size up to the cap and beyond.
pub(crate) fn hard_rows() -> Vec<Row> {
    let pick = |i: usize, step: usize, from: usize| (!i.is_multiple_of(step)).then_some(i * 11 % from);
    (0..120_usize)
        .map(|i| Row {
            // 27 persons: number n has about n/3 rows, so some have more than the cap.
            person: (((i * 6) as f64).sqrt()) as i64,
            x: pick(i, 11, 90).map(|v| v as i64 - 20),
            big: pick(i, 13, 8).map(|v| HARD_INTS[v]),
            c: pick(i, 7, 12).map(|v| HARD_FLOATS[v]).or(Some(i as f64 / 3.0)),
            w: pick(i, 9, 12).map(|v| HARD_FLOATS[v]),
            k: pick(i, 5, 4).map(|v| ["a", "b", "c", "unlisted"][v].to_owned()),
            g: pick(i, 6, 6).map(|v| v as i64),
            flag: pick(i, 3, 2).map(|v| v == 1),
            note: pick(i, 10, 14).map(|v| HARD_TEXTS[v].to_owned()),
            day: pick(i, 8, 7).map(|v| HARD_DAYS[v]),
            at: pick(i, 4, 7).map(|v| HARD_INSTANTS[v]),
        })
        .collect()
}
