//! A public table: who brings it in, what the log says, and a dataset joined with it under a contract.

use glovebox_engine::{CardKind, Freezable, OfficerReport, Scalar, SqlAsk};
use glovebox_policy::{Caller, Cost, Reason};

use crate::world::{World, ana, analyst, ask, auditor, block, officer, table};

const MANIFEST: &str = r#"
[dataset]
name = "ref.sexes"
kind = "public"
title_en = "Sexes"
title_zh = "性别"
max_rows = 5
source = "made up"
licence = "none"
classification = "open"
unique = [["sex"]]

[[columns]]
name = "sex"
type = "text"
meaning_en = "sex"
meaning_zh = "性别"

[[columns]]
name = "label"
type = "text"
meaning_en = "label"
meaning_zh = "名称"

[[columns]]
name = "weight"
type = "int"
meaning_en = "weight"
meaning_zh = "权重"
bounds = { lower = 0, upper = 2, basis = "by definition" }
"#;

const ROWS: &str = "sex,label,weight\nf,female,1\nm,male,2\n";

const QUESTION: &str = "SELECT p.label, COUNT(*) AS n, SUM(p.weight) AS w FROM medical.visits v
    LEFT JOIN ref.sexes p ON v.sex = p.sex GROUP BY p.label ORDER BY p.label";

#[test]
fn a_dataset_is_joined_with_a_public_table_where_the_contract_says_so() {
    let world = World::new();
    let engine = world.open();
    let file = world.path("sexes.csv");
    std::fs::write(&file, ROWS).unwrap();
    assert!(engine.add_dataset(&ana(), MANIFEST, &file).is_err(), "only officers call a table public");
    assert_eq!(world.logged(["public-table"]), [0]);
    let card = engine.add_dataset(&officer(), MANIFEST, &file).unwrap();
    assert_eq!(
        (card.kind, card.max_rows, card.budget_domain, card.columns[1].kind),
        ("public", Some(5), None, CardKind::Text)
    );
    assert_eq!(world.logged(["public-table", "dataset"]), [1, 1]);
    assert!(engine.datasets().iter().any(|other| other.name == card.name));

    // The column that is joined on needs leave of its own.
    assert_eq!(block(ask(&engine, &ana(), QUESTION)).unwrap_err().reason(), Reason::NotPermitted);
    assert_eq!(world.spent(), Cost::ZERO);
    world.joining_contract(&engine, "delta");
    let dan = analyst("dan", "delta");
    let answer = table(block(ask(&engine, &dan, QUESTION)));
    let labels: Vec<_> = answer.rows.iter().map(|row| row[0].clone()).collect();
    let text = |text: &str| Scalar::Text(text.to_owned());
    assert_eq!(labels, [text("female"), text("male"), Scalar::Null], "the public values, and what met none");
    assert_eq!(world.spent(), world.debited("delta"));
    // The stored release, also of the reopened state.
    let spent = world.spent();
    drop(engine);
    let engine = world.open();
    assert_eq!(table(block(ask(&engine, &dan, QUESTION))), answer);
    assert_eq!(world.spent(), spent);
    world.audit(0);
}

