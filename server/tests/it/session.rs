//! Sessions over Flight: options of a session, whose it is, and how many there may be.

use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt as _};
use arrow_flight::{Action, FlightDescriptor};
use futures::TryStreamExt as _;
use prost::Message as _;
use serde_json::json;
use tonic::Status;

use crate::fixture::QUERY;
use crate::world::{Raw, World, code};

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    assert!(length < 128);
    [&[number << 3 | 2, length], bytes].concat()
}

/// A `SetSessionOptionsRequest` with texts for values; `None` takes an option away. Written by hand, from the protocol.
fn options(pairs: &[(&str, Option<&str>)]) -> Vec<u8> {
    let entry = |(name, value): &(&str, Option<&str>)| {
        let value = value.map(|value| field(1, value.as_bytes())).unwrap_or_default();
        field(1, &[field(1, name.as_bytes()), field(2, &value)].concat())
    };
    pairs.iter().flat_map(entry).collect()
}

/// Carries an action out; gives the body of its answer and the cookie that was set.
async fn act(raw: &mut Raw, kind: &str, body: Vec<u8>, cookie: &str) -> Result<(Vec<u8>, Option<String>), Status> {
    let mut request = raw.request(Action::new(kind, body));
    if !cookie.is_empty() {
        request.metadata_mut().insert("cookie", cookie.parse().unwrap());
    }
    let response = raw.inner.do_action(request).await?;
    let set = response.metadata().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let results: Vec<_> = response.into_inner().try_collect().await?;
    assert_eq!(results.len(), 1);
    Ok((results[0].body.to_vec(), set))
}

async fn open(raw: &mut Raw, pairs: &[(&str, Option<&str>)]) -> String {
    let (body, cookie) = act(raw, "SetSessionOptions", options(pairs), "").await.unwrap();
    assert!(body.is_empty(), "errors: {body:?}");
    cookie.unwrap()
}

/// What a statement costs in a session: ε and δ of its answer's note.
async fn cost(raw: &mut Raw, sql: &str, cookie: &str) -> Result<(f64, f64), Status> {
    let command = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
    let mut request = raw.request(FlightDescriptor::new_cmd(command.as_any().encode_to_vec()));
    if !cookie.is_empty() {
        request.metadata_mut().insert("cookie", cookie.parse().unwrap());
    }
    let info = raw.inner.get_flight_info(request).await?.into_inner();
    let messages = raw.messages(info.endpoint[0].ticket.clone().unwrap()).await?;
    let note = messages.iter().find(|message| !message.app_metadata.is_empty()).unwrap();
    let note: serde_json::Value = serde_json::from_slice(&note.app_metadata).unwrap();
    Ok((note["cost"]["epsilon"].as_f64().unwrap(), note["cost"]["at_delta"].as_f64().unwrap()))
}

