//! Applications: one end each, in the transaction of the act, told of in the log.

use glovebox_ledger::{
    ApplicationEnd, ContractError, DAILY_APPLICATIONS_MAX, LedgerError, NewApplication, Person,
    WAITING_APPLICATIONS_MAX,
};
use glovebox_policy::{Cost, Reason, Role};

use crate::support::{Fixture, NOON, contract_text, cost, id, reason};

fn apply(f: &Fixture, name: &str, person: &str) -> Result<(), Reason> {
    apply_at(f, name, person, NOON)
}

fn apply_at(f: &Fixture, name: &str, person: &str, now_unix_s: i64) -> Result<(), Reason> {
    let new = NewApplication {
        application: id(name),
        person: id(person),
        dataset: id("medical.visits"),
        text: format!("text of {name}"),
        now_unix_s,
    };
    reason(f.ledger.apply(&new))
}

/// Adds a contract of `firm` that names an application.
fn answer(f: &Fixture, contract: &str, application: &str, allotment: Cost) -> Result<(), Reason> {
    let (starts, ends) = ("2033-01-01T00:00:00Z", "2034-01-01T00:00:00Z");
    let text = contract_text(contract, "medical.visits", "resident", allotment, allotment, starts, ends);
    let signed = f.sign(&format!("application = \"{application}\"\n{text}"));
    f.ledger.add_contract(&signed, NOON).map_err(|error| match error {
        ContractError::Refused(refusal) => refusal.reason(),
        ContractError::Ledger(error) => panic!("{error:?}"),
    })
}

fn end(f: &Fixture, name: &str) -> Option<ApplicationEnd> {
    f.ledger.application(&id(name)).unwrap().unwrap().end.map(|end| end.end)
}

/// A second firm with an analyst, and an officer of the first firm's own.
fn fixture() -> Fixture {
    let f = Fixture::new(cost(100, 0));
    let add = |person: &str, org: &str, role| {
        let name = person.to_owned();
        f.ledger.add_person(&Person { person: id(person), org: id(org), role, name }).unwrap();
    };
    add("omar", "other", Role::Analyst);
    add("fay", "firm", Role::Officer);
    f
}

#[test]
fn an_application_ends_once_by_contract_rejection_or_withdrawal() {
    let f = fixture();
    for name in ["a-1", "a-2", "a-3"] {
        apply(&f, name, "ana").unwrap();
        assert_eq!(end(&f, name), None);
    }
    answer(&f, "c1", "a-1", cost(10, 0)).unwrap();
    reason(f.ledger.reject_application(&id("a-2"), &id("olga"), " too much ", NOON)).unwrap();
    reason(f.ledger.withdraw_application(&id("a-3"), &id("ana"), NOON)).unwrap();
    let f = f.reopen();
    assert_eq!(end(&f, "a-1"), Some(ApplicationEnd::Granted(id("c1"))));
    assert_eq!(end(&f, "a-2"), Some(ApplicationEnd::Rejected("too much".to_owned())));
    assert_eq!(end(&f, "a-3"), Some(ApplicationEnd::Withdrawn));
    let size = f.ledger.tree_head().unwrap().size;
    for (number, name) in ["a-1", "a-2", "a-3"].into_iter().enumerate() {
        assert_eq!(answer(&f, &format!("d{number}"), name, cost(1, 0)), Err(Reason::ApplicationClosed));
        let rejected = f.ledger.reject_application(&id(name), &id("olga"), "no", NOON);
        assert_eq!(reason(rejected), Err(Reason::ApplicationClosed));
        let withdrawn = f.ledger.withdraw_application(&id(name), &id("ana"), NOON);
        assert_eq!(reason(withdrawn), Err(Reason::ApplicationClosed));
    }
    assert_eq!(f.ledger.tree_head().unwrap().size, size, "a refusal leaves nothing");
    assert_eq!(f.promised(), cost(10, 0));
    f.audit();
}

