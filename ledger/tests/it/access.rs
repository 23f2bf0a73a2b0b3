//! People, tokens, officers' keys.

use glovebox_ledger::LedgerError;
use glovebox_policy::{Cost, Digest, Role};

use crate::support::{DAY, Fixture, NOON, cost, id, order, person};

#[test]
fn people_are_registered_once_and_listed() {
    let f = Fixture::new(Cost::ZERO);
    assert!(matches!(f.ledger.add_person(&person("ana", Role::Officer)), Err(LedgerError::Exists { .. })));
    assert_eq!(f.ledger.people().unwrap(), [person("ana", Role::Analyst), person("olga", Role::Officer)]);
    let f = f.reopen();
    assert_eq!(f.ledger.people().unwrap().len(), 2);
}

#[test]
fn a_token_holds_until_it_expires_and_is_stored_as_a_digest_only() {
    let f = Fixture::new(Cost::ZERO);
    let token = f.ledger.issue_token(&id("ana"), NOON + 10, NOON).unwrap();
    let f = f.reopen();
    assert_eq!(f.ledger.authenticate(&token, NOON + 9).unwrap(), Some(person("ana", Role::Analyst)));
    assert_eq!(f.ledger.authenticate(&token, NOON + 10).unwrap(), None);
    assert_eq!(f.ledger.authenticate("", NOON).unwrap(), None);
    assert_eq!(f.ledger.authenticate(&token.replace("gbx_", "gby_"), NOON).unwrap(), None);
    let cards = f.ledger.tokens(&id("ana")).unwrap();
    assert_eq!(cards.len(), 1);
    assert_eq!((cards[0].digest, cards[0].expires_unix_s), (Digest::of(token.as_bytes()), NOON + 10));
    let secret = &token.as_bytes()[4..68];
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
        let bytes = std::fs::read(f.dir.path().join(name)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{name}");
    }
}

#[test]
fn a_clock_turned_back_revives_no_token() {
    let f = Fixture::with_contract(cost(5, 0));
    let token = f.ledger.issue_token(&id("ana"), NOON + DAY, NOON).unwrap();
    let _ = f.run(&crate::support::at(order("c1", 1, cost(1, 0)), NOON + DAY));
    assert_eq!(f.ledger.authenticate(&token, NOON).unwrap(), None);
}

#[test]
fn a_revoked_token_is_dead_and_the_others_live() {
    let f = Fixture::new(Cost::ZERO);
    let [one, two] = [0, 1].map(|_| f.ledger.issue_token(&id("ana"), NOON + DAY, NOON).unwrap());
    let digest = Digest::of(one.as_bytes());
    f.ledger.revoke_token(&digest).unwrap();
    let size = f.ledger.tree_head().unwrap().size;
    f.ledger.revoke_token(&digest).unwrap();
    assert_eq!(f.ledger.tree_head().unwrap().size, size);
    assert_eq!(f.ledger.authenticate(&one, NOON).unwrap(), None);
    assert!(f.ledger.authenticate(&two, NOON).unwrap().is_some());
    let revoked: Vec<bool> = f.ledger.tokens(&id("ana")).unwrap().iter().map(|card| card.revoked).collect();
    assert_eq!(revoked, [false, true]);
    assert!(matches!(f.ledger.revoke_token(&Digest::of(b"")), Err(LedgerError::Unknown { .. })));
    assert!(matches!(f.ledger.issue_token(&id("nobody"), NOON, NOON), Err(LedgerError::Unknown { .. })));
    f.audit();
}

#[test]
fn only_officers_have_keys_and_each_key_has_one_officer() {
    let f = Fixture::new(Cost::ZERO);
    let key = [9; 32];
    assert!(matches!(f.ledger.add_officer_key(&id("ana"), key), Err(LedgerError::Conflict(_))));
    let key_id = f.ledger.add_officer_key(&id("olga"), key).unwrap();
    assert_eq!(key_id, Digest::of(&key).to_string());
    assert_eq!(f.ledger.officer_key(&key_id).unwrap(), Some((id("olga"), key)));
    assert_eq!(f.ledger.officer_key("00").unwrap(), None);
    assert!(matches!(f.ledger.add_officer_key(&id("olga"), key), Err(LedgerError::Exists { .. })));
}

