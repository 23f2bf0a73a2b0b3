//! Direct identifiers of a real dataset are of no use to anybody: no contract, statement, job or twin has them.

use std::path::Path;

use glovebox_engine::{Engine, Scalar};
use glovebox_policy::{Cost, Reason, Refusal};

use crate::jobs;
use crate::world::{World, ana, ask, block, officer, table};

const IDENTIFIERS: [&str; 3] = ["person_id", "fake_first_name", "fake_last_name"];

const CONTRACT: &str = r#"
id = "acme-covid"
org = "acme"
dataset = "medical.covid_testing"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2120-01-01T00:00:00Z"

[budget]
allotment_rho = 0.2
per_day_rho = 0.2

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 2

[[grants]]
roles = ["aggregate", "group", "filter", "wasmInput"]
columns = ["result", "age", "pan_day"]
"#;

/// The children's hospital's tests, brought in by the officer.
fn with_covid_tests(world: &World) -> Engine {
    let engine = world.open();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data");
    let manifest = std::fs::read_to_string(data.join("covid_testing.toml")).unwrap();
    engine.add_dataset(&officer(), &manifest, &data.join("covid_testing.parquet")).unwrap();
    engine
}

fn about(refusal: &Refusal) -> (Reason, Option<&str>) {
    (refusal.reason(), refusal.quotation())
}

#[test]
fn no_contract_can_grant_them() {
    let world = World::new();
    let engine = with_covid_tests(&world);
    for column in IDENTIFIERS {
        for role in ["aggregate", "group", "filter", "wasmInput"] {
            let text = format!("{CONTRACT}\n[[grants]]\nroles = [\"{role}\"]\ncolumns = [\"{column}\"]\n");
            let refusal = world.sign(&engine, &text).unwrap_err();
            assert_eq!(about(&refusal), (Reason::ColumnIsIdentifier, Some(column)), "{role}");
        }
    }
    world.sign(&engine, CONTRACT).unwrap();
    world.audit(0);
}

#[test]
fn no_statement_and_no_job_can_name_them() {
    let world = World::new();
    let engine = with_covid_tests(&world);
    world.sign(&engine, CONTRACT).unwrap();
    block(async {
        for column in IDENTIFIERS {
            for sql in [
                format!("SELECT COUNT({column}) FROM medical.covid_testing"),
                format!("SELECT COUNT(DISTINCT {column}) FROM medical.covid_testing"),
                format!("SELECT COUNT(*) FROM medical.covid_testing WHERE {column} IS NOT NULL"),
                format!("SELECT SUM(CASE WHEN {column} IS NULL THEN 1 ELSE 0 END) FROM medical.covid_testing"),
                format!("SELECT {column}, COUNT(*) FROM medical.covid_testing GROUP BY {column}"),
                format!("SELECT COUNT(p) FROM (SELECT {column} AS p FROM medical.covid_testing) AS s"),
                format!("EXPLAIN PRIVACY SELECT COUNT({column}) FROM medical.covid_testing"),
            ] {
                let refusal = ask(&engine, &ana(), &sql).await.unwrap_err();
                assert_eq!(about(&refusal), (Reason::ColumnIsIdentifier, Some(column)), "{sql}");
                assert!(refusal.to_string().starts_with("column-is-identifier"), "{refusal}");
                assert!(refusal.chinese().contains(column), "{}", refusal.chinese());
            }
            let module = jobs::module("");
            let job = jobs::manifest(&module)
                .replace("medical.visits", "medical.covid_testing")
                .replace("acme-visits", "acme-covid")
                .replace("\"visits\", \"sex\"", &format!("\"age\", \"{column}\""));
            let refusal = engine.submit_job(&ana(), job, module).await.unwrap_err();
            assert_eq!(about(&refusal), (Reason::ColumnIsIdentifier, Some(column)));
        }
        assert_eq!(world.spent(), Cost::ZERO);

        // Persons can be counted without being named: each counts once, however many tests there were.
        let persons = "SELECT COUNT(*, contribution_bounds_per_group => (0, 1)) AS n FROM medical.covid_testing";
        let [Scalar::Int(n)] = table(ask(&engine, &ana(), persons).await).rows[0][..] else { panic!("one number") };
        assert!((n - 12_344).abs() < 200, "{n} is not near the 12,344 persons of the public file");
    });
    world.audit(0);
}

#[test]
fn twin_and_card_hold_nothing_of_them() {
    let world = World::new();
    let engine = with_covid_tests(&world);
    let twin = engine.twin(&"medical.covid_testing".parse().unwrap(), 500, 1).unwrap();
    let card = engine.datasets().into_iter().find(|card| card.name.to_string() == "medical.covid_testing").unwrap();
    for identifier in IDENTIFIERS {
        assert!(twin.get().columns.iter().all(|column| column.name != identifier));
        let column = card.columns.iter().find(|column| column.name.as_str() == identifier).unwrap();
        assert!(column.identifier && column.keys.is_none() && column.bounds.is_none());
    }
    assert_eq!(twin.get().columns.len(), card.columns.len() - IDENTIFIERS.len());
}
