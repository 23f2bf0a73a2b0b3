//! Sign-ins over `Handshake`: who gets a bearer token, what it is good for, and what a failure tells.

use arrow_flight::HandshakeRequest;
use arrow_flight::flight_service_client::FlightServiceClient;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use futures::TryStreamExt as _;
use serde_json::json;
use tonic::{Request, Status};

use crate::fixture::QUERY;
use crate::world::{World, code};

/// Signs in with an `authorization` header; gives the bearer token from the answer's header, which its payload repeats.
async fn handshake(world: &World, authorization: Option<&str>) -> Result<String, Status> {
    let mut client = FlightServiceClient::new(world.channel().await);
    let mut request = Request::new(futures::stream::iter([HandshakeRequest::default()]));
    if let Some(value) = authorization {
        request.metadata_mut().insert("authorization", value.parse().unwrap());
    }
    let response = client.handshake(request).await?;
    let header = response.metadata().get("authorization").unwrap().to_str().unwrap().to_owned();
    let answers: Vec<_> = response.into_inner().try_collect().await?;
    let bearer = header.strip_prefix("Bearer ").unwrap().to_owned();
    assert_eq!(answers.iter().map(|answer| answer.payload.to_vec()).collect::<Vec<_>>(), [bearer.as_bytes()]);
    Ok(bearer)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn account_and_token_give_a_bearer_that_asks_on_the_flight_face_alone() {
    let world = World::start().await;
    let token = &world.tokens.analyst2;
    let padded = basic("analyst2", token);
    let bare = format!("basic {}", STANDARD_NO_PAD.encode(format!("analyst2:{token}")));
    assert!(padded.ends_with('=') && !bare.ends_with('='), "the test has padding to leave away");
    for authorization in [padded, bare] {
        let bearer = handshake(&world, Some(&authorization)).await.unwrap();
        assert!(!bearer.contains(&token[4..68]), "the token itself does not come back");
        let rows = world.client(&bearer).await.execute(QUERY).await.unwrap();
        assert_eq!(rows.columns, crate::fixture::QUERY_COLUMNS);
        // A sign-in of minutes must not become a token of a year.
        for (method, path) in [("GET", "/me"), ("POST", "/tokens"), ("DELETE", "/tokens")] {
            assert_eq!(world.call(method, path, &bearer, None).await.status, 401, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_with_the_token_it_was_made_with() {
    let world = World::start().await;
    let new = json!({"person": "analyst", "days": 1});
    let token = world.post("/tokens", &world.tokens.officer, &new).await.json()["token"].as_str().unwrap().to_owned();
    let bearer = handshake(&world, Some(&basic("analyst", &token))).await.unwrap();
    let kept = handshake(&world, Some(&basic("analyst", &world.tokens.analyst))).await.unwrap();
    world.client(&bearer).await.execute(QUERY).await.unwrap();
    assert_eq!(world.call("DELETE", "/tokens", &token, None).await.status, 204);
    assert_eq!(code(&world.raw(&bearer).await.info_of(QUERY).await.unwrap_err()), "unauthenticated");
    world.client(&kept).await.execute(QUERY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_secret_passes_for_a_token() {
    let world = World::start().await;
    let token = &world.tokens.analyst;
    let bearer = handshake(&world, Some(&basic("analyst", token))).await.unwrap();
    // A sign-in does not make another, or it would outlive its longest time; what names a token for officers is no token.
    let digest = glovebox_policy::Digest::of(token.as_bytes()).to_string();
    let of_sign_in = glovebox_policy::Digest::of(bearer.as_bytes()).to_string();
    let forms = [bearer.clone(), digest.clone(), format!("gbs_{digest}"), format!("gbx_{digest}"), of_sign_in];
    for password in &forms {
        let status = handshake(&world, Some(&basic("analyst", password))).await.unwrap_err();
        assert_eq!(code(&status), "unauthenticated", "{password}");
    }
    for wrong in forms.iter().skip(1) {
        assert_eq!(code(&world.raw(wrong).await.info_of(QUERY).await.unwrap_err()), "unauthenticated", "{wrong}");
        assert_eq!(world.get("/me", wrong).await.status, 401, "{wrong}");
    }
    world.raw(&bearer).await.info_of(QUERY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_is_one_refusal_and_many_are_too_many() {
    let world = World::start().await;
    let (token, other) = (world.tokens.analyst.clone(), world.tokens.analyst2.clone());
    let headers = [
        Some(basic("analyst", "wrong:with:colons")),
        Some(basic("analyst", &format!("{token}:"))),
        Some(basic("analyst", &other)),
        Some(basic("nobody", &token)),
        Some(basic("", "")),
        Some(basic("analyst", &world.tokens.expired)),
        Some("Basic !!!".to_owned()),
        Some(format!("Basic {}", "A".repeat(8000))),
        Some(format!("Bearer {token}")),
        None,
    ];
    let mut messages = Vec::new();
    for header in &headers {
        let status = handshake(&world, header.as_deref()).await.unwrap_err();
        assert_eq!(code(&status), "unauthenticated", "{header:?}");
        messages.push(status.message().to_owned());
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let status = handshake(&world, Some(&basic("analyst", "wrong"))).await.unwrap_err();
    assert_eq!(code(&status), "too-many-attempts");
    // Who shares the address with somebody whose sign-ins fail is not locked out by them.
    handshake(&world, Some(&basic("analyst", &token))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn good_sign_ins_are_not_counted_and_their_number_is_bounded() {
    let world = World::start().await;
    let authorization = basic("analyst", &world.tokens.analyst);
    let first = handshake(&world, Some(&authorization)).await.unwrap();
    let mut last = first.clone();
    for _ in 0..256 {
        last = handshake(&world, Some(&authorization)).await.unwrap();
    }
    assert_eq!(code(&world.raw(&first).await.info_of(QUERY).await.unwrap_err()), "unauthenticated", "displaced");
    world.raw(&last).await.info_of(QUERY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_headers_are_refused_and_the_server_lives() {
    let world = World::start().await;
    for length in [2000, 30_000, 200_000] {
        let mut raw = world.raw(&"x".repeat(length)).await;
        assert!(raw.info_of(QUERY).await.is_err(), "{length}");
    }
    let got = world.get("/me", &"x".repeat(20_000)).await;
    assert_eq!((got.status, got.code().as_str()), (401, "unauthenticated"));
    world.client(&world.tokens.analyst).await.execute(QUERY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_and_ended_by_their_digest() {
    let world = World::start().await;
    let (analyst, officer) = (&world.tokens.analyst, &world.tokens.officer);
    let listed = world.get("/tokens", analyst).await;
    assert!(!listed.text.contains(&analyst[4..68]));
    let tokens = listed.json()["tokens"].as_array().unwrap().clone();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_eq!(world.get("/tokens?person=analyst", officer).await.json(), listed.json());
    assert_eq!(world.get("/tokens?person=officer", analyst).await.code(), "role-forbidden");
    let digest = glovebox_policy::Digest::of(analyst.as_bytes());
    let path = format!("/tokens/{digest}");
    assert_eq!(world.call("DELETE", &path, &world.tokens.analyst2, None).await.status, 404);
    assert_eq!(world.get("/me", analyst).await.status, 200);
    assert_eq!(world.call("DELETE", &path, officer, None).await.status, 204);
    assert_eq!(world.get("/me", analyst).await.status, 401);
    assert_eq!(world.call("DELETE", "/tokens/nonsense", officer, None).await.status, 404);
}