#[test]
fn the_log_names_accounts_and_no_person() {
    let f = Fixture::new(Cost::ZERO);
    let all = f.ledger.entries(0, 100).unwrap().concat();
    let text = String::from_utf8(all).unwrap();
    assert!(text.contains(r#""person":"ana""#) && !text.contains('某'));
}

#[test]
fn a_client_certificate_stands_for_one_person_until_it_is_revoked_for_good() {
    let f = Fixture::new(Cost::ZERO);
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let (ana, olga) = (id("ana"), id("olga"));
    assert_eq!(f.ledger.certificate_holder(&one).unwrap(), None);
    f.ledger.add_client_certificate(&ana, &one, &olga).unwrap();
    f.ledger.add_client_certificate(&olga, &two, &olga).unwrap();
    let f = f.reopen();
    assert_eq!(f.ledger.certificate_holder(&one).unwrap(), Some(person("ana", Role::Analyst)));
    for taken in [&ana, &olga] {
        let again = f.ledger.add_client_certificate(taken, &one, &olga);
        assert!(matches!(again, Err(LedgerError::Exists { .. })));
    }
    f.ledger.revoke_client_certificate(&one).unwrap();
    let size = f.ledger.tree_head().unwrap().size;
    f.ledger.revoke_client_certificate(&one).unwrap();
    assert_eq!(f.ledger.tree_head().unwrap().size, size);
    assert_eq!(f.ledger.certificate_holder(&one).unwrap(), None);
    assert!(f.ledger.certificate_holder(&two).unwrap().is_some());
    assert!(matches!(f.ledger.add_client_certificate(&ana, &one, &olga), Err(LedgerError::Exists { .. })));
    let listed = |person| -> Vec<_> {
        f.ledger.client_certificates(person).unwrap().into_iter().map(|card| (card.fingerprint, card.revoked)).collect()
    };
    assert_eq!(listed(None), [(two, false), (one, true)]);
    assert_eq!(listed(Some(&ana)), [(one, true)]);
    let unknown = f.ledger.add_client_certificate(&id("nobody"), &Digest::of(b"3"), &olga);
    assert!(matches!(unknown, Err(LedgerError::Unknown { .. })));
    assert!(matches!(f.ledger.revoke_client_certificate(&Digest::of(b"3")), Err(LedgerError::Unknown { .. })));
    f.audit();
}

#[test]
fn the_digest_of_a_token_finds_its_holder_as_the_token_does() {
    let f = Fixture::new(Cost::ZERO);
    let token = f.ledger.issue_token(&id("ana"), NOON + 10, NOON).unwrap();
    let digest = Digest::of(token.as_bytes());
    assert!(f.ledger.token_holder(&digest, NOON + 9).unwrap().is_some());
    assert_eq!(f.ledger.token_holder(&digest, NOON + 10).unwrap(), None);
    let token = f.ledger.issue_token(&id("ana"), NOON + DAY, NOON).unwrap();
    f.ledger.revoke_token(&Digest::of(token.as_bytes())).unwrap();
    assert_eq!(f.ledger.token_holder(&Digest::of(token.as_bytes()), NOON).unwrap(), None);
}

/// Whoever writes to the file cannot make people, keys or certificates that the log does not tell of.
#[test]
fn what_says_who_somebody_is_is_compared_with_the_log() {
    for change in [
        "DROP TRIGGER person_no_update; UPDATE person SET role = 'officer' WHERE person = 'ana'",
        "DROP TRIGGER officer_key_no_update; UPDATE officer_key SET public_key = zeroblob(32)",
        "INSERT INTO officer_key SELECT 'planted', 'ana', zeroblob(32), leaf FROM officer_key",
        "INSERT INTO token SELECT zeroblob(32), 'olga', issued_at, expires_at, leaf FROM token",
        "INSERT INTO client_certificate SELECT zeroblob(32), 'olga', officer, added_at, leaf FROM client_certificate",
    ] {
        let f = Fixture::new(Cost::ZERO);
        f.ledger.issue_token(&id("ana"), NOON + 10, NOON).unwrap();
        f.ledger.add_client_certificate(&id("ana"), &Digest::of(b"1"), &id("olga")).unwrap();
        f.audit();
        rusqlite::Connection::open(f.path()).unwrap().execute_batch(change).unwrap();
        assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))), "{change}");
    }
}
