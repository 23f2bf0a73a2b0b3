//! Footage has no rows that belong to persons: no SQL reads it, in whatever place of a statement it stands.

use glovebox_catalog::{Catalog, Manifest};
use glovebox_policy::Reason::FootageRefused;
use glovebox_query::Draft;

const MANIFEST: &str = r#"
[dataset]
name = "t.street"
kind = "frames"
title_en = "Street"
title_zh = "街道"
budget_domain = "resident"
source = "made up"
licence = "CC0"
classification = "test"

[footage]
camera = "north"
width = 2
height = 1
frames_per_second = 1
chunk_s = 1
chunks = 1
appearance = { longest_s = 60, segments = 2, basis = "speeds on this street" }
"#;

#[test]
fn no_statement_reads_footage() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("key")).unwrap();
    let file = dir.path().join("street.y4m");
    std::fs::write(&file, b"YUV4MPEG2 W2 H1 F1:1 Cmono\nFRAME\nab").unwrap();
    let manifest = Manifest::parse(MANIFEST).unwrap();
    catalog.add(&manifest, &file).unwrap();
    for sql in [
        "SELECT COUNT(*) FROM t.street",
        "EXPLAIN PRIVACY SELECT COUNT(*) FROM t.street",
        "SELECT SUM(frame) FROM glovebox.t.street",
        "WITH a AS (SELECT frame FROM t.street) SELECT COUNT(*) FROM a",
        "SELECT COUNT(*) FROM (SELECT pixels FROM t.street) AS a",
        "SELECT pixels FROM t.street",
    ] {
        let refusal = Draft::read(&catalog, sql, &[]).map(|_| ()).unwrap_err();
        assert_eq!(refusal.reason(), FootageRefused, "{sql}: {refusal}");
    }
    assert_eq!(glovebox_query::twin_table(&manifest, 10, 1).unwrap_err().reason(), FootageRefused);
}
