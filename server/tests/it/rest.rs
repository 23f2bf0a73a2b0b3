//! The REST calls one by one.

use serde_json::json;

use crate::fixture::{DATASET, QUERY};
use crate::world::{World, assert_clean};

const BOUNDARY: &str = "glovebox-test-boundary";

pub(crate) fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

async fn upload(world: &World, path: &str, parts: &[(&str, Option<&str>, &[u8])]) -> crate::world::Got {
    let (kind, body) = multipart(parts);
    world.call("POST", path, &world.tokens.officer, Some((&kind, body))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_the_wrong_form_are_refused_in_our_words() {
    let world = World::start().await;
    for body in ["", "[]", "{", "{}", "{\"sql\": 1}", "{\"sql\": \"x\", \"password\": 1}", "\u{feff}{}"] {
        let kind = ("application/json", body.as_bytes().to_vec());
        let got = world.call("POST", "/sql", &world.tokens.analyst, Some(kind)).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad-request"), "{body}");
        assert_clean(&got.text);
    }
    let got = world.post("/sql", &world.tokens.analyst, &json!({"sql": "SELECT 1", "purpose": "No Purpose!"})).await;
    assert_eq!(got.code(), "bad-request");
    let long = vec![b' '; 300 * 1024];
    let got = world.call("POST", "/people", &world.tokens.officer, Some(("application/json", long))).await;
    assert_eq!((got.status, got.code().as_str()), (400, "bad-request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn datasets_are_shown_and_their_twins_handed_out() {
    let world = World::start().await;
    let token = &world.tokens.analyst;
    let list = world.get("/datasets", token).await.json();
    let names: Vec<_> =
        list["datasets"].as_array().unwrap().iter().map(|card| card["name"].as_str().unwrap()).collect();
    assert!(names.contains(&DATASET), "{names:?}");
    let card = world.get(&format!("/datasets/{DATASET}"), token).await.json();
    assert_eq!(card["name"], DATASET);
    assert_eq!(world.get("/datasets/no.such", token).await.status, 404);
    assert_eq!(world.get("/datasets/nonsense", token).await.status, 404);

    let path = format!("/datasets/{DATASET}/twin");
    let twin = world.get(&format!("{path}?rows=5&seed=7"), token).await.json();
    assert!(!twin["rows"].as_array().unwrap().is_empty());
    assert_eq!(world.get(&format!("{path}?rows=5&seed=7"), token).await.json(), twin);
    let csv = world.get(&format!("{path}?rows=5&format=csv"), token).await;
    assert!(csv.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(world.get(&format!("{path}?rows=100001"), token).await.code(), "bad-request");
    assert_eq!(world.get(&format!("{path}?colour=red"), token).await.code(), "bad-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_table_is_brought_in_and_shown_as_one() {
    let world = World::start().await;
    let (manifest, rows) = crate::fixture::PUBLIC;
    let parts = [("manifest", None, manifest.as_bytes()), ("file", Some("x.csv"), rows.as_bytes())];
    let got = upload(&world, "/datasets", &parts).await;
    assert_eq!(got.status, 201, "{got:?}");
    let card = world.get("/datasets/ref.plans", &world.tokens.analyst).await.json();
    assert_eq!(card, got.json());
    assert_eq!((&card["kind"], &card["max_rows"], &card["unique"]), (&json!("public"), &json!(5), &json!([["plan"]])));
    assert!(card.get("budget_domain").is_none() && card.get("max_units").is_none(), "{card}");
    let twin = world.get("/datasets/ref.plans/twin?rows=5", &world.tokens.analyst).await;
    assert_eq!((twin.status, twin.code().as_str()), (400, "bad-request"));
    assert_eq!(upload(&world, "/datasets", &parts).await.code(), "dataset-exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_read_part_by_part_and_refused_when_they_do_not_fit() {
    let world = World::start().await;
    let rows = b"year,plan\n2001,a\n2002,b\n".as_slice();
    let got = upload(&world, "/datasets/draft", &[("file", Some("x.csv"), rows)]).await;
    assert_eq!(got.status, 200, "{got:?}");
    let drafted = got.json()["manifest"].as_str().unwrap().to_owned();
    assert!(drafted.contains("plan") && drafted.contains("schema.x\""), "{drafted}");

    let got = upload(&world, "/datasets", &[("manifest", None, b"nonsense"), ("file", Some("x.csv"), rows)]).await;
    assert_eq!((got.status, got.code().as_str()), (400, "manifest-invalid"), "{got:?}");
    assert!(!got.json()["report"].is_null());

    let too_long = vec![b'x'; 2 << 20];
    for (parts, path) in [
        (vec![], "/datasets"),
        (vec![("manifest", None, b"x".as_slice())], "/datasets"),
        (vec![("file", Some("x.csv"), rows)], "/datasets"),
        (vec![("file", Some("x.csv"), rows), ("file", Some("x.csv"), rows)], "/datasets/draft"),
        (vec![("other", None, rows)], "/datasets/draft"),
        (vec![("manifest", None, rows), ("file", Some("x.csv"), rows)], "/datasets/draft"),
        (vec![("file", Some("x.csv"), too_long.as_slice())], "/datasets/draft"),
        (vec![("manifest", None, too_long.as_slice())], "/datasets"),
        (vec![("manifest", None, b"\xff\xfe".as_slice())], "/datasets"),
    ] {
        let got = upload(&world, path, &parts).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad-request"), "{got:?}");
    }
    let got = world.post("/datasets", &world.tokens.officer, &json!({})).await;
    assert_eq!(got.code(), "bad-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_contract_is_refused() {
    let world = World::start().await;
    for body in [json!({}), json!({"payload": "", "payloadType": "x", "signatures": []})] {
        let got = world.post("/contracts", &world.tokens.officer, &body).await;
        assert_eq!((got.status, got.code().as_str()), (403, "signature-invalid"), "{got:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_issued_and_ended() {
    let world = World::start().await;
    let officer = &world.tokens.officer;
    let person = json!({"person": "new-analyst", "org": "firm", "role": "analyst", "name": "新分析员"});
    let got = world.post("/people", officer, &person).await;
    assert_eq!((got.status, got.json()), (201, person), "{got:?}");
    for days in [0, 367, -1] {
        let got = world.post("/tokens", officer, &json!({"person": "new-analyst", "days": days})).await;
        assert_eq!(got.code(), "bad-request");
    }
    let got = world.post("/tokens", officer, &json!({"person": "new-analyst", "days": 1})).await;
    assert_eq!(got.status, 201, "{got:?}");
    let token = got.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/budget", &token).await.status, 200);
    assert_eq!(world.call("DELETE", "/tokens", &token, None).await.status, 204);
    assert_eq!(world.get("/budget", &token).await.status, 401);
    let people = world.get("/people", officer).await.json();
    assert!(people["people"].as_array().unwrap().iter().any(|p| p["person"] == "new-analyst"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_it_cost_and_where_it_stands_in_the_log() {
    let world = World::start().await;
    let answer = world.ask_rest(QUERY, &world.tokens.analyst).await.json();
    assert_eq!(answer["columns"], json!([{"name": "plan", "kind": "text"}, {"name": "n", "kind": "int"}]));
    assert!(answer["cost"]["rho"].as_f64().unwrap() > 0.0);
    assert_eq!((&answer["cost"]["epsilon"], &answer["cost"]["at_delta"]), (&json!(0.5), &json!(1e-9)));
    assert!(answer["remaining"]["rho"].as_f64().unwrap() < 0.9);
    assert_eq!(answer["release"]["request"].as_str().unwrap().len(), 64);
    assert_eq!(answer["release"].as_object().unwrap().len(), 1, "nothing that tells who asked before");
    assert_eq!(
        world.ask_rest(QUERY, &world.tokens.analyst2).await.json(),
        answer,
        "a repeat is free for the same firm"
    );

    let named = json!({"sql": QUERY, "purpose": "ai-research", "epsilon": 0.25});
    let smaller = world.post("/sql", &world.tokens.analyst, &named).await.json();
    assert_eq!(smaller["cost"]["epsilon"], json!(0.25));
    let wrong = json!({"sql": QUERY, "purpose": "public-statistics"});
    assert_eq!(world.post("/sql", &world.tokens.analyst, &wrong).await.code(), "not-permitted");
    let greedy = json!({"sql": QUERY, "epsilon": 2.0});
    assert_eq!(world.post("/sql", &world.tokens.analyst, &greedy).await.code(), "epsilon-above-cap");
}