const WRITTEN: &str = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.2) COUNT(*) AS n FROM medical.visits";

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_options_hold_until_a_statement_says_otherwise() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let set = [("epsilon", Some("0.25")), ("delta", Some("1e-8")), ("purpose", Some("ai-research"))];
    let cookie = open(&mut raw, &set).await;
    assert_eq!(cost(&mut raw, QUERY, &cookie).await.unwrap(), (0.25, 1e-8));
    assert_eq!(cost(&mut raw, WRITTEN, &cookie).await.unwrap(), (0.2, 1e-8), "the statement wins");
    assert_eq!(cost(&mut raw, QUERY, "").await.unwrap(), (0.5, 1e-9), "the contract's defaults");
    // More options, one taken away; the session keeps its name.
    let more = options(&[("epsilon", None), ("contract", Some("firm-visits"))]);
    let (errors, again) = act(&mut raw, "SetSessionOptions", more, &cookie).await.unwrap();
    assert_eq!((errors.len(), again), (0, None));
    assert_eq!(cost(&mut raw, QUERY, &cookie).await.unwrap(), (0.5, 1e-8));
    let (told, _) = act(&mut raw, "GetSessionOptions", vec![], &cookie).await.unwrap();
    let text = String::from_utf8_lossy(&told);
    assert!(text.contains("firm-visits") && text.contains("ai-research") && !text.contains("epsilon"), "{text}");
    let other = open(&mut raw, &[("contract", Some("another-contract"))]).await;
    assert_eq!(code(&cost(&mut raw, QUERY, &other).await.unwrap_err()), "contract-unknown");
    let wrong = open(&mut raw, &[("purpose", Some("public-statistics"))]).await;
    assert_eq!(code(&cost(&mut raw, QUERY, &wrong).await.unwrap_err()), "not-permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_options_and_values_have_the_protocols_codes_and_the_others_are_set() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let body = options(&[("noise", Some("off")), ("epsilon", Some("0.25"))]);
    let (errors, cookie) = act(&mut raw, "SetSessionOptions", body, "").await.unwrap();
    // One error: name `noise`, value INVALID_NAME = 1.
    assert_eq!(errors, field(1, &[field(1, b"noise"), field(2, &[0x08, 1])].concat()));
    assert_eq!(cost(&mut raw, QUERY, &cookie.unwrap()).await.unwrap().0, 0.25);
    let body = options(&[("epsilon", Some("a lot"))]);
    let (errors, _) = act(&mut raw, "SetSessionOptions", body, "").await.unwrap();
    assert_eq!(errors, field(1, &[field(1, b"epsilon"), field(2, &[0x08, 2])].concat()));
    let broken = act(&mut raw, "SetSessionOptions", vec![0xff; 20], "").await.unwrap_err();
    assert_eq!(code(&broken), "bad-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_owners_and_a_lost_one_is_no_default() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let cookie = open(&mut raw, &[("epsilon", Some("0.25"))]).await;
    let forged = format!("arrow_flight_session_id={}", "0".repeat(64));
    for other in [&world.tokens.analyst2, &world.tokens.officer] {
        let mut raw = world.raw(other).await;
        assert_eq!(code(&cost(&mut raw, QUERY, &cookie).await.unwrap_err()), "session-unknown");
        for kind in ["SetSessionOptions", "GetSessionOptions", "CloseSession"] {
            let status = act(&mut raw, kind, vec![], &cookie).await.unwrap_err();
            assert_eq!(code(&status), "session-unknown", "{kind}");
        }
    }
    let mut stranger = world.raw("").await;
    assert_eq!(code(&cost(&mut stranger, QUERY, &cookie).await.unwrap_err()), "unauthenticated");
    for cookie in [forged.as_str(), "arrow_flight_session_id=", "arrow_flight_session_id=../../x"] {
        let status = cost(&mut raw, QUERY, cookie).await.unwrap_err();
        assert_eq!(code(&status), "session-unknown", "{cookie}");
        assert_eq!(status.metadata().get("set-cookie").unwrap(), "arrow_flight_session_id=; Max-Age=0");
    }
    assert_eq!(cost(&mut raw, QUERY, &cookie).await.unwrap().0, 0.25, "nobody changed or closed it");
    let (body, set) = act(&mut raw, "CloseSession", vec![], &cookie).await.unwrap();
    assert_eq!((body, set.unwrap().as_str()), (vec![0x08, 1], "arrow_flight_session_id=; Max-Age=0"));
    assert_eq!(code(&cost(&mut raw, QUERY, &cookie).await.unwrap_err()), "session-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sessions_displaces_only_its_own() {
    let world = World::start().await;
    let mut other = world.raw(&world.tokens.analyst2).await;
    let kept = open(&mut other, &[("epsilon", Some("0.25"))]).await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let first = open(&mut raw, &[("epsilon", Some("0.3"))]).await;
    for _ in 0..256 {
        open(&mut raw, &[]).await;
    }
    assert_eq!(code(&cost(&mut raw, QUERY, &first).await.unwrap_err()), "session-unknown");
    assert_eq!(cost(&mut other, QUERY, &kept).await.unwrap().0, 0.25);
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_says_the_same_in_the_body() {
    let world = World::start().await;
    let ask = |more: serde_json::Value| {
        let mut body = json!({"sql": QUERY, "epsilon": 0.25});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (analyst, world) = (&world.tokens.analyst, &world);
    let good = ask(json!({"delta": 1e-8, "contract": "firm-visits", "max_groups_contributed": 2}));
    let answer = world.post("/sql", analyst, &good).await.json();
    assert_eq!((&answer["cost"]["epsilon"], &answer["cost"]["at_delta"]), (&json!(0.25), &json!(1e-8)), "{answer}");
    for (more, code) in [
        (json!({"delta": 0.1}), "option-invalid"),
        (json!({"delta": -1}), "option-invalid"),
        (json!({"max_groups_contributed": 0}), "option-invalid"),
        (json!({"max_groups_contributed": 4}), "-"),
        (json!({"contract": "another-contract"}), "contract-unknown"),
        (json!({"contract": "No Contract!"}), "bad-request"),
    ] {
        let got = world.post("/sql", analyst, &ask(more.clone())).await;
        if code != "-" {
            assert_eq!(got.code(), code, "{more}");
        }
    }
}
