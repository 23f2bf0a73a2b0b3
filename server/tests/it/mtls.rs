//! Client certificates on both faces: alone, beside tokens, and everything that is wrong with them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt as _};
use arrow_flight::{FlightDescriptor, FlightInfo, HandshakeRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox_policy::{Digest, Role};
use prost::Message as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::json;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};
use ureq::tls::{ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::fixture::QUERY;
use crate::pages_access::{OWN, sign_in};
use crate::world::{World, code};

/// An authority of client certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A client's certificate with its key, in PEM, and its fingerprint.
struct Client {
    certificate: String,
    key: String,
    fingerprint: Digest,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certifies a client for the days from and until now.
    fn certify(&self, from: i64, until: i64, purpose: ExtendedKeyUsagePurpose) -> Client {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "a client");
        params.extended_key_usages = vec![purpose];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let at = |days: i64| {
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs((now + days * 86_400).try_into().unwrap())
        };
        (params.not_before, params.not_after) = (at(from), at(until));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let fingerprint = Digest::of(certificate.der());
        Client { certificate: certificate.pem(), key: key.serialize_pem(), fingerprint }
    }

    fn client(&self) -> Client {
        self.certify(-1, 30, ExtendedKeyUsagePurpose::ClientAuth)
    }
}

async fn register(world: &World, person: &str, client: &Client) {
    let body = json!({"person": person, "fingerprint": client.fingerprint});
    let got = world.post("/certificates", &world.tokens.officer, &body).await;
    assert_eq!((got.status, &got.json()["officer"]), (201, &json!("officer")), "{got:?}");
}

/// The Flight service, with a certificate.
async fn service(world: &World, client: &Client) -> FlightServiceClient<Channel> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&world.ca))
        .identity(Identity::from_pem(&client.certificate, &client.key));
    let channel = Endpoint::from_shared(world.flight_url.clone()).unwrap().tls_config(tls).unwrap();
    FlightServiceClient::new(channel.connect().await.unwrap())
}

/// Asks over Flight with a certificate, and a token unless it is empty.
async fn flight(world: &World, client: &Client, token: &str) -> Result<FlightInfo, Status> {
    flight_with(world, client, token, None).await
}