#[test]
fn nobody_ends_what_is_not_theirs() {
    let f = fixture();
    apply(&f, "a-1", "omar").unwrap();
    // The contract is one of `firm`.
    assert_eq!(answer(&f, "c1", "a-1", cost(10, 0)), Err(Reason::ApplicationClosed));
    assert_eq!(answer(&f, "c1", "a-9", cost(10, 0)), Err(Reason::ApplicationClosed));
    let withdrawn = f.ledger.withdraw_application(&id("a-1"), &id("ana"), NOON);
    assert_eq!(reason(withdrawn), Err(Reason::NotFound));
    apply(&f, "a-2", "ana").unwrap();
    assert_eq!(reason(f.ledger.reject_application(&id("a-2"), &id("fay"), "no", NOON)), Err(Reason::OwnRequest));
    assert_eq!(reason(f.ledger.reject_application(&id("a-9"), &id("olga"), "no", NOON)), Err(Reason::NotFound));
    assert_eq!(
        reason(f.ledger.reject_application(&id("a-2"), &id("olga"), " ", NOON)),
        Err(Reason::ApplicationInvalid)
    );
    // Who applies for more than the domain has left is told nothing; the contract is refused, and the application waits.
    assert_eq!(answer(&f, "c1", "a-2", cost(101, 0)), Err(Reason::AllotmentAboveDomain));
    assert_eq!(end(&f, "a-2"), None);
    f.audit();
}

#[test]
fn few_wait_at_a_time() {
    let f = fixture();
    for number in 0..WAITING_APPLICATIONS_MAX {
        apply(&f, &format!("a-{number}"), "ana").unwrap();
    }
    assert_eq!(apply(&f, "a-more", "ana"), Err(Reason::ApplicationsWaiting));
    apply(&f, "a-other", "omar").unwrap();
    reason(f.ledger.withdraw_application(&id("a-0"), &id("ana"), NOON)).unwrap();
    apply(&f, "a-more", "ana").unwrap();
    let mine = f.ledger.applications(Some(&id("firm"))).unwrap();
    assert_eq!(mine.len() as u32, WAITING_APPLICATIONS_MAX + 1);
    assert!(mine.iter().all(|it| it.org == id("firm")));
    assert_eq!(f.ledger.applications(None).unwrap().len(), mine.len() + 1);
}

#[test]
fn only_so_many_of_a_firm_are_kept_in_a_day() {
    let f = fixture();
    for number in 0..DAILY_APPLICATIONS_MAX {
        let name = format!("a-{number}");
        apply(&f, &name, "ana").unwrap();
        reason(f.ledger.withdraw_application(&id(&name), &id("ana"), NOON)).unwrap();
    }
    let size = f.ledger.tree_head().unwrap().size;
    assert_eq!(apply(&f, "a-more", "ana"), Err(Reason::ApplicationsToday));
    assert_eq!(apply_at(&f, "a-more", "ana", NOON + 86_399), Err(Reason::ApplicationsToday));
    assert_eq!(f.ledger.tree_head().unwrap().size, size, "a refusal leaves nothing");
    apply(&f, "a-other", "omar").unwrap();
    apply_at(&f, "a-more", "ana", NOON + 86_400).unwrap();
    f.audit();
}

#[test]
fn what_was_asked_and_answered_is_compared_with_the_log() {
    for change in [
        "DROP TRIGGER application_no_update; UPDATE application SET org = 'other'",
        "DROP TRIGGER application_no_update; UPDATE application SET text = 'another'",
        "DROP TRIGGER application_end_no_update; UPDATE application_end SET detail = 'c2'",
        "DROP TRIGGER application_end_no_update; UPDATE application_end SET decision = 'withdrawn'",
        "DROP TRIGGER application_end_no_delete; DELETE FROM application_end",
        "INSERT INTO application SELECT 'planted', person, org, dataset, text, digest, at, leaf - 1 FROM application",
    ] {
        let f = fixture();
        apply(&f, "a-1", "ana").unwrap();
        answer(&f, "c1", "a-1", cost(10, 0)).unwrap();
        f.audit();
        rusqlite::Connection::open(f.path()).unwrap().execute_batch(change).unwrap();
        assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))), "{change}");
    }
}
