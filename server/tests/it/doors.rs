//! Who gets in.

use arrow_flight::sql::CommandGetCatalogs;
use arrow_flight::{Action, Criteria, Empty, FlightData, FlightDescriptor, HandshakeRequest, Ticket};
use glovebox_server::{ClientError, FlightClient};
use tonic::Status;

use crate::fixture::QUERY;
use crate::world::{Raw, World, code};

#[tokio::test(flavor = "multi_thread")]
async fn missing_wrong_and_expired_tokens_are_refused_on_both_faces() {
    let world = World::start().await;
    let flipped = format!("{}x", world.tokens.analyst);
    for token in ["", "gbx_nonsense", flipped.as_str(), world.tokens.expired.as_str(), &"x".repeat(5000)] {
        let got = world.get("/datasets", token).await;
        assert_eq!((got.status, got.code().as_str()), (401, "unauthenticated"), "{token:.20}");
        assert_eq!(got.headers["www-authenticate"], "Bearer");
        let status = world.raw(token).await.info(&CommandGetCatalogs {}).await.unwrap_err();
        assert_eq!(code(&status), "unauthenticated", "{token:.20}");
    }
    assert_eq!(world.get("/health", "").await.status, 200);
    assert_eq!(world.get("/datasets", &world.tokens.analyst).await.status, 200);
}

/// Each method of the Flight protocol, called with nothing in it.
async fn every_call(raw: &mut Raw) -> Vec<(&'static str, Result<(), Status>)> {
    let data = || futures::stream::iter([FlightData::default()]);
    let mut out = Vec::new();
    macro_rules! call {
        ($name:ident, $message:expr) => {{
            let request = raw.request($message);
            out.push((stringify!($name), raw.inner.$name(request).await.map(|_| ())));
        }};
    }
    call!(handshake, futures::stream::iter([HandshakeRequest::default()]));
    call!(list_flights, Criteria::default());
    call!(get_flight_info, FlightDescriptor::default());
    call!(poll_flight_info, FlightDescriptor::default());
    call!(get_schema, FlightDescriptor::default());
    call!(do_get, Ticket::default());
    call!(do_put, data());
    call!(do_exchange, data());
    call!(do_action, Action::default());
    call!(list_actions, Empty::default());
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flight_call_asks_for_the_token_first() {
    let world = World::start().await;
    for (name, result) in every_call(&mut world.raw("").await).await {
        assert_eq!(code(&result.unwrap_err()), "unauthenticated", "{name}");
    }
    for (name, result) in every_call(&mut world.raw(&world.tokens.analyst).await).await {
        match (name, result) {
            ("list_actions", result) => result.unwrap(),
            ("handshake", Err(status)) => assert_eq!(code(&status), "unauthenticated"),
            ("list_flights" | "poll_flight_info" | "do_exchange", Err(status)) => {
                assert_eq!(code(&status), "statement-refused", "{name}");
            }
            (name, Err(status)) => {
                let code = code(&status);
                assert!(["bad-request", "statement-refused"].contains(&code.as_str()), "{name}: {code}");
            }
            (name, Ok(())) => panic!("{name} let an empty message pass"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_trusts_another_authority_does_not_connect() {
    let world = World::start().await;
    let other = World::start().await;
    let error = FlightClient::connect(&world.flight_url, &other.ca, &world.tokens.analyst).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_hardened_and_errors_are_all_of_one_form() {
    let world = World::start().await;
    let officer = world.tokens.officer.as_str();
    for (method, path, token) in [
        ("GET", "/health", ""),
        ("GET", "/nothing", ""),
        ("GET", "/nothing", officer),
        ("PUT", "/sql", officer),
        ("GET", "/datasets/%ff%fe", officer),
        ("GET", "/datasets/medical.rand_hie/twin?rows=many", officer),
        ("GET", "/contracts/..%2f..%2fetc", officer),
    ] {
        let got = world.call(method, path, token, None).await;
        assert_eq!(got.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(got.headers["cache-control"], "no-store", "{path}");
        assert_eq!(got.headers["content-type"], "application/json", "{path}");
        assert!(!got.headers.contains_key("access-control-allow-origin"));
        if got.status != 200 {
            let body = got.json();
            let code = body["code"].as_str().unwrap();
            assert!(body["message"].as_str().unwrap().starts_with(code), "{body}");
            assert!(body["message_zh"].as_str().unwrap().starts_with(code), "{body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_contract_or_the_role_nothing_is_answered_and_nothing_shown() {
    let world = World::start().await;
    for (token, expected) in [
        (&world.tokens.outsider, "contract-unknown"),
        (&world.tokens.officer, "role-forbidden"),
        (&world.tokens.auditor, "role-forbidden"),
    ] {
        assert_eq!(code(&world.raw(token).await.info_of(QUERY).await.unwrap_err()), expected);
        assert_eq!(world.ask_rest(QUERY, token).await.code(), expected);
    }
    let outsider = &world.tokens.outsider;
    assert_eq!(world.get("/contracts", outsider).await.json(), serde_json::json!({ "contracts": [] }));
    assert_eq!(world.get("/budget", outsider).await.json(), serde_json::json!({ "budgets": [] }));
    assert_eq!(world.get("/contracts/firm-visits", outsider).await.status, 404);
    assert_eq!(world.get("/contracts/firm-visits", &world.tokens.analyst).await.status, 200);
    let domains = |text: &str| text.contains("\"domain\"");
    assert!(!domains(&world.get("/budget", &world.tokens.analyst).await.text));
    assert!(domains(&world.get("/budget", &world.tokens.officer).await.text));
}