#[test]
fn a_frozen_public_table_is_joined_by_nobody_and_a_decision_names_what_was_joined() {
    let world = World::new();
    let engine = world.open();
    let file = world.path("sexes.csv");
    std::fs::write(&file, ROWS).unwrap();
    engine.add_dataset(&officer(), MANIFEST, &file).unwrap();
    world.joining_contract(&engine, "delta");
    let dan = analyst("dan", "delta");
    let alone = "SELECT COUNT(*) AS n FROM medical.visits";
    let other = QUESTION.replace("COUNT(*) AS n, ", "");
    let table_of = |name: &str| Freezable::Dataset(name.parse().unwrap());
    let set = |frozen| engine.freeze(&officer(), table_of("ref.sexes"), frozen, "its source was wrong").unwrap();
    let refused = |sql: &str| block(ask(&engine, &dan, sql)).unwrap_err();

    let released = block(ask(&engine, &dan, QUESTION)).unwrap();
    let request = released.released().unwrap().release().receipt().request();
    let prepared = block(engine.prepare(&dan, SqlAsk { sql: other.clone(), ..SqlAsk::default() })).unwrap();
    let preview = format!("EXPLAIN PRIVACY {other}");
    let explained = block(engine.prepare(&dan, SqlAsk { sql: preview.clone(), ..SqlAsk::default() })).unwrap();

    let card = set(true);
    assert_eq!((card.kind.as_str(), card.name.as_str(), card.frozen), ("dataset", "ref.sexes", true));
    let spent = world.spent();
    for sql in [QUESTION, &other, &preview] {
        let refusal = refused(sql);
        assert_eq!((refusal.reason(), refusal.quotation()), (Reason::DatasetFrozen, Some("ref.sexes")), "{sql}");
    }
    // What was analysed before is not charged or explained either, and the old result is not shown to its firm.
    for statement in [&prepared, &explained] {
        assert_eq!(block(engine.run(&dan, statement)).unwrap_err().reason(), Reason::DatasetFrozen);
    }
    let proof = |who: &Caller| engine.release_proof(who, request, None);
    assert_eq!(proof(&dan).unwrap_err().reason(), Reason::DatasetFrozen);
    proof(&auditor()).unwrap();
    assert_eq!(world.spent(), spent, "nothing was charged");
    block(ask(&engine, &dan, alone)).unwrap();
    set(false);
    proof(&dan).unwrap();
    block(engine.run(&dan, &prepared)).unwrap();

    // What was decided on names the table with its snapshot, and is decided the same again; no other decision names one.
    let page = engine.log_page(&auditor(), 0, 1000).unwrap();
    let charges = (0..).zip(&page.entries).filter(|(_, entry)| entry["kind"] == "charge").map(|(leaf, _)| leaf);
    let decisions: Vec<_> = charges.map(|leaf: u64| engine.decision(&auditor(), leaf).unwrap()).collect();
    assert!(decisions.iter().all(|card| card.same), "{decisions:?}");
    let said = |card: &glovebox_engine::DecisionCard| serde_json::from_str::<serde_json::Value>(&card.record).unwrap();
    let told: Vec<_> = decisions.iter().map(|card| said(card)["tables"].clone()).collect();
    let announced = page.entries.iter().find(|entry| entry["kind"] == "public-table").unwrap();
    let joined = serde_json::json!([{
        "name": "ref.sexes", "manifest": announced["manifest"], "snapshot": announced["snapshot"],
    }]);
    assert_eq!(told, [joined.clone(), serde_json::Value::Null, joined]);

    assert_eq!(engine.freeze(&officer(), table_of("ref.nothing"), true, "x").unwrap_err().reason(), Reason::NotFound);
    let twice = engine.freeze(&officer(), table_of("ref.sexes"), false, "x").unwrap_err();
    assert_eq!(twice.reason(), Reason::FreezeInvalid);
    world.audit(0);
}

#[test]
fn what_is_about_somebody_does_not_become_public_and_a_public_table_has_no_contract() {
    let world = World::new();
    let engine = world.open();
    let file = world.path("sexes.csv");
    std::fs::write(&file, ROWS).unwrap();
    engine.add_dataset(&officer(), MANIFEST, &file).unwrap();
    // The very file of the dataset, under a manifest that calls it public.
    let visits = MANIFEST
        .replace("ref.sexes", "ref.visits")
        .replace("max_rows = 5", "max_rows = 500")
        .replace("[[\"sex\"]]", "[]")
        .replace("name = \"label\"", "name = \"visits\"")
        .replace("name = \"weight\"", "name = \"person\"");
    let fault = engine.add_dataset(&officer(), &visits, &world.path("visits.csv")).unwrap_err();
    let OfficerReport::Words(said) = fault.report else { panic!("{:?}", fault.report) };
    assert!(said.contains("medical.visits") && said.contains("cannot be public"), "{said}");
    assert_eq!(world.logged(["public-table"]), [1], "what is refused is not announced");
    assert_eq!(world.contract_on(&engine, "ref.sexes").unwrap_err().reason(), Reason::TableUnknown);
    let twin = engine.twin(&"ref.sexes".parse().unwrap(), 3, 0).unwrap_err();
    assert_eq!(twin.reason(), Reason::BadRequest);
    let alone = block(ask(&engine, &ana(), "SELECT COUNT(*) FROM ref.sexes")).unwrap_err();
    assert_eq!(alone.reason(), Reason::JoinRefused);
    world.audit(0);
}
