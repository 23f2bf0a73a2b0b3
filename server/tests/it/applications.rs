//! From a firm's application to a contract that answers it, over REST.

use glovebox_policy::contract::sign_contract;
use serde_json::json;

use crate::fixture::CONTRACT;
use crate::world::World;

/// What the fixture's contract would grant, asked for.
pub(crate) fn application(why: &str) -> String {
    let settled = ["id =", "org =", "budget_domain ="];
    let asked: Vec<&str> = CONTRACT.lines().filter(|line| !settled.iter().any(|key| line.starts_with(key))).collect();
    format!("why = \"{why}\"\n{}\n", asked.join("\n").replace("_rho = 0.9", "_rho = 0.01"))
}

#[tokio::test]
async fn an_application_becomes_a_draft_and_a_signed_contract() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let apply = |text: String| json!({ "application": text });
    let made = world.post("/applications", &tokens.analyst, &apply(application("a model of costs"))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/applications/{id}");
    assert_eq!(made.json()["status"], "waiting");
    // Another firm does not see it; officers and auditors do.
    assert_eq!(world.get(&path, &tokens.outsider).await.code(), "not-found");
    assert_eq!(world.get("/applications", &tokens.outsider).await.json()["applications"], json!([]));
    assert_eq!(world.get(&path, &tokens.auditor).await.json()["why"], "a model of costs");
    assert_eq!(world.get(&format!("{path}/draft?contract=firm-more"), &tokens.analyst).await.code(), "role-forbidden");
    assert_eq!(world.get(&format!("{path}/draft"), &tokens.officer).await.code(), "bad-request");
    let draft = world.get(&format!("{path}/draft?contract=firm-more"), &tokens.officer).await;
    let draft = draft.json()["contract"].as_str().unwrap().replace("per_day_rho = 0.01", "per_day_rho = 0.005");
    let envelope = serde_json::to_value(sign_contract(&draft, &tokens.officer_key).unwrap()).unwrap();
    let contract = world.post("/contracts", &tokens.officer, &envelope).await;
    assert_eq!((contract.status, &contract.json()["application"]), (201, &json!(id)), "{contract:?}");
    let granted = world.get(&path, &tokens.analyst).await.json();
    assert_eq!((&granted["status"], &granted["contract"]), (&json!("granted"), &json!("firm-more")));
    assert_eq!(world.get(&format!("{path}/draft?contract=x"), &tokens.officer).await.code(), "application-closed");
    assert_eq!(world.call("DELETE", &path, &tokens.analyst, None).await.code(), "application-closed");
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_where_it_is_asked_for() {
    let world = World::start().await;
    let tokens = &world.tokens;
    for (from, to, code) in [
        ("medical.visits", "medical.nothing", "table-unknown"),
        ("\"plan\"", "\"nothing\"", "application-invalid"),
        ("\"plan\"", "\"phone\"", "column-is-identifier"),
        ("max_delta = 1e-6", "max_delta = 1e-12", "application-invalid"),
        ("why = \"x\"", "why = \"\"", "application-invalid"),
    ] {
        let text = application("x").replacen(from, to, 1);
        let refused = world.post("/applications", &tokens.analyst, &json!({ "application": text })).await;
        assert_eq!(refused.code(), code, "{to}: {refused:?}");
    }
    let made = world.post("/applications", &tokens.analyst, &json!({ "application": application("x") })).await;
    let path = format!("/applications/{}", made.json()["id"].as_str().unwrap());
    let no = json!({ "reason": "not for this purpose" });
    assert_eq!(world.post(&format!("{path}/rejection"), &tokens.firm_officer, &no).await.code(), "own-request");
    let rejected = world.post(&format!("{path}/rejection"), &tokens.officer, &no).await;
    assert_eq!((rejected.status, &rejected.json()["reason"]), (201, &no["reason"]), "{rejected:?}");
}
