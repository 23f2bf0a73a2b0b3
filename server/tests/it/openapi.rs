//! The committed OpenAPI document and the running server, held against each other.
//!
//! The document is written by hand. A call, a role, a refusal or a member of an answer that is missing on either side fails
//! here.

use std::collections::BTreeSet;

use glovebox_policy::contract::sign_contract;
use glovebox_policy::{Digest, Reason};
use glovebox_server::http::{ACCESS, PREFIX};
use serde_json::{Value, json};

use crate::fixture::{CONTRACT, DATASET, MANIFEST, QUERY};
use crate::jobs;
use crate::rest::multipart;
use crate::schema::{misfits, resolved};
use crate::world::{Got, World};

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// The document has no paths with slashes in a parameter: `{*path}` is `{path}` there.
fn template(path: &str) -> String {
    path.replace("{*", "{")
}

fn operation<'d>(document: &'d Value, method: &str, path: &str) -> &'d Value {
    &document["paths"][template(path)][method.to_lowercase()]
}

/// An answer has the status, the content type and the form that the document gives it.
fn assert_documented(document: &Value, method: &str, path: &str, got: &Got) {
    let place = format!("{method} {path} {}", got.status);
    let responses = &operation(document, method, path)["responses"];
    let status = got.status.to_string();
    assert!(got.status >= 400 || responses.get(&status).is_some(), "{place} is not documented: {got:?}");
    let response = resolved(document, responses.get(&status).unwrap_or(&responses["default"]));
    let Some(content) = response.get("content") else {
        assert!(got.bytes.is_empty(), "{place}: {got:?}");
        return;
    };
    let kind = got.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
    let schema = content.get(kind).unwrap_or_else(|| panic!("{place}: {kind} is not documented"));
    if kind == "application/json" {
        let wrong = misfits(document, &schema["schema"], &got.json(), "answer");
        assert!(wrong.is_empty(), "{place}: {wrong:#?}");
    }
}

#[test]
fn the_document_names_every_call_and_who_may() {
    let document = document();
    assert_eq!((&document["openapi"], &document["servers"]), (&json!("3.1.0"), &json!([{ "url": PREFIX }])));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let served: BTreeSet<_> = ACCESS.iter().map(|call| (call.method.to_owned(), template(call.path))).collect();
    assert_eq!(documented, served);
    for call in ACCESS {
        let operation = operation(&document, call.method, call.path);
        let place = format!("{} {}", call.method, call.path);
        assert_eq!(operation["x-glovebox-roles"], json!(call.roles), "{place}");
        assert_eq!(operation.get("security"), call.roles.is_empty().then_some(&json!([])), "{place}");
    }
}

#[test]
fn the_document_holds_together() {
    let document = document();
    let mut names = BTreeSet::new();
    for call in ACCESS {
        let operation = operation(&document, call.method, call.path);
        let place = format!("{} {}", call.method, call.path);
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{place}: its name is taken");
        assert!(operation["responses"].get("default").is_some(), "{place}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path: BTreeSet<_> =
            parameters.iter().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap().to_owned()).collect();
        let wanted: BTreeSet<_> =
            template(call.path).split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        assert_eq!(in_path, wanted, "{place}");
        assert!(parameters.iter().all(|p| p["in"] != "path" || p["required"] == true), "{place}");
    }
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for name in &used {
        assert!(document.pointer(name.strip_prefix('#').unwrap()).is_some(), "{name}");
    }
    for schema in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(used.contains(&format!("#/components/schemas/{schema}")), "nothing refers to {schema}");
    }
}

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        Value::Object(members) => {
            into.extend(members.get("$ref").map(|name| name.as_str().unwrap().to_owned()));
            members.values().for_each(|member| references(member, into));
        }
        _ => {}
    }
}

#[test]
fn the_document_names_every_refusal() {
    let codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(document()["components"]["schemas"]["RefusalCode"]["enum"], json!(codes));
}

