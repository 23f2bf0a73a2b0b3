//! The log as auditors read it over REST, and as nobody else does.

use glovebox_ledger::tlog::checkpoint::Checkpoint;
use glovebox_ledger::tlog::note::VerifierKey;
use glovebox_ledger::tlog::offline::{verify_growth, verify_proof};
use glovebox_ledger::tlog::tile::{decode_bundle, decode_hashes};
use serde_json::{Value, json};

use crate::world::World;

async fn key(world: &World) -> VerifierKey {
    world.get("/log/key", &world.tokens.analyst).await.text.trim().parse().unwrap()
}

async fn head(world: &World) -> (Vec<u8>, Checkpoint) {
    let got = world.get("/log/checkpoint", &world.tokens.auditor).await;
    assert_eq!(got.headers["content-type"], "text/plain; charset=utf-8");
    let checkpoint = Checkpoint::verify(&got.bytes, &key(world).await).unwrap();
    (got.bytes, checkpoint)
}

#[tokio::test(flavor = "multi_thread")]
async fn analysts_read_nothing_of_the_log_but_its_key() {
    let world = World::start().await;
    for token in [&world.tokens.analyst, &world.tokens.outsider] {
        for path in [
            "/log",
            "/log?start=0&count=1",
            "/log/checkpoint",
            "/log/proof/0",
            "/log/consistency?old=0&new=1",
            "/log/tile/0/000.p/1",
            "/log/tile/entries/000.p/1",
        ] {
            let got = world.get(path, token).await;
            assert_eq!((got.status, got.code().as_str()), (403, "role-forbidden"), "{path}");
        }
        assert_eq!(world.get("/log/key", token).await.status, 200);
    }
    assert_eq!(world.get("/log/key", "").await.status, 401);
    for (token, person, org, role) in [
        (&world.tokens.analyst, "analyst", "firm", "analyst"),
        (&world.tokens.officer, "officer", "bureau", "officer"),
        (&world.tokens.auditor, "auditor", "bureau", "auditor"),
    ] {
        let me = world.get("/me", token).await.json();
        assert_eq!(me, json!({ "person": person, "org": org, "role": role }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_tiles_and_proofs_are_those_of_the_signed_log() {
    let world = World::start().await;
    let (token, key) = (&world.tokens.auditor, key(&world).await);
    let (_, head) = head(&world).await;
    let page = world.get("/log", token).await.json();
    let entries = page["entries"].as_array().unwrap();
    assert_eq!((page["size"].as_u64(), entries.len() as u64), (Some(head.size), head.size));
    assert_eq!(world.get("/log", &world.tokens.officer).await.json(), page);
    let part = world.get("/log?start=2&count=3", token).await.json();
    assert_eq!(part["entries"].as_array().unwrap(), &entries[2..5]);
    let beyond = world.get(&format!("/log?start={}", u64::MAX), token).await.json();
    assert_eq!(beyond, json!({ "size": head.size, "entries": [] }));

    let bundle = world.get(&format!("/log/tile/entries/000.p/{}", head.size), token).await;
    assert_eq!((bundle.status, bundle.headers["content-type"].to_str().unwrap()), (200, "application/octet-stream"));
    let stored = decode_bundle(&bundle.bytes).unwrap();
    let read: Vec<Value> = stored.iter().map(|entry| serde_json::from_slice(entry).unwrap()).collect();
    assert_eq!(&read, entries);
    let hashes = world.get(&format!("/log/tile/0/000.p/{}", head.size), token).await;
    assert_eq!(decode_hashes(&hashes.bytes).unwrap().len() as u64, head.size);
    for leaf in [0, head.size - 1] {
        let got = world.get(&format!("/log/proof/{leaf}"), token).await;
        assert_eq!(got.headers["content-type"], "text/plain; charset=utf-8");
        let proven = verify_proof(&got.bytes, None, &key).unwrap();
        assert_eq!((proven.index, proven.entry.as_slice()), (leaf, stored[usize::try_from(leaf).unwrap()]));
    }
    assert_eq!(world.get(&format!("/log/proof/{}", head.size), token).await.status, 404);
    for query in ["start=-1", "start=x", "count=4294967296", "size=1"] {
        assert_eq!(world.get(&format!("/log?{query}"), token).await.code(), "bad-request", "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_grows_and_proves_it() {
    let world = World::start().await;
    let token = &world.tokens.auditor;
    let (old_note, old) = head(&world).await;
    let person = json!({"person": "new-analyst", "org": "firm", "role": "analyst", "name": "x"});
    assert_eq!(world.post("/people", &world.tokens.officer, &person).await.status, 201);
    let (new_note, new) = head(&world).await;
    assert!(new.size > old.size);
    let got = world.get(&format!("/log/consistency?old={}&new={}", old.size, new.size), token).await.json();
    let hashes: Vec<[u8; 32]> = got["hashes"].as_array().unwrap().iter().map(hash).collect();
    verify_growth(&old_note, &new_note, &hashes, &key(&world).await).unwrap();
    for (old, new) in [(new.size, old.size), (0, new.size + 1), (u64::MAX, u64::MAX)] {
        let got = world.get(&format!("/log/consistency?old={old}&new={new}"), token).await;
        assert_eq!(got.code(), "bad-request", "{old} {new}");
    }
    for query in ["", "?old=1", "?old=1&new=x", "?old=1&new=2&old=3"] {
        assert_eq!(world.get(&format!("/log/consistency{query}"), token).await.code(), "bad-request", "{query}");
    }
}

fn hash(text: &Value) -> [u8; 32] {
    let digest: glovebox_policy::Digest = text.as_str().unwrap().parse().unwrap();
    *digest.as_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_of_tiles_lead_nowhere_else() {
    let world = World::start().await;
    for path in [
        "../checkpoint",
        "..%2fcheckpoint",
        "0/../0/000.p/1",
        "0/..%2f..%2f..%2fmaster.key",
        "%2e%2e/%2e%2e/ledger.sqlite",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "0/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/+1",
        "0/0.p/1",
        "0/x000/000.p/1",
        "64/000.p/1",
        "00/000.p/1",
        "0/999.p/1",
        "entries/../../checkpoint",
        "entries/000.p/1/",
        "entries/000.p/1%00",
        "0/18446744073709551615",
    ] {
        let got = world.get(&format!("/log/tile/{path}"), &world.tokens.auditor).await;
        assert_eq!((got.status, got.code().as_str()), (404, "not-found"), "{path}: {got:?}");
    }
    assert_eq!(world.get("/log/tile/0/000.p/1", &world.tokens.auditor).await.status, 200);
}
