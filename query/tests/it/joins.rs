//! Joins with public tables: which are accepted, what is told of them, and what they ask leave for.

use glovebox_catalog::{Catalog, PublicManifest};
use glovebox_policy::Reason::{
    AggregateRefused, BoundsMissing, ClauseRefused, ColumnIsIdentifier, ColumnUnknown, GroupKeyNotPublic, JoinRefused,
    NotAggregated, SqlSyntax, TableUnknown, TypeRefused,
};
use glovebox_policy::RoleOfUse::{Aggregate, Filter, Group, Join};
use glovebox_privacy::Scalar;
use glovebox_query::{Draft, Options};

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, add, check_all, defaults, preview, request};

/// Public tables with their rows, for the catalog of these tests.
pub(crate) fn add_public(catalog: &Catalog, dir: &std::path::Path, name: &str, rows: &str) {
    let text = format!(
        r#"
        [dataset]
        name = "{name}"
        kind = "public"
        title_en = "Wards"
        title_zh = "科室"
        max_rows = 50
        source = "made up"
        licence = "public domain"
        classification = "open"
        unique = [["ward"], ["grade", "floor"]]
        [[columns]]
        name = "ward"
        type = "text"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "grade"
        type = "int"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "floor"
        type = "int"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "region"
        type = "text"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "beds"
        type = "int"
        meaning_en = "m"
        meaning_zh = "义"
        bounds = {{ lower = 0, upper = 90, basis = "rules" }}
        [[columns]]
        name = "share"
        type = "float"
        meaning_en = "m"
        meaning_zh = "义"
        "#
    );
    let manifest = PublicManifest::parse(&text).unwrap_or_else(|report| panic!("{report}"));
    let file = dir.join(format!("{name}.csv"));
    std::fs::write(&file, format!("ward,grade,floor,region,beds,share\n{rows}")).unwrap();
    catalog.add_public(&manifest, &file, |_| true).unwrap();
}

pub(crate) const WARDS: &str = "east,1,1,north,10,0.5\nwest,1,2,south,20,0.25\n";