#[test]
fn what_does_not_fit_is_found() {
    let document = document();
    let schema = json!({ "$ref": "#/components/schemas/Budget" });
    let cost = json!({ "rho": 1, "delta": 0.5 });
    let good = json!({ "scope": "contract", "name": "c", "cap": cost, "spent": cost, "promised": null, "remaining": cost,
                       "promise": { "epsilon": 1.0, "delta": 1e-9 } });
    assert_eq!(misfits(&document, &schema, &good, "budget"), Vec::<String>::new());
    for (member, value) in [
        ("scope", Some(json!("person"))),
        ("name", Some(json!(1))),
        ("cap", Some(json!({ "rho": 1 }))),
        ("spent", Some(json!({ "rho": 1, "delta": 0, "epsilon": 1 }))),
        ("promised", Some(json!("none"))),
        ("promise", None),
        ("owner", Some(json!("ana"))),
    ] {
        let mut bad = good.clone();
        match value {
            Some(value) => bad[member] = value,
            None => drop(bad.as_object_mut().unwrap().remove(member)),
        }
        assert!(!misfits(&document, &schema, &bad, "budget").is_empty(), "{member}");
    }
}

/// A served install, and the calls that answered as the document says.
struct Tour {
    world: World,
    document: Value,
    seen: BTreeSet<(String, String)>,
}

impl Tour {
    /// One call that must be answered; `values` stand in the path in order, and what follows it comes last.
    async fn call(&mut self, call: &str, values: &[&str], token: &str, body: Option<(&str, Vec<u8>)>) -> Got {
        let (method, rest) = call.split_once(' ').unwrap();
        let (path, query) =
            rest.split_once('?').map_or((rest, String::new()), |(path, more)| (path, format!("?{more}")));
        let mut concrete = path.to_owned();
        for value in values {
            let (start, end) = (concrete.find('{').unwrap(), concrete.find('}').unwrap());
            concrete.replace_range(start..=end, value);
        }
        let got = self.world.call(method, &format!("{concrete}{query}"), token, body).await;
        assert!(got.status < 300, "{call}: {got:?}");
        assert_documented(&self.document, method, path, &got);
        self.seen.insert((method.to_owned(), path.to_owned()));
        got
    }

    async fn get(&mut self, path: &str, values: &[&str], token: &str) -> Got {
        self.call(&format!("GET {path}"), values, token, None).await
    }

    async fn post(&mut self, path: &str, token: &str, body: &Value) -> Got {
        self.call(&format!("POST {path}"), &[], token, Some(("application/json", body.to_string().into_bytes()))).await
    }

    async fn questions(&mut self, analyst: &str) {
        self.get("/health", &[], "").await;
        assert_eq!(self.get("/openapi.json", &[], "").await.text, DOCUMENT);
        // Every documented member of a question, so that the server knows them all.
        let ask = json!({ "sql": QUERY, "purpose": "ai-research", "epsilon": 0.25, "delta": 1e-8,
                          "max_groups_contributed": 2, "contract": "firm-visits" });
        assert!(misfits(&self.document, &json!({ "$ref": "#/components/schemas/Question" }), &ask, "ask").is_empty());
        let known = self.document["components"]["schemas"]["Question"]["properties"].as_object().unwrap();
        assert_eq!(ask.as_object().unwrap().len(), known.len());
        let answer = self.post("/sql", analyst, &ask).await.json();
        assert!(answer["release"].is_object());
        self.post("/sql", analyst, &json!({ "sql": format!("EXPLAIN PRIVACY {QUERY}") })).await;
    }

