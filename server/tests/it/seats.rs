//! No firm keeps the others out: one whose requests all hang is told that the service is busy, over every face, and it alone.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow_flight::FlightData;
use arrow_flight::sql::CommandGetCatalogs;
use glovebox_server::limits::{REQUESTS_PER_ORG, STREAMS_PER_CONNECTION};

use crate::pages_access::{open, sign_in};
use crate::world::{World, code};

/// The status of a small call, once it is the one that is waited for.
async fn until(world: &World, token: &str, status: u16) -> bool {
    for _ in 0..100 {
        if world.get("/me", token).await.status == status {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// A body that does not come until it is let go.
struct Pending(Arc<AtomicBool>);

impl Read for Pending {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        while !self.0.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(0)
    }
}

/// Begins a call that this role may not make, on a thread of its own.
fn forbidden(world: &World, token: &str, body: Pending) -> std::thread::JoinHandle<()> {
    let (url, ca, token) = (format!("{}/api/v1/people", world.http_url), world.ca.clone(), token.to_owned());
    std::thread::spawn(move || {
        let roots = ureq::tls::RootCerts::new_with_certs(&[ureq::tls::Certificate::from_pem(&ca).unwrap()]);
        let tls = ureq::tls::TlsConfig::builder().root_certs(roots).build();
        let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
        let request = ureq::http::Request::builder().method("POST").uri(url);
        let request = request.header("authorization", format!("Bearer {token}"));
        // How it ends is nobody's concern: it is there to hold a place.
        let _ = agent.run(request.body(ureq::SendBody::from_owned_reader(body)).unwrap());
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_refused_and_not_over_count_too() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let over = Arc::new(AtomicBool::new(false));
    let hanging: Vec<_> =
        (0..REQUESTS_PER_ORG).map(|_| forbidden(&world, &tokens.analyst, Pending(Arc::clone(&over)))).collect();
    let full = until(&world, &tokens.analyst, 503).await;
    let other = world.get("/me", &tokens.outsider).await.status;
    over.store(true, Ordering::Relaxed);
    assert!(full, "what is read away holds a place of the firm");
    assert_eq!(other, 200);
    tokio::task::spawn_blocking(|| hanging.into_iter().for_each(|thread| thread.join().unwrap())).await.unwrap();
    assert!(until(&world, &tokens.analyst, 200).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firm_has_its_share_of_places_and_no_more() {
    let world = World::start().await;
    let tokens = &world.tokens;
    let (analyst, outsider) = (sign_in(&world, &tokens.analyst).await, sign_in(&world, &tokens.outsider).await);
    let (mut own, mut others) = (world.raw(&tokens.analyst).await, world.raw(&tokens.outsider).await);

    // As many calls as the firm may have, of two people, whose bodies never come.
    let mut hanging = Vec::new();
    for (number, token) in [&tokens.analyst, &tokens.analyst2].into_iter().cycle().take(REQUESTS_PER_ORG).enumerate() {
        if number % (STREAMS_PER_CONNECTION as usize / 4) == 0 {
            own = world.raw(token).await;
        }
        let mut client = own.inner.clone();
        let request = own.request(futures::stream::pending::<FlightData>());
        hanging.push(tokio::spawn(async move { client.do_put(request).await.map(|_| ()) }));
    }
    assert!(until(&world, &tokens.analyst, 503).await, "the firm has its share");

    for token in [&tokens.analyst, &tokens.analyst2] {
        assert_eq!(world.get("/datasets", token).await.code(), "busy");
        assert_eq!(code(&world.raw(token).await.info(&CommandGetCatalogs {}).await.unwrap_err()), "busy");
    }
    let page = open(&world, "/", &analyst).await;
    assert!(page.status == 503 && page.text.contains("busy: "), "{page:?}");
    // Whoever is somebody else notices nothing, and neither does a page that is for everybody.
    for token in [&tokens.outsider, &tokens.officer, &tokens.auditor] {
        assert_eq!(world.get("/me", token).await.status, 200);
    }
    assert!(others.info(&CommandGetCatalogs {}).await.is_ok());
    assert_eq!(open(&world, "/", &outsider).await.status, 200);
    assert_eq!((world.get("/health", "").await.status, open(&world, "/style.css", "").await.status), (200, 200));
    assert_eq!(world.get("/me", "gbx_nonsense").await.status, 401, "no token, no share");

    hanging.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(until(&world, &tokens.analyst, 200).await, "places come back when the calls are over");
    assert_eq!(open(&world, "/", &analyst).await.status, 200);
}