#[test]
fn what_is_joined_and_what_is_not() {
    check_all([
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward", Yes),
        ("SELECT COUNT(*) FROM t.visits v INNER JOIN ref.wards w ON w.ward = v.ward AND v.age > 3", Yes),
        ("SELECT SUM(w.beds) FROM t.visits v LEFT OUTER JOIN ref.wards w ON v.ward = w.ward", Yes),
        ("SELECT region, SUM(beds) FROM t.visits JOIN ref.wards USING (ward) GROUP BY region", Yes),
        ("SELECT w.beds, COUNT(*) FROM ref.wards w JOIN t.visits v ON v.ward = w.ward GROUP BY w.beds", Yes),
        ("SELECT COUNT(*) FROM t.visits v LEFT JOIN ref.wards w ON v.grade = w.grade AND w.floor = 2", Yes),
        ("SELECT COUNT(*) FROM (SELECT note AS n FROM t.visits) v LEFT JOIN ref.wards w ON v.n = w.ward", Yes),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON CAST(v.age AS VARCHAR) = w.ward", Yes),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.age = w.ward", About(TypeRefused, "ward of the public table")),
        ("SELECT v.ward, COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward GROUP BY v.ward", Yes),
        // What could meet several rows.
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.region", About(JoinRefused, "ref.wards ON (region)")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.grade = w.grade", About(JoinRefused, "ref.wards ON (grade)")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.age > w.beds", About(JoinRefused, "ref.wards ON ()")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON true", About(JoinRefused, "ref.wards ON ()")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward OR v.age = 3", About(JoinRefused, "ref.wards")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON COALESCE(w.ward, '') = v.ward", About(JoinRefused, "ref.wards")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward IS NOT DISTINCT FROM w.ward", About(JoinRefused, "ref.wards")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON w.ward = w.region", About(JoinRefused, "ref.wards ON ()")),
        // What would make rows of nobody, or of more than one unit.
        ("SELECT COUNT(*) FROM t.visits v RIGHT JOIN ref.wards w ON v.ward = w.ward", About(JoinRefused, "RIGHT JOIN")),
        ("SELECT COUNT(*) FROM t.visits v FULL JOIN ref.wards w ON v.ward = w.ward", About(JoinRefused, "FULL JOIN")),
        ("SELECT COUNT(*) FROM ref.wards w LEFT JOIN t.visits v ON v.ward = w.ward", About(JoinRefused, "LEFT JOIN that keeps")),
        ("SELECT COUNT(*) FROM t.visits v CROSS JOIN ref.wards w", About(JoinRefused, "CROSS JOIN")),
        ("SELECT COUNT(*) FROM t.visits NATURAL JOIN ref.wards", About(JoinRefused, "NATURAL JOIN")),
        ("SELECT COUNT(*) FROM t.visits JOIN ref.wards", About(JoinRefused, "JOIN without ON")),
        ("SELECT COUNT(*) FROM t.visits v LEFT SEMI JOIN ref.wards w ON v.ward = w.ward", About(JoinRefused, "a join that is neither")),
        ("SELECT COUNT(*) FROM t.visits v LEFT ANTI JOIN ref.wards w ON v.ward = w.ward", About(JoinRefused, "a join that is neither")),
        ("SELECT COUNT(*) FROM t.visits v LEFT JOIN ref.wards w ON v.ward = w.ward AND v.age > 3", About(JoinRefused, "LEFT JOIN ON more")),
        ("SELECT COUNT(*) FROM ref.wards a JOIN ref.wards b USING (ward)", About(JoinRefused, "a public table alone")),
        (
            "SELECT COUNT(*) FROM ref.wards a JOIN ref.wards b ON a.ward = b.ward JOIN t.visits v ON v.ward = a.ward",
            About(JoinRefused, "two public tables before"),
        ),
        ("SELECT COUNT(*) FROM ref.wards", About(JoinRefused, "a public table alone")),
        ("SELECT COUNT(*) FROM t.visits, ref.wards", About(ClauseRefused, "FROM with several datasets")),
        (
            "SELECT COUNT(*) FROM t.visits v JOIN (SELECT * FROM ref.wards) w ON v.ward = w.ward",
            About(JoinRefused, "a subquery after JOIN"),
        ),
        (
            "SELECT COUNT(*) FROM (SELECT ward AS q FROM ref.wards) w JOIN t.visits v ON v.ward = w.q",
            About(JoinRefused, "a subquery over a public table"),
        ),
        (
            "WITH w AS (SELECT * FROM ref.wards) SELECT COUNT(*) FROM t.visits v JOIN w ON v.ward = w.ward",
            About(JoinRefused, "a WITH query after JOIN"),
        ),
        (
            "SELECT SUM(s) FROM (SELECT person, ward, SUM(age) AS s FROM t.visits GROUP BY person, ward) u JOIN ref.wards w
                ON w.ward = u.ward",
            About(JoinRefused, "a join above an aggregate"),
        ),
        (
            "SELECT w.region FROM (SELECT ward, COUNT(*) AS n FROM t.visits GROUP BY ward) u JOIN ref.wards w ON w.ward = u.ward",
            About(JoinRefused, "a join above an aggregate"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits v JOIN ref.wards a ON v.ward = a.ward JOIN ref.wards b ON v.ward = b.ward
                JOIN ref.wards c ON v.ward = c.ward JOIN ref.wards d ON v.ward = d.ward JOIN ref.wards e ON v.ward = e.ward",
            About(JoinRefused, "more than 4 joins"),
        ),
    ]);
}

