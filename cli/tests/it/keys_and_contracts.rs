//! Offline: keys are made, contracts are signed, and what cannot be read is refused.

use serde_json::Value;

use crate::bureau::Bureau;

pub(crate) const CONTRACT: &str = r#"
id = "acme-visits"
org = "acme"
dataset = "medical.visits"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2120-01-01T00:00:00Z"

[budget]
allotment_rho = 0.2
per_day_rho = 0.1

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 2

[[grants]]
roles = ["aggregate"]
columns = ["person", "visits"]

[[grants]]
roles = ["group", "filter"]
columns = ["sex"]
"#;

#[test]
fn a_contract_is_signed_with_a_key_of_its_own_file() {
    let bureau = Bureau::empty();
    let made = bureau.run(["officer-key", "new", "my.key", "--format", "json"]).json();
    assert!(bureau.run(["officer-key", "new", "my.key"]).ended(1).contains("my.key"));
    bureau.write("contract.toml", CONTRACT);
    let signed = bureau.run(["contract", "sign", "contract.toml", "--key", "my.key", "-o", "envelope.json"]).well();
    assert!(signed.contains(made["key_id"].as_str().unwrap()), "{signed}");
    let envelope: Value = serde_json::from_str(&bureau.read("envelope.json")).unwrap();
    assert_eq!(envelope["signatures"][0]["keyid"], made["key_id"]);
    let printed = bureau.run(["contract", "sign", "contract.toml", "--key", "my.key"]).json();
    assert_eq!(printed, envelope);
}

#[test]
fn a_contract_that_cannot_be_read_is_refused_before_it_is_signed() {
    let bureau = Bureau::empty();
    bureau.run(["officer-key", "new", "my.key"]).well();
    bureau.write("contract.toml", &CONTRACT.replace("per_day_rho", "per_week_rho"));
    let sign = ["contract", "sign", "contract.toml", "--key", "my.key", "-o", "envelope.json"];
    let said = bureau.run(sign).ended(3);
    assert!(said.contains("contract-invalid") && said.contains("per_week_rho"), "{said}");
    let said = bureau.run(sign.iter().chain(&["--lang", "zh"])).ended(3);
    assert!(said.contains("contract-invalid") && said.contains("合同无效"), "{said}");
    assert!(!bureau.path("envelope.json").exists());
    assert!(bureau.run(["contract", "sign", "contract.toml", "--key", "contract.toml"]).ended(1).contains("Ed25519"));
}