/// The same with one header more.
async fn flight_with(
    world: &World,
    client: &Client,
    token: &str,
    header: Option<(&'static str, &str)>,
) -> Result<FlightInfo, Status> {
    let command = CommandStatementQuery { query: QUERY.to_owned(), transaction_id: None };
    let mut request = Request::new(FlightDescriptor::new_cmd(command.as_any().encode_to_vec()));
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    if let Some((name, value)) = header {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    service(world, client).await.get_flight_info(request).await.map(tonic::Response::into_inner)
}

/// Calls `GET /me` with a certificate, and a token unless it is empty; gives status and body.
async fn http(world: &World, client: &Client, token: &str, header: Option<(&str, &str)>) -> (u16, serde_json::Value) {
    let bearer = format!("Bearer {token}");
    let token = (!token.is_empty()).then_some(("authorization", bearer.as_str()));
    let headers: Vec<_> = token.into_iter().chain(header).collect();
    let (status, text) = fetched(world, client, "/api/v1/me", &headers).await;
    (status, serde_json::from_str(&text).unwrap())
}

/// Calls any path with a certificate; gives status and body.
async fn fetched(world: &World, client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let (ca, url) = (world.ca.clone(), format!("{}{path}", world.http_url));
    let certificate = ureq::tls::Certificate::from_pem(client.certificate.as_bytes()).unwrap();
    let key = PrivateKey::from_pem(client.key.as_bytes()).unwrap();
    let request = ureq::http::Request::builder().uri(url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    tokio::task::spawn_blocking(move || {
        let roots = RootCerts::new_with_certs(&[ureq::tls::Certificate::from_pem(&ca).unwrap()]);
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .client_cert(Some(ClientCert::new_with_certs(&[certificate], key)))
            .build();
        let config = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false);
        let agent: ureq::Agent = config.timeout_global(Some(Duration::from_secs(30))).build().into();
        let mut answer = agent.run(request.body(()).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), text)
    })
    .await
    .unwrap()
}

/// A refused certificate says why on both faces.
async fn refused(world: &World, client: &Client, token: &str, why: &str) {
    let status = flight(world, client, token).await.unwrap_err();
    assert_eq!(code(&status), "certificate-refused", "{why}");
    assert!(status.message().contains(why), "{}", status.message());
    let (status, body) = http(world, client, token, None).await;
    assert_eq!((status, &body["code"]), (401, &json!("certificate-refused")), "{why}");
    assert!(body["message"].as_str().unwrap().contains(why), "{body}");
    assert!(body["message_zh"].as_str().unwrap().contains("证书"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_certificate_is_its_person_on_both_faces_and_a_token_is_not_needed() {
    let authority = Authority::new("Firm CA");
    let world = World::start_with_clients(&authority.pem, &[]).await;
    let client = authority.client();
    refused(&world, &client, "", "not registered").await;
    register(&world, "analyst", &client).await;
    flight(&world, &client, "").await.unwrap();
    let (status, me) = http(&world, &client, "", None).await;
    assert_eq!((status, &me["person"]), (200, &json!("analyst")));
    // Beside the same person's token it changes nothing, and clients without one come in as before.
    flight(&world, &client, &world.tokens.analyst).await.unwrap();
    assert_eq!(http(&world, &client, &world.tokens.analyst, None).await.0, 200);
    world.client(&world.tokens.analyst).await.execute(QUERY).await.unwrap();
    assert_eq!(world.get("/me", "").await.status, 401);
    let listed = world.get("/certificates", &world.tokens.analyst).await.json();
    assert_eq!(listed["certificates"][0]["fingerprint"], json!(client.fingerprint));
    assert_eq!(world.get("/certificates", &world.tokens.analyst2).await.json(), json!({"certificates": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_and_certificate_are_of_one_person_and_both_are_good_or_nobody_comes_in() {
    let authority = Authority::new("Firm CA");
    let world = World::start_with_clients(&authority.pem, &[]).await;
    let client = authority.client();
    register(&world, "analyst", &client).await;
    for other in [&world.tokens.analyst2, &world.tokens.officer] {
        refused(&world, &client, other, "not of the person").await;
    }
    for bad in ["gbx_nonsense", world.tokens.expired.as_str()] {
        assert_eq!(code(&flight(&world, &client, bad).await.unwrap_err()), "unauthenticated");
        assert_eq!(http(&world, &client, bad, None).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_of_the_same_authority_and_name_is_another_certificate() {
    let authority = Authority::new("Firm CA");
    let world = World::start_with_clients(&authority.pem, &[]).await;
    register(&world, "analyst", &authority.client()).await;
    refused(&world, &authority.client(), "", "not registered").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_needs_a_certificate_comes_in_with_none_less() {
    let authority = Authority::new("Firm CA");
    let world = World::start_with_clients(&authority.pem, &[Role::Analyst]).await;
    let (client, analyst) = (authority.client(), &world.tokens.analyst);
    register(&world, "analyst", &client).await;
    let got = world.get("/me", analyst).await;
    assert_eq!((got.status, got.code().as_str()), (401, "certificate-refused"), "{got:?}");
    assert_eq!(code(&world.raw(analyst).await.info_of(QUERY).await.unwrap_err()), "certificate-refused");
    // A sign-in is no way round: neither is it made without the certificate, nor is it good without it.
    let basic = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{analyst}")));
    let sign_in = async |mut service: FlightServiceClient<Channel>, user| {
        let mut request = Request::new(futures::stream::iter([HandshakeRequest::default()]));
        request.metadata_mut().insert("authorization", basic(user).parse().unwrap());
        let answer = service.handshake(request).await?;
        Ok::<_, Status>(answer.metadata().get("authorization").unwrap().to_str().unwrap()["Bearer ".len()..].to_owned())
    };
    let bare = || async { FlightServiceClient::new(world.channel().await) };
    assert_eq!(code(&sign_in(bare().await, "analyst").await.unwrap_err()), "certificate-refused");
    // Who has no good token is not told whether the account would need one.
    assert_eq!(code(&sign_in(bare().await, "analyst2").await.unwrap_err()), "unauthenticated");
    let bearer = sign_in(service(&world, &client).await, "analyst").await.unwrap();
    flight(&world, &client, &bearer).await.unwrap();
    assert_eq!(code(&world.raw(&bearer).await.info_of(QUERY).await.unwrap_err()), "certificate-refused");
    // With it, alone or beside the token, they come in; other roles as before.
    flight(&world, &client, "").await.unwrap();
    assert_eq!(http(&world, &client, analyst, None).await.0, 200);
    assert_eq!(world.get("/me", &world.tokens.officer).await.status, 200);
    assert_eq!(world.get("/me", "gbx_nonsense").await.code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_certificate_is_said_and_no_token_makes_up_for_it() {
    let (authority, stranger) = (Authority::new("Firm CA"), Authority::new("Firm CA"));
    let world = World::start_with_clients(&authority.pem, &[]).await;
    let cases = [
        (authority.certify(-30, -1, ExtendedKeyUsagePurpose::ClientAuth), "past its time"),
        (authority.certify(1, 30, ExtendedKeyUsagePurpose::ClientAuth), "has not come"),
        (authority.certify(-1, 30, ExtendedKeyUsagePurpose::ServerAuth), "not for clients"),
    ];
    for (client, why) in &cases {
        register(&world, "analyst", client).await;
        refused(&world, client, "", why).await;
        refused(&world, client, &world.tokens.analyst, why).await;
    }
    let unknown = stranger.client();
    register(&world, "analyst", &unknown).await;
    let status = flight(&world, &unknown, &world.tokens.analyst).await.unwrap_err();
    assert_eq!(code(&status), "certificate-refused", "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_is_dead_on_an_open_connection_and_never_comes_back() {
    let authority = Authority::new("Firm CA");
    let world = World::start_with_clients(&authority.pem, &[]).await;
    let client = authority.client();
    register(&world, "analyst", &client).await;
    flight(&world, &client, "").await.unwrap();
    let path = format!("/certificates/{}", client.fingerprint);
    assert_eq!(world.call("DELETE", &path, &world.tokens.analyst2, None).await.status, 404, "somebody else's");
    assert_eq!(world.call("DELETE", &path, &world.tokens.analyst, None).await.status, 204);
    refused(&world, &client, "", "revoked").await;
    let body = json!({"person": "analyst", "fingerprint": client.fingerprint});
    assert_eq!(world.post("/certificates", &world.tokens.officer, &body).await.code(), "bad-request");
    assert_eq!(world.post("/certificates", &world.tokens.analyst, &body).await.code(), "role-forbidden");
    let nobody = json!({"person": "nobody", "fingerprint": Digest::of(b"x")});
    assert_eq!(world.post("/certificates", &world.tokens.officer, &nobody).await.code(), "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_use_a_browsers_certificate() {
    let authority = Authority::new("Firm CA");
    let world = World::start_with_clients(&authority.pem, &[]).await;
    let client = authority.client();
    register(&world, "analyst", &client).await;
    for header in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let (status, body) = http(&world, &client, "", Some(header)).await;
        assert_eq!((status, &body["code"]), (401, &json!("certificate-refused")), "{header:?}");
        assert_eq!(http(&world, &client, &world.tokens.analyst, Some(header)).await.0, 200, "{header:?}");
        let status = flight_with(&world, &client, "", Some(header)).await.unwrap_err();
        assert_eq!(code(&status), "certificate-refused", "{header:?}");
        flight_with(&world, &client, &world.tokens.analyst, Some(header)).await.unwrap();
    }
    for own in ["same-origin", "none"] {
        assert_eq!(http(&world, &client, "", Some(("sec-fetch-site", own))).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_authority_a_certificate_says_nothing() {
    let world = World::start().await;
    let client = Authority::new("Firm CA").client();
    register(&world, "analyst", &client).await;
    assert_eq!(code(&flight(&world, &client, "").await.unwrap_err()), "unauthenticated");
    flight(&world, &client, &world.tokens.analyst).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_pages_a_certificate_stands_for_the_token_and_must_be_of_the_sessions_person() {
    let authority = Authority::new("Bureau CA");
    let world = World::start_with_clients(&authority.pem, &[Role::Auditor]).await;
    let (client, unknown) = (authority.client(), authority.client());
    register(&world, "analyst", &client).await;
    let page = async |client: &Client, headers: &[(&str, &str)]| fetched(&world, client, "/?lang=en", headers).await;
    let (status, text) = page(&client, &[]).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("<b>analyst</b>") && !text.contains("/sign-out"), "there is no session to end");
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        assert_eq!(page(&client, &[foreign]).await.0, 401, "{foreign:?}");
    }
    let (status, text) = page(&unknown, &[]).await;
    assert!(status == 401 && text.contains("not registered"), "{status} {text}");

    let (own, other) = (sign_in(&world, &world.tokens.analyst).await, sign_in(&world, &world.tokens.analyst2).await);
    assert_eq!(page(&client, &[("cookie", &own)]).await.0, 200);
    let (status, text) = page(&client, &[("cookie", &other)]).await;
    assert!(status == 401 && text.contains("not of the person"), "{status} {text}");
    let (status, text) = page(&client, &[("cookie", "__Host-glovebox=gbs_1")]).await;
    assert!(status == 401 && !text.contains("<b>analyst</b>"), "a bad session is not made up for by a certificate");

    let auditor = format!("token={}", world.tokens.auditor);
    let got = world.browse("POST", "/sign-in", &[OWN], &auditor).await;
    assert_eq!((got.status, got.headers.contains_key("set-cookie")), (401, false), "the role needs a certificate");
}