#[test]
fn what_public_columns_are_used_for() {
    let join = "FROM t.visits v LEFT JOIN ref.wards w ON v.ward = w.ward";
    check_all([
        (format!("SELECT w.region {join}"), No(NotAggregated)),
        (format!("SELECT * {join}"), About(NotAggregated, "*")),
        (format!("SELECT COUNT(*) {join} GROUP BY w.region, w.grade, w.beds"), Yes),
        (format!("SELECT COUNT(*) {join} GROUP BY w.share"), About(GroupKeyNotPublic, "")),
        (format!("SELECT SUM(w.share) {join}"), About(BoundsMissing, "")),
        (format!("SELECT SUM(w.share, contribution_bounds_per_row => (0, 1)) {join} WHERE w.share > 0.1"), Yes),
        (format!("SELECT SUM(v.age * w.beds), AVG(CASE WHEN w.region = 'north' THEN w.beds END) {join}"), Yes),
        (format!("SELECT COUNT(DISTINCT w.region) {join}"), About(AggregateRefused, "")),
        (format!("SELECT COUNT(DISTINCT person), COUNT(DISTINCT v.person) AS n {join}"), Yes),
        (format!("SELECT COUNT(w.nope) {join}"), About(ColumnUnknown, "nope")),
        (format!("SELECT COUNT(grade) {join}"), About(ColumnUnknown, "grade")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.phone = w.ward".to_owned(), About(ColumnIsIdentifier, "phone")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.cost = w.share AND v.ward = w.ward".to_owned(), About(TypeRefused, "share")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward AND v.cost = w.grade".to_owned(), About(TypeRefused, "grade")),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.note = w.grade AND w.floor = 1".to_owned(), Yes),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.nope w ON v.ward = w.ward".to_owned(), About(TableUnknown, "ref.nope")),
        ("SELECT COUNT(*) FROM t.visits v JOIN wards w ON v.ward = w.ward".to_owned(), About(TableUnknown, "wards")),
        (
            "SELECT COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward AND v.age > (SELECT AVG(age) FROM t.other)".to_owned(),
            About(ClauseRefused, "a subquery in an expression"),
        ),
        ("SELECT COUNT(*) FROM t.visits v JOIN ref.wards v ON v.ward = v.ward".to_owned(), About(SqlSyntax, "")),
    ]);
}

/// Names of our own making do not come out, and a declared name is not taken for one.
#[test]
fn a_public_column_is_not_the_column_of_its_name() {
    assert_ne!(
        request("SELECT v.ward, COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward GROUP BY v.ward"),
        request("SELECT w.ward, COUNT(*) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward GROUP BY w.ward")
    );
    check_all([
        ("SELECT SUM(\"ref.wards[ward = ward].beds\") FROM t.visits v JOIN ref.wards w ON v.ward = w.ward", About(ColumnUnknown, "ref")),
        (
            // The unit's name on a public column is not the unit.
            "SELECT COUNT(DISTINCT person) FROM (SELECT w.grade AS person FROM t.visits v JOIN ref.wards w ON v.ward = w.ward) s",
            About(AggregateRefused, ""),
        ),
        (
            "SELECT SUM(n) FROM (SELECT person, COUNT(*) AS n FROM (SELECT w.grade AS person FROM t.visits v JOIN ref.wards w
                ON v.ward = w.ward) s GROUP BY person) u",
            About(ClauseRefused, "an aggregate of an aggregate"),
        ),
        (
            // Bounds of a column do not follow its name.
            "SELECT SUM(age) FROM (SELECT w.share AS age FROM t.visits v JOIN ref.wards w ON v.ward = w.ward) s",
            About(BoundsMissing, ""),
        ),
    ]);
}

#[test]
fn spellings_of_one_join_are_one_request_and_other_joins_are_others() {
    let same = [
        "SELECT w.region, SUM(beds) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward WHERE v.age > 3 GROUP BY w.region",
        "SELECT x.region, SUM(x.beds) FROM ref.wards x JOIN t.visits ON x.ward = t.visits.ward AND age > 3 GROUP BY x.region",
        "SELECT region, SUM(beds) FROM t.visits JOIN ref.wards USING (ward) WHERE age > 3 GROUP BY region",
        "SELECT r, SUM(b) FROM (SELECT region AS r, beds AS b FROM (SELECT * FROM t.visits WHERE age > 3) v JOIN ref.wards w
            ON w.ward = v.ward) s GROUP BY r",
        "SELECT w.region, SUM(u.beds) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward JOIN ref.wards u ON u.ward = v.ward
            WHERE v.age > 3 GROUP BY w.region",
    ];
    assert!(same.iter().all(|sql| request(sql) == request(same[0])));
    let other = [
        same[0].replace(" JOIN", " LEFT JOIN"),
        same[0].replace("v.ward = w.ward", "v.note = w.ward"),
        same[0].replace("ref.wards", "ref.again"),
        same[0].replace("v.ward = w.ward", "CAST(v.age AS VARCHAR) = w.ward"),
        same[0].replace("v.ward = w.ward", "CAST(v.grade AS VARCHAR) = w.ward"),
        "SELECT SUM(age) FROM t.visits".to_owned(),
        "SELECT SUM(age) FROM t.visits v LEFT JOIN ref.wards w ON v.ward = w.ward".to_owned(),
    ];
    let mut digests: Vec<_> = other.iter().map(|sql| request(sql)).chain([request(same[0])]).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), other.len() + 1);
}

