//! Two datasets of the same persons, joined unit by unit under one contract.

use glovebox_catalog::Manifest;
use glovebox_engine::offline::{verifier_key, verify_certificate};
use glovebox_engine::{Engine, Freezable};
use glovebox_ledger::JOINED_SUBJECT;
use glovebox_policy::{Cost, Reason, Refusal};

use crate::world::{MANIFEST, World, ana, analyst, ask, block, officer, table};

/// Half of the persons, each twice.
fn labs(world: &World, engine: &Engine, name: &str, change: (&str, &str)) {
    let rows: String = (0..80).map(|row| format!("{},f,{},x\n", row % 40, row % 7)).collect();
    let file = world.path(&format!("{name}.csv"));
    std::fs::write(&file, format!("person,sex,visits,town\n{rows}")).unwrap();
    engine.add_dataset(&officer(), &manifest(name, change), &file).unwrap();
}

fn manifest(name: &str, (from, to): (&str, &str)) -> String {
    MANIFEST.replace("medical.visits", name).replace("Visits", "Laboratory").replace(from, to)
}

/// What a contract on the visits grants of the laboratory besides, and of the person's own column.
const GRANTS: &str = r#"
[[grants]]
roles = ["join"]
columns = ["person"]

[[grants]]
dataset = "medical.labs"
roles = ["join"]
columns = ["person"]

[[grants]]
dataset = "medical.labs"
roles = ["aggregate"]
columns = ["visits"]
"#;

const QUESTION: &str = "SELECT v.sex, COUNT(*) AS n, SUM(l.visits) AS s FROM medical.visits AS v
    JOIN medical.labs AS l ON v.person = l.person GROUP BY v.sex ORDER BY v.sex";

#[test]
fn two_datasets_are_joined_where_the_contract_grants_columns_of_both() {
    let world = World::new();
    let engine = world.open();
    labs(&world, &engine, "medical.labs", ("", ""));
    let asked = |who: &str, org: &str, sql: &str| block(ask(&engine, &analyst(who, org), sql));
    let refused = |outcome: Result<_, Refusal>| outcome.map(|_: glovebox_engine::Answer| ()).unwrap_err();
    // The contract of `acme` knows nothing of the laboratory.
    let unknown = refused(block(ask(&engine, &ana(), QUESTION)));
    assert_eq!(unknown.reason(), Reason::NotPermitted);
    assert_eq!(unknown.quotation(), Some("medical.visits joined with medical.labs"));
    assert_eq!(world.spent(), Cost::ZERO);

    world.contract_with_grants(&engine, "delta", GRANTS).unwrap();
    let answer = table(asked("dan", "delta", QUESTION));
    assert_eq!(answer.rows.len(), 3, "the public values, and the rest");
    assert_eq!(world.spent(), world.debited("delta"), "one budget pays for both");
    // What of the laboratory is not granted, is not.
    let filtered = refused(asked("dan", "delta", &QUESTION.replace("GROUP", "WHERE l.sex = 'f' GROUP")));
    assert_eq!((filtered.reason(), filtered.quotation()), (Reason::NotPermitted, Some("medical.labs.sex (filter)")));
    let grouped = refused(asked(
        "dan",
        "delta",
        &QUESTION.replace("SELECT v.sex", "SELECT l.sex").replace("BY v.sex", "BY l.sex"),
    ));
    assert_eq!((grouped.reason(), grouped.quotation()), (Reason::NotPermitted, Some("medical.labs.sex (group)")));
    // Pairs of a person's own rows take no grant but that of joining on the person.
    table(asked(
        "dan",
        "delta",
        "SELECT COUNT(*) FROM medical.visits a JOIN medical.visits b USING (person) WHERE a.visits < b.visits",
    ));
    // The other dataset is joined, and not asked about by itself.
    let alone = refused(asked("dan", "delta", "SELECT SUM(visits) FROM medical.labs"));
    assert_eq!(alone.reason(), Reason::ContractUnknown);
    let other_way = refused(asked(
        "dan",
        "delta",
        "SELECT COUNT(*) FROM medical.labs l JOIN medical.visits v ON v.person = l.person",
    ));
    assert_eq!(other_way.reason(), Reason::ContractUnknown);
    world.audit(0);
}

#[test]
fn the_other_dataset_stops_what_is_joined_to_it_and_is_named_in_the_certificate() {
    let world = World::new();
    let engine = world.open();
    labs(&world, &engine, "medical.labs", ("", ""));
    world.contract_with_grants(&engine, "delta", GRANTS).unwrap();
    let dan = analyst("dan", "delta");
    let answer = block(ask(&engine, &dan, QUESTION)).unwrap();
    let request = answer.released().unwrap().release().receipt().request();
    let proof = engine.release_proof(&dan, request, None).unwrap();
    let key = verifier_key(&engine.verifier_key()).unwrap();
    let verified = verify_certificate(&proof.certificate, key.public_key(), &proof.result).unwrap();
    let manifest = Manifest::parse(&manifest("medical.labs", ("", ""))).unwrap();
    verified.check_subject(JOINED_SUBJECT, manifest.to_toml().as_bytes()).unwrap();

    let labs_freeze = |frozen| {
        engine.freeze(&officer(), Freezable::Dataset("medical.labs".parse().unwrap()), frozen, "an inquiry").unwrap()
    };
    let spent = world.spent();
    labs_freeze(true);
    for sql in [QUESTION.to_owned(), format!("EXPLAIN PRIVACY {QUESTION}")] {
        let refusal = block(ask(&engine, &dan, &sql)).unwrap_err();
        assert_eq!((refusal.reason(), refusal.quotation()), (Reason::DatasetFrozen, Some("medical.labs")), "{sql}");
    }
    assert_eq!(engine.release_proof(&dan, request, None).unwrap_err().reason(), Reason::DatasetFrozen);
    // The visits alone are answered.
    block(ask(&engine, &dan, "SELECT COUNT(*) FROM medical.visits")).unwrap();
    labs_freeze(false);
    assert_eq!(table(block(ask(&engine, &dan, QUESTION))).rows, answer.table().rows, "the stored release");
    assert!(world.spent() != spent, "the question about the visits");
    world.audit(0);
}

#[test]
fn what_cannot_be_joined_is_not_granted() {
    let world = World::new();
    let engine = world.open();
    labs(&world, &engine, "medical.plates", ("id_space = \"resident\"", "id_space = \"plate\""));
    let refusal = |grants: &str| world.contract_with_grants(&engine, "delta", grants).unwrap_err();
    let unknown = refusal(GRANTS);
    assert_eq!((unknown.reason(), unknown.quotation()), (Reason::TableUnknown, Some("medical.labs")));
    let plates = refusal(&GRANTS.replace("medical.labs", "medical.plates"));
    assert_eq!(plates.reason(), Reason::ContractInvalid);
    assert!(plates.quotation().unwrap().starts_with("medical.plates: another id_space"), "{plates}");
    labs(&world, &engine, "medical.labs", ("", ""));
    let column = refusal(&GRANTS.replace("[\"visits\"]", "[\"age\"]"));
    assert_eq!((column.reason(), column.quotation()), (Reason::ContractInvalid, Some("column age")));
    world.audit(0);
}