    async fn data(&mut self, analyst: &str, officer: &str) {
        self.get("/datasets", &[], analyst).await;
        self.get("/datasets/{name}", &[DATASET], analyst).await;
        for format in ["json", "csv"] {
            let path = format!("/datasets/{{name}}/twin?rows=5&seed=7&format={format}");
            self.get(&path, &[DATASET], analyst).await;
        }
        let rows = b"person,phone,note,plan,year,cost\n1,a,b,east,1,2.5\n2,c,d,west,2,3.5\n".as_slice();
        let (kind, body) = multipart(&[("file", Some("x.csv"), rows)]);
        self.call("POST /datasets/draft", &[], officer, Some((&kind, body))).await;
        let manifest = MANIFEST.replace("medical.visits", "medical.more");
        let (kind, body) = multipart(&[("manifest", None, manifest.as_bytes()), ("file", Some("x.csv"), rows)]);
        self.call("POST /datasets", &[], officer, Some((&kind, body))).await;
        let contract = CONTRACT.replace("firm-visits", "firm-more").replace("_rho = 0.9", "_rho = 0.01");
        let envelope = serde_json::to_value(sign_contract(&contract, &self.world.tokens.officer_key).unwrap()).unwrap();
        self.post("/contracts", officer, &envelope).await;
        self.get("/contracts", &[], analyst).await;
        self.get("/contracts/{id}", &["firm-more"], analyst).await;
        self.get("/contracts/{id}/bill", &["firm-visits"], analyst).await;
        self.get("/contracts/{id}/bill?month=2026-11", &["firm-visits"], officer).await;
        self.applications(analyst, officer).await;
        self.get("/budget", &[], analyst).await;
        self.get("/budget", &[], officer).await;
    }

    async fn applications(&mut self, analyst: &str, officer: &str) {
        let text = json!({ "application": crate::applications::application("a test") });
        let mut names = Vec::new();
        for _ in 0..2 {
            let made = self.post("/applications", analyst, &text).await.json();
            names.push(made["id"].as_str().unwrap().to_owned());
        }
        let [kept, other] = [names[0].as_str(), names[1].as_str()];
        self.get("/applications", &[], officer).await;
        self.get("/applications/{id}", &[kept], analyst).await;
        self.get("/applications/{id}/draft?contract=new", &[kept], officer).await;
        self.call("DELETE /applications/{id}", &[other], analyst, None).await;
        let no = ("application/json", json!({ "reason": "a test" }).to_string().into_bytes());
        self.call("POST /applications/{id}/rejection", &[kept], officer, Some(no)).await;
        self.get("/applications/{id}", &[kept], analyst).await;
    }

