//! Jobs that two officers decide on: who may, what the first vote tells, and what comes of both.

use glovebox_ledger::{ContractError, JobState, NewVerdict, Person};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Decision, Reason, Role, SignedVerdict, Verdict};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::support::{DAY, Fixture, NOON, charged, contract_text, cost, id, reason};

const TERM: (&str, &str) = ("2033-01-01T00:00:00Z", "2034-01-01T00:00:00Z");

fn high(name: &str) -> String {
    let text = contract_text(name, "medical.visits", "resident", cost(50, 0), cost(50, 0), TERM.0, TERM.1);
    text.replace("\n[budget]", "risk_class = \"high\"\n\n[budget]")
}

/// Registers an officer with a key.
fn officer(f: &Fixture, person: &str, org: &str, seed: u8) -> Ed25519KeyPair {
    let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let officer = Person { person: id(person), org: id(org), role: Role::Officer, name: person.to_owned() };
    f.ledger.add_person(&officer).unwrap();
    f.ledger.add_officer_key(&id(person), key.public_key().as_ref().try_into().unwrap()).unwrap();
    key
}

/// `olga` and `omar` of the bureau, a contract of the class `high`, and a job `j-1` under it.
fn fixture() -> (Fixture, Ed25519KeyPair) {
    let f = Fixture::new(cost(100, 0));
    let omar = officer(&f, "omar", "bureau", 21);
    f.ledger.add_contract(&f.sign(&high("c1")), NOON).unwrap();
    f.submit("j-1", "c1");
    (f, omar)
}

fn vote(f: &Fixture, key: &Ed25519KeyPair, verdict: &Verdict) -> Result<(), Reason> {
    let envelope = serde_json::to_vec(&sign_verdict(verdict, key).unwrap()).unwrap();
    let signed = SignedVerdict::verify(&envelope, &|key_id| f.ledger.officer_key(key_id).unwrap()).unwrap();
    reason(f.ledger.add_verdict(&NewVerdict { signed: &signed, now_unix_s: NOON }))
}

fn says(f: &Fixture, person: &str, decision: Decision, execute_by: i64, executions: u32) -> Verdict {
    Verdict { approver: id(person), ..f.verdict("j-1", decision, execute_by, executions) }
}

fn log(f: &Fixture) -> Vec<String> {
    let entries = f.ledger.entries(0, 1_000).unwrap();
    entries.into_iter().map(|entry| String::from_utf8(entry).unwrap()).collect()
}

#[test]
fn a_contract_needs_officers_who_could_decide() {
    let f = Fixture::new(cost(100, 0));
    let add = || match f.ledger.add_contract(&f.sign(&high("c1")), NOON) {
        Ok(()) => Ok(()),
        Err(ContractError::Refused(refusal)) => Err(refusal.reason()),
        Err(ContractError::Ledger(error)) => panic!("{error:?}"),
    };
    assert_eq!(add(), Err(Reason::OfficersMissing), "olga alone");
    // Neither the firm's own officer, nor one without a key, nor a second key of the same person helps.
    officer(&f, "fay", "firm", 22);
    let keyless = Person { person: id("nora"), org: id("bureau"), role: Role::Officer, name: "Nora".to_owned() };
    f.ledger.add_person(&keyless).unwrap();
    let second = Ed25519KeyPair::from_seed_unchecked(&[23; 32]).unwrap();
    f.ledger.add_officer_key(&id("olga"), second.public_key().as_ref().try_into().unwrap()).unwrap();
    assert_eq!(add(), Err(Reason::OfficersMissing));
    officer(&f, "omar", "bureau", 21);
    assert_eq!(add(), Ok(()));
    f.audit();
}

#[test]
fn one_vote_decides_nothing_and_tells_nothing() {
    let last = |decision| {
        let (f, omar) = fixture();
        vote(&f, &omar, &says(&f, "omar", decision, NOON + DAY, 1)).unwrap();
        let job = f.ledger.job(&id("j-1")).unwrap().unwrap().summary;
        assert_eq!((job.state, job.officers, job.is_decided()), (JobState::Waiting, 2, false));
        assert_eq!((job.execute_by_unix_s(), job.max_executions(), job.is_approved()), (None, 0, false));
        assert_eq!(f.refused(&f.job_order("j-1", 1, cost(1, 0))).reason(), Reason::ApprovalMissing);
        let again = says(&f, "omar", Decision::Approve, NOON + DAY, 1);
        assert_eq!(vote(&f, &omar, &again), Err(Reason::AlreadyDecided));
        f.audit();
        (log(&f).pop().unwrap(), job.verdicts[0].digest)
    };
    // Apart from what differs for every two envelopes, the entries are the same.
    let [yes, no] = [Decision::Approve, Decision::Reject].map(|decision| {
        let (entry, envelope) = last(decision);
        let parsed: serde_json::Value = serde_json::from_str(&entry).unwrap();
        let mut keys: Vec<_> = parsed.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        assert_eq!(parsed["envelope"], envelope.to_string());
        assert!(!entry.contains("approve\"") && !entry.contains("reject"), "{entry}");
        (keys, entry.len())
    });
    assert_eq!(yes, no);
    assert!(!yes.0.iter().any(|key| ["decision", "execute_by", "max_executions", "reason"].contains(&key.as_str())));
}