/// A public table of the same manifest with other rows is another state, and so another request.
#[test]
fn the_state_of_the_public_table_is_part_of_the_request() {
    let digest_with = |rows: &str| {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("master.key")).unwrap();
        add(&catalog, dir.path(), "t.visits", 1..=5);
        add_public(&catalog, dir.path(), "ref.wards", rows);
        let sql = "SELECT SUM(w.beds) FROM t.visits v JOIN ref.wards w ON v.ward = w.ward";
        let analysis = Draft::read(&catalog, sql, &[]).unwrap().complete(defaults(), Options::default()).unwrap();
        (analysis.request(), analysis.work(), analysis.preview())
    };
    let (first, second) = (digest_with(WARDS), digest_with("east,1,1,north,90,0.5\n"));
    assert_ne!(first.0, second.0);
    assert_eq!((first.1, first.2), (second.1, second.2), "time and preview are of declared sizes");
}

#[test]
fn the_columns_that_are_joined_on_need_leave() {
    let roles = |sql: &str, column: &str| {
        let analysis = accepted(sql);
        let of = analysis.uses().iter().filter(|used| used.column.as_str() == column);
        of.map(|used| used.role).collect::<Vec<_>>()
    };
    let join = "FROM t.visits v LEFT JOIN ref.wards w ON v.ward = w.ward";
    // What is made of the row that is met is made of the column that decides which it is.
    assert_eq!(roles(&format!("SELECT COUNT(*) {join}"), "ward"), [Join]);
    assert_eq!(roles(&format!("SELECT SUM(w.beds) {join}"), "ward"), [Aggregate, Filter, Join]);
    assert_eq!(roles(&format!("SELECT COUNT(*) {join} GROUP BY w.region"), "ward"), [Group, Join]);
    assert_eq!(roles(&format!("SELECT COUNT(*) {join} WHERE w.beds > 3"), "ward"), [Filter, Join]);
    assert_eq!(roles(&format!("SELECT COUNT(*) {}", join.replace("LEFT ", "")), "ward"), [Filter, Join]);
    let chain = "SELECT SUM(b.beds) FROM t.visits v LEFT JOIN ref.wards a ON v.note = a.ward LEFT JOIN ref.wards b ON b.ward = a.region";
    assert_eq!(roles(chain, "note"), [Aggregate, Filter, Join]);
    // A condition is a condition in ON, too.
    let chosen = "FROM t.visits v LEFT JOIN ref.wards w ON w.ward = CASE WHEN v.age > 65 THEN 'east' ELSE 'west' END";
    assert_eq!(roles(&format!("SELECT COUNT(*) {chosen} GROUP BY w.region"), "age"), [Group, Filter, Join]);
    let level = "SELECT r, SUM(s) FROM (SELECT person, w.region AS r, SUM(w.beds) AS s FROM t.visits v JOIN ref.wards w
        ON v.ward = w.ward GROUP BY person, w.region) u GROUP BY r";
    assert_eq!(roles(level, "ward"), [Aggregate, Group, Filter, Join]);
}

/// What one join is made of stands in the names of the next one's columns: it must not grow with each.
#[test]
fn joins_that_multiply() {
    let sums = |of: &str| vec![of; 60].join(" + ");
    let sql = format!(
        "SELECT COUNT(*) FROM t.visits v LEFT JOIN ref.wards a ON a.grade = {} AND a.floor = 1
            LEFT JOIN ref.wards b ON b.grade = {} AND b.floor = 1",
        sums("v.age"),
        sums("a.beds")
    );
    check_all([(sql, No(glovebox_policy::Reason::SqlTooManyOperators))]);
}

#[test]
fn a_preview_names_what_is_joined_and_how_many_rows_a_unit_has() {
    let sql = "EXPLAIN PRIVACY SELECT COUNT(*) FROM t.visits v LEFT JOIN ref.wards w ON v.ward = w.ward";
    let told = Scalar::Text(
        "ref.wards[ward = ward]: public, at most 50 rows; a row meets at most one, so a unit still has at most 4"
            .to_owned(),
    );
    assert!(preview(sql).rows.contains(&vec![Scalar::Text("joined".to_owned()), told]));
    // A join takes more time than none, by declared sizes.
    let steps = |sql: &str| accepted(sql).work().steps;
    assert!(steps(sql) > steps("SELECT COUNT(*) FROM t.visits"));
}