    async fn people(&mut self, officer: &str) {
        self.get("/people", &[], officer).await;
        self.post("/people", officer, &json!({ "person": "new", "org": "firm", "role": "analyst", "name": "新" }))
            .await;
        let freeze = |frozen: bool| json!({ "kind": "person", "name": "new", "frozen": frozen, "reason": "a test" });
        self.post("/freezes", officer, &freeze(true)).await;
        self.post("/freezes", officer, &freeze(false)).await;
        self.get("/freezes", &[], officer).await;
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let issued = self.post("/tokens", officer, &json!({ "person": "new", "days": 1 })).await;
            tokens.push(issued.json()["token"].as_str().unwrap().to_owned());
        }
        self.get("/me", &[], &tokens[0]).await;
        self.get("/tokens?person=new", &[], officer).await;
        let digest = Digest::of(tokens[1].as_bytes()).to_string();
        self.call("DELETE /tokens/{digest}", &[&digest], &tokens[0], None).await;
        self.call("DELETE /tokens", &[], &tokens[0], None).await;
        let print = Digest::of(b"a certificate").to_string();
        self.post("/certificates", officer, &json!({ "person": "new", "fingerprint": print })).await;
        self.get("/certificates", &[], officer).await;
        self.call("DELETE /certificates/{digest}", &[&print], officer, None).await;
    }

    async fn jobs(&mut self, analyst: &str, officer: &str) {
        let module = jobs::module();
        let manifest = jobs::manifest(&module);
        let parts = [("manifest", None, manifest.as_bytes()), ("module", Some("m.wasm"), module.as_slice())];
        let mut names = Vec::new();
        for _ in 0..2 {
            let (kind, body) = multipart(&parts);
            let card = self.call("POST /jobs", &[], analyst, Some((&kind, body))).await.json();
            names.push(card["job"].as_str().unwrap().to_owned());
        }
        let [job, other] = [names[0].as_str(), names[1].as_str()];
        self.get("/jobs", &[], analyst).await;
        self.call("DELETE /jobs/{id}", &[other], analyst, None).await;
        self.get("/jobs/{id}/review", &[job], officer).await;
        self.get("/jobs/{id}/module", &[job], officer).await;
        let verdict = jobs::verdict(&self.world, job, glovebox_policy::Decision::Approve).await;
        let envelope = jobs::signed(&verdict, &self.world.tokens.officer_key);
        self.call("POST /jobs/{id}/verdicts", &[job], officer, Some(("application/json", envelope))).await;
        self.call("POST /jobs/{id}/runs", &[job], analyst, None).await;
        let card = jobs::settled(&self.world, job).await;
        self.get("/jobs/{id}", &[job], analyst).await;
        self.get("/jobs/{id}/result", &[job], analyst).await;
        let request = card["runs"][0].as_str().unwrap();
        for part in ["result", "certificate", "entry", "proof"] {
            self.get("/releases/{request}/{part}?contract=firm-visits", &[request, part], analyst).await;
        }
    }

    async fn log(&mut self, auditor: &str) {
        self.get("/log/key", &[], auditor).await;
        self.get("/log?start=0&count=10", &[], auditor).await;
        self.get("/log/proof/{leaf}", &["0"], auditor).await;
        let entries = self.get("/log?count=1000", &[], auditor).await.json()["entries"].clone();
        let charge = entries.as_array().unwrap().iter().position(|entry| entry["kind"] == "charge").unwrap();
        self.get("/log/decision/{leaf}", &[&charge.to_string()], auditor).await;
        self.get("/log/consistency?old=1&new=2", &[], auditor).await;
        self.get("/log/checkpoint", &[], auditor).await;
        self.get("/log/tile/{*path}", &["entries/000.p/1"], auditor).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_answers_as_the_document_says() {
    let world = jobs::world().await;
    let [analyst, officer, auditor] =
        [&world.tokens.analyst, &world.tokens.officer, &world.tokens.auditor].map(String::clone);
    let mut tour = Tour { world, document: document(), seen: BTreeSet::new() };
    tour.questions(&analyst).await;
    tour.data(&analyst, &officer).await;
    tour.people(&officer).await;
    tour.jobs(&analyst, &officer).await;
    tour.log(&auditor).await;
    let all: BTreeSet<_> = ACCESS.iter().map(|call| (call.method.to_owned(), call.path.to_owned())).collect();
    assert_eq!(tour.seen, all, "every call was answered once");
}

/// What the server takes beyond its paths: a refusal, and one of the documented form, for anything that is not documented.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_documented_is_refused_as_the_document_says() {
    let (world, document) = (World::start().await, document());
    for call in ACCESS.iter().filter(|call| !call.roles.is_empty()) {
        let (operation, place) =
            (operation(&document, call.method, call.path), format!("{} {}", call.method, call.path));
        let path = template(call.path).replace("{part}", "proof").replace("{leaf}", "0").replace("{name}", DATASET);
        let path = path.replace("{id}", "no-such").replace("{request}", &"0".repeat(64)).replace("{digest}", "x");
        let refused = world.call(call.method, &path, "", None).await;
        assert_eq!(refused.status, 401, "{place}");
        assert_documented(&document, call.method, call.path, &refused);

        let token =
            if operation["x-glovebox-roles"][0] == "analyst" { &world.tokens.analyst } else { &world.tokens.officer };
        let query = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["in"] == "query"));
        let body = operation["requestBody"]["content"].get("application/json").map(|kind| &kind["schema"]);
        let closed = body.filter(|schema| resolved(&document, schema).get("additionalProperties").is_some());
        let (path, sent) = match (query, closed) {
            (true, _) => (format!("{path}?colour=red"), None),
            (_, Some(_)) => (path, Some(("application/json", b"{\"colour\": \"red\"}".to_vec()))),
            _ => continue,
        };
        let got = world.call(call.method, &path, token, sent).await;
        assert_eq!((got.status, got.code().as_str()), (400, "bad-request"), "{place}: {got:?}");
        assert_documented(&document, call.method, call.path, &got);
        if let Some(schema) = closed {
            assert!(got.json()["message"].as_str().unwrap().contains("unknown field"), "{got:?}");
            for name in resolved(&document, schema)["properties"].as_object().unwrap().keys() {
                let got = world.post(&path, token, &json!({ name: { "no": "value" } })).await;
                assert!(!got.json()["message"].as_str().unwrap().contains("unknown field"), "{place}: {name}: {got:?}");
            }
        }
    }
}