#[test]
fn both_must_say_yes_and_the_narrower_terms_hold() {
    use Decision::{Approve, Reject};
    for (olga, omar_says, outcome, state) in [
        (Approve, Approve, "approve", JobState::Approved),
        (Approve, Reject, "reject", JobState::Rejected),
        (Reject, Approve, "reject", JobState::Rejected),
        (Reject, Reject, "reject", JobState::Rejected),
    ] {
        let (f, omar) = fixture();
        vote(&f, &omar, &says(&f, "omar", omar_says, NOON + DAY, 3)).unwrap();
        f.decide(&says(&f, "olga", olga, NOON + 2 * DAY, 2), NOON).unwrap();
        let job = f.ledger.job(&id("j-1")).unwrap().unwrap().summary;
        assert_eq!(job.state, state);
        let entries = log(&f);
        let told = entries.last().unwrap();
        assert!(told.contains(r#""kind":"outcome""#) && told.contains(&format!(r#""decision":"{outcome}""#)), "{told}");
        let order = f.job_order("j-1", 1, cost(1, 0));
        if state == JobState::Approved {
            assert_eq!((job.execute_by_unix_s(), job.max_executions()), (Some(NOON + DAY), 2));
            assert_eq!(job.approvals().len(), 2);
            // An order that lists one of them is no order.
            let partly = glovebox_ledger::Order { approvals: job.approvals()[..1].to_vec(), ..order.clone() };
            assert!(f.charge(&partly).is_err());
            let _charge = charged(f.charge(&order).unwrap());
        } else {
            assert_eq!(f.refused(&order).reason(), Reason::JobClosed);
        }
        let late = officer(&f, "otto", "bureau", 24);
        assert_eq!(vote(&f, &late, &says(&f, "otto", Approve, NOON + DAY, 1)), Err(Reason::JobClosed));
        f.audit();
        f.reopen().audit();
    }
}

#[test]
fn a_store_that_lost_a_vote_or_its_outcome_is_found_out() {
    for (wrong, sql) in [
        ("an outcome is not that", "DROP TRIGGER outcome_no_delete; DELETE FROM outcome"),
        ("an outcome is not what", "DROP TRIGGER outcome_no_update; UPDATE outcome SET decision = 'reject'"),
        (
            "does not verify",
            "DROP TRIGGER verdict_no_update; UPDATE verdict SET max_executions = 9 WHERE person = 'olga'",
        ),
        ("an outcome is not that", "DROP TRIGGER verdict_no_delete; DELETE FROM verdict WHERE person = 'omar'"),
        ("a contract is not what", "DROP TRIGGER contract_fixed; UPDATE contract SET officers = 1"),
    ] {
        let (f, omar) = fixture();
        vote(&f, &omar, &says(&f, "omar", Decision::Approve, NOON + DAY, 1)).unwrap();
        f.approve("j-1", NOON + DAY, 1);
        f.audit();
        rusqlite::Connection::open(f.path()).unwrap().execute_batch(sql).unwrap();
        let error = f.ledger.verify_books().unwrap_err().to_string();
        assert!(error.contains(wrong), "{sql}: {error}");
    }
}

#[test]
fn a_second_firm_officer_cannot_stand_in() {
    let (f, _omar) = fixture();
    let fay = officer(&f, "fay", "firm", 22);
    assert_eq!(vote(&f, &fay, &says(&f, "fay", Decision::Approve, NOON + DAY, 1)), Err(Reason::OwnRequest));
    // Nor does one person with two keys count twice.
    let second = Ed25519KeyPair::from_seed_unchecked(&[23; 32]).unwrap();
    f.ledger.add_officer_key(&id("olga"), second.public_key().as_ref().try_into().unwrap()).unwrap();
    f.approve("j-1", NOON + DAY, 1);
    assert_eq!(vote(&f, &second, &says(&f, "olga", Decision::Approve, NOON + DAY, 1)), Err(Reason::AlreadyDecided));
}

#[test]
fn nobody_makes_jobs_cheaper_to_approve() {
    let (f, _omar) = fixture();
    // The fixture's contract has half of the domain; another one on the same data for the same firm.
    let text = |class: &str| high("c2").replace("risk_class = \"high\"", &format!("risk_class = \"{class}\""));
    let add = |text: &str| match f.ledger.add_contract(&f.sign(text), NOON) {
        Ok(()) => Ok(()),
        Err(ContractError::Refused(refusal)) => Err(refusal.reason()),
        Err(ContractError::Ledger(error)) => panic!("{error:?}"),
    };
    assert_eq!(add(&text("ordinary")), Err(Reason::ContractInvalid));
    assert_eq!(add(&text("high")), Ok(()));
    // An officer of the firm signs none of its contracts.
    let fay = officer(&f, "fay", "firm", 22);
    let envelope = serde_json::to_vec(&glovebox_policy::contract::sign_contract(&high("c3"), &fay).unwrap()).unwrap();
    let signed =
        glovebox_policy::SignedContract::verify(&envelope, &|key_id| f.ledger.officer_key(key_id).unwrap()).unwrap();
    let refused = f.ledger.add_contract(&signed, NOON).unwrap_err();
    assert!(matches!(refused, ContractError::Refused(refusal) if refusal.reason() == Reason::OwnRequest));
}
