//! What a row holds never shows in anything that can be printed.

use std::fs;

use glovebox_query::Draft;

use crate::corpus::CORPUS;
use crate::data::{KEY, Place, block, cut};
use crate::found_keys;

const TEXT: &str = "CANARY-4711";
const NUMBER: &str = "7160917160917";

fn csv() -> String {
    let header = "person,x,big,c,w,k,g,flag,note,day,at";
    let rows = (1..20).map(|person| {
        format!("{person},5,{NUMBER},1.5,{NUMBER}.5,{TEXT},{NUMBER},true,{TEXT},2020-01-02,2020-01-02T03:04:05\n")
    });
    format!("{header}\n{}", rows.collect::<String>())
}

fn clean(what: &str, said: &str) {
    assert!(!said.contains(TEXT) && !said.contains(NUMBER), "{what} shows a row: {said}");
}

#[test]
fn canaries_show_in_no_analysis_preview_refusal_fault_or_exact() {
    let place = Place::new();
    let name = place.add_csv(&csv());
    for sql in CORPUS.iter().chain(found_keys::CORPUS) {
        let draft = Draft::read(&place.catalog, &sql.replace("{t}", &name).replace("{o}", &name), &[]).unwrap();
        clean(sql, &format!("{draft:?}"));
        let analysis = place.analyse(&sql.replace("{o}", &name), &name);
        clean(sql, &format!("{analysis:?} {analysis:#?} {:?}", analysis.preview()));
        let exact = block(analysis.exact(KEY, cut(1, 8192))).unwrap();
        clean(sql, &format!("{exact:?} {exact:#?}"));
        let by_nodes = block(analysis.exact_by_plain_nodes(KEY, cut(1, 8192))).unwrap();
        clean(sql, &format!("{by_nodes:?}"));
    }
    for sql in [
        "SELECT note FROM {t}",
        "SELECT SUM(note) FROM {t}",
        "SELECT MEDIAN(big) FROM {t}",
        "SELECT SUM(big) FROM {t}",
        "SELECT w, COUNT(*) FROM {t} GROUP BY w",
        "SELECT COUNT(*) FROM {t} WHERE note > (SELECT note FROM {t})",
        "EXPLAIN ANALYZE SELECT COUNT(*) FROM {t}",
    ] {
        let refusal = place.try_analyse(sql, &name).unwrap_err();
        clean(sql, &format!("{refusal} {refusal:?} {}", refusal.chinese()));
    }
}

#[test]
fn canaries_show_in_no_fault_when_storage_fails_under_the_walk() {
    let place = Place::new();
    let name = place.add_csv(&csv());
    let analysis = place.analyse("SELECT k, SUM(x), COUNT(note) FROM {t} GROUP BY k", &name);
    fs::write(place.dir.path().join("catalog").join(&name).join("data.parquet"), "not rows").unwrap();
    for fault in [
        block(analysis.exact(KEY, cut(1, 8192))).unwrap_err(),
        block(analysis.exact_by_plain_nodes(KEY, cut(1, 8192))).unwrap_err(),
    ] {
        clean("a fault", &format!("{fault} {fault:?}"));
        // The same words whatever the cause: a stage and nothing else.
        assert!(fault.to_string().starts_with("the inner plan failed in "), "{fault}");
    }
}
