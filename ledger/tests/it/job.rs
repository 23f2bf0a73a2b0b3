//! Jobs: what is kept of them, who may decide, and that nothing runs but what was approved, in time and so often.

use glovebox_ledger::{
    Admission, ChargeError, DAILY_JOBS_MAX, JobError, JobRun, JobState, LedgerError, MANIFEST_SUBJECT,
    MODULE_MAX_BYTES, NewCancellation, NewJob, NewVerdict, Order, Person, Subject, WAITING_JOBS_MAX,
};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Cost, Decision, Digest, Reason, Role, SignedVerdict, Subjects, Verdict};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rusqlite::Connection;

use crate::support::{DAY, Fixture, NOON, at, cost, id, new_job, order, reason};

/// Two contracts of 50 in a domain of 100, and a job `j-1` of the first.
fn fixture() -> Fixture {
    let f = Fixture::new(cost(100, 0));
    f.add("c1", cost(50, 0), cost(50, 0)).unwrap();
    f.add("c2", cost(50, 0), cost(50, 0)).unwrap();
    f.submit("j-1", "c1");
    f
}

fn state(f: &Fixture, job: &str) -> JobState {
    f.ledger.job(&id(job)).unwrap().unwrap().summary.state
}

fn conflict<T: std::fmt::Debug>(result: Result<T, ChargeError>) -> bool {
    matches!(result, Err(ChargeError::Ledger(LedgerError::Conflict(_))))
}

#[test]
fn a_job_comes_back_as_it_was_handed_in() {
    let f = fixture();
    f.submit("j-2", "c2");
    let f = f.reopen();
    let new = new_job("j-1", "c1");
    let job = f.ledger.job(&new.job).unwrap().unwrap();
    assert_eq!((&job.manifest, &job.module), (&new.manifest, &new.module));
    let summary = &job.summary;
    assert_eq!((summary.manifest, summary.module), (Digest::of(&new.manifest), Digest::of(&new.module)));
    assert_eq!((&summary.person, summary.org.as_str(), &summary.contract), (&new.person, "firm", &new.contract));
    assert_eq!((summary.submitted_unix_s, summary.expires_unix_s), (NOON, NOON + DAY));
    assert_eq!((summary.module_bytes, summary.state), (new.module.len() as u64, JobState::Waiting));
    assert_eq!(f.ledger.job_manifest(&new.job).unwrap(), Some(new.manifest));
    let all = f.ledger.jobs().unwrap();
    assert_eq!(all.iter().map(|job| job.job.as_str()).collect::<Vec<_>>(), ["j-2", "j-1"]);
    assert_eq!(all[1], job.summary);
    assert_eq!(f.ledger.job(&id("j-3")).unwrap(), None);
    assert_eq!(f.ledger.job_manifest(&id("j-3")).unwrap(), None);
    f.audit();
}

#[test]
fn the_log_names_a_job_by_digests_and_holds_no_text_of_it() {
    let f = fixture();
    f.decide(&f.verdict("j-1", Decision::Reject, NOON + DAY, 1), NOON).unwrap();
    let text = String::from_utf8(f.ledger.entries(0, 100).unwrap().concat()).unwrap();
    for kind in ["job", "verdict"] {
        assert_eq!(text.matches(&format!(r#""kind":"{kind}""#)).count(), 1);
    }
    let job = f.ledger.job(&id("j-1")).unwrap().unwrap().summary;
    for digest in [job.manifest, job.module, job.verdicts[0].digest] {
        assert!(text.contains(&digest.to_string()));
    }
    assert!(!text.contains("name =") && !text.contains("asm") && !text.contains("unclear"));
}

#[test]
fn what_cannot_be_handed_in_leaves_nothing() {
    let f = fixture();
    let size = f.ledger.tree_head().unwrap().size;
    let submit = |new: NewJob| f.ledger.submit_job(&new);
    let new = || new_job("j-2", "c1");
    assert_eq!(reason(submit(NewJob { contract: id("c9"), ..new() })), Err(Reason::ContractUnknown));
    let late = NewJob { now_unix_s: NOON + 400 * DAY, expires_unix_s: NOON + 500 * DAY, ..new() };
    assert_eq!(reason(submit(late)), Err(Reason::ContractInactive));
    for new in [NewJob { person: id("olga"), ..new() }, NewJob { expires_unix_s: NOON, ..new() }] {
        assert!(matches!(submit(new), Err(JobError::Ledger(LedgerError::Conflict(_)))));
    }
    for new in
        [NewJob { module: vec![0; MODULE_MAX_BYTES + 1], ..new() }, NewJob { manifest: vec![b' '; 65_537], ..new() }]
    {
        assert!(matches!(submit(new), Err(JobError::Ledger(LedgerError::TooLarge(_)))));
    }
    let unknown = NewJob { person: id("nobody"), ..new() };
    assert!(matches!(submit(unknown), Err(JobError::Ledger(LedgerError::Unknown { .. }))));
    assert!(matches!(submit(new_job("j-1", "c1")), Err(JobError::Ledger(LedgerError::Exists { .. }))));
    assert_eq!((f.ledger.tree_head().unwrap().size, f.ledger.jobs().unwrap().len()), (size, 1));
}

#[test]
fn only_so_many_jobs_of_a_firm_wait_at_a_time() {
    let f = fixture();
    let submit = |job: &str| reason(f.ledger.submit_job(&new_job(job, "c1")));
    for number in 2..=WAITING_JOBS_MAX {
        assert_eq!(submit(&format!("j-{number}")), Ok(()));
        assert_eq!(f.ledger.check_jobs_of(&id("firm")).is_ok(), number < WAITING_JOBS_MAX);
    }
    let size = f.ledger.tree_head().unwrap().size;
    assert_eq!(submit("one-more"), Err(Reason::JobsWaiting));
    assert_eq!(f.ledger.tree_head().unwrap().size, size, "nothing is written down");
    // A verdict, whichever, a cancellation and the end of its time each make room for one.
    f.decide(&f.verdict("j-2", Decision::Reject, NOON + DAY, 1), NOON).unwrap();
    assert_eq!((submit("in-2"), submit("no-2")), (Ok(()), Err(Reason::JobsWaiting)));
    f.decide(&f.verdict("j-3", Decision::Approve, NOON + DAY, 1), NOON).unwrap();
    assert_eq!((submit("in-3"), submit("no-3")), (Ok(()), Err(Reason::JobsWaiting)));
    f.ledger.cancel_job(&NewCancellation { job: id("j-4"), person: id("ana"), now_unix_s: NOON }).unwrap();
    assert_eq!((submit("in-4"), submit("no-4")), (Ok(()), Err(Reason::JobsWaiting)));
    let later = NewJob { now_unix_s: NOON + DAY, expires_unix_s: NOON + 2 * DAY, ..new_job("later", "c1") };
    assert_eq!(reason(f.ledger.submit_job(&later)), Ok(()));
    f.ledger.check_jobs_of(&id("another")).unwrap();
    f.audit();
}

#[test]
fn only_so_many_jobs_of_a_firm_are_kept_in_a_day() {
    let f = fixture();
    f.cancel("j-1");
    let at = |number: u32, now_unix_s| NewJob {
        now_unix_s,
        expires_unix_s: NOON + 9 * DAY,
        ..new_job(&format!("n-{number}"), "c1")
    };
    for number in 2..=DAILY_JOBS_MAX {
        assert_eq!(reason(f.ledger.submit_job(&at(number, NOON + 1))), Ok(()));
        f.cancel(&format!("n-{number}"));
    }
    // Calling them back makes no room; the first of them being a day old makes room for one.
    assert_eq!(reason(f.ledger.submit_job(&at(100, NOON + DAY - 1))), Err(Reason::JobsToday));
    assert_eq!(reason(f.ledger.submit_job(&at(100, NOON + DAY))), Ok(()));
    assert_eq!(reason(f.ledger.submit_job(&at(101, NOON + DAY))), Err(Reason::JobsToday));
    f.audit();
}

/// An officer of the very firm that hands jobs in, with a key.
fn officer_of_the_firm(f: &Fixture) -> Ed25519KeyPair {
    let key = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let fay = Person { person: id("fay"), org: id("firm"), role: Role::Officer, name: "Fay".to_owned() };
    f.ledger.add_person(&fay).unwrap();
    f.ledger.add_officer_key(&id("fay"), key.public_key().as_ref().try_into().unwrap()).unwrap();
    key
}

/// Signs for another officer than `olga`, verified against that officer's key alone.
fn signed_by(person: &str, key: &Ed25519KeyPair, verdict: &Verdict) -> SignedVerdict {
    let verdict = Verdict { approver: id(person), ..verdict.clone() };
    let envelope = serde_json::to_vec(&sign_verdict(&verdict, key).unwrap()).unwrap();
    let public: [u8; 32] = key.public_key().as_ref().try_into().unwrap();
    SignedVerdict::verify(&envelope, &|_| Some((id(person), public))).unwrap()
}

#[test]
fn a_verdict_is_refused_in_a_fixed_order_of_reasons() {
    let f = fixture();
    let fay = officer_of_the_firm(&f);
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[6; 32]).unwrap();
    let add = |signed: &SignedVerdict, now_unix_s| reason(f.ledger.add_verdict(&NewVerdict { signed, now_unix_s }));
    let good = f.verdict("j-1", Decision::Approve, NOON + 2 * DAY, 1);
    let changed = Verdict { subjects: Subjects { module: Digest::of(b"other"), ..good.subjects }, ..good.clone() };
    let late = Verdict { execute_by: chrono::DateTime::from_timestamp(NOON, 0).unwrap(), ..good.clone() };
    // Each is wrong in its own way and in every way that is checked after it.
    let unknown = Verdict { job: id("j-9"), ..changed.clone() };
    assert_eq!(add(&signed_by("fay", &stranger, &unknown), NOON), Err(Reason::NotFound));
    assert_eq!(add(&signed_by("fay", &stranger, &changed), NOON + DAY), Err(Reason::JobClosed));
    assert_eq!(add(&signed_by("fay", &fay, &changed), NOON), Err(Reason::OwnRequest));
    assert_eq!(add(&signed_by("olga", &stranger, &changed), NOON), Err(Reason::SignatureInvalid));
    assert_eq!(f.decide(&Verdict { execute_by: late.execute_by, ..changed }, NOON), Err(Reason::ApprovalInvalid));
    assert_eq!(f.decide(&late, NOON), Err(Reason::ApprovalExpired));
    assert_eq!(f.decide(&good, NOON + DAY - 1), Ok(()));
    assert_eq!(f.decide(&good, NOON + DAY - 1), Err(Reason::JobClosed));
    assert_eq!(add(&signed_by("fay", &fay, &good), NOON + DAY - 1), Err(Reason::JobClosed));
    let kept = f.ledger.job(&id("j-1")).unwrap().unwrap().summary;
    assert_eq!((kept.verdicts.len(), kept.state), (1, JobState::Approved));
    assert_eq!(kept.verdicts[0].envelope, f.signed(&good).envelope());
    assert_eq!(kept.approvals(), [f.signed(&good).digest()]);
    f.audit();
}

#[test]
fn who_calls_a_job_back_is_of_the_firm_and_comes_before_the_verdict() {
    let f = fixture();
    officer_of_the_firm(&f);
    let cancel = |job: &str, person: &str, now_unix_s| {
        reason(f.ledger.cancel_job(&NewCancellation { job: id(job), person: id(person), now_unix_s }))
    };
    assert_eq!(cancel("j-9", "ana", NOON), Err(Reason::NotFound));
    assert_eq!(cancel("j-1", "olga", NOON), Err(Reason::NotFound));
    assert_eq!(cancel("j-1", "ana", NOON + DAY), Err(Reason::JobClosed));
    assert_eq!(cancel("j-1", "fay", NOON), Ok(()));
    assert_eq!(cancel("j-1", "ana", NOON), Err(Reason::JobClosed));
    assert_eq!(state(&f, "j-1"), JobState::Cancelled);
    assert_eq!(f.decide(&f.verdict("j-1", Decision::Approve, NOON + DAY, 1), NOON), Err(Reason::JobClosed));
    for (job, decision, after) in
        [("j-2", Decision::Approve, JobState::Approved), ("j-3", Decision::Reject, JobState::Rejected)]
    {
        f.submit(job, "c1");
        f.decide(&f.verdict(job, decision, NOON + DAY, 1), NOON).unwrap();
        assert_eq!(cancel(job, "ana", NOON), Err(Reason::JobClosed));
        assert_eq!(state(&f, job), after);
    }
    f.audit();
}

#[test]
fn a_job_runs_only_as_approved_and_the_reasons_come_in_a_fixed_order() {
    let f = fixture();
    // Dearer than the contract has: what is refused for the job is refused before the budget is looked at.
    let dear = cost(51, 0);
    let refused = |order: &Order| {
        let refusal = f.refused(order);
        (refusal.reason(), refusal.quotation().unwrap().to_owned())
    };
    let job = |reason| (reason, "j-1".to_owned());
    let run = f.job_order("j-1", 1, dear);
    let inactive = at(run.clone(), NOON + 400 * DAY);
    assert_eq!(refused(&inactive), (Reason::ContractInactive, "c1".to_owned()));
    let unknown = Order { job: Some(JobRun { job: id("j-9") }), ..run.clone() };
    assert_eq!(refused(&unknown), (Reason::NotFound, "j-9".to_owned()));
    assert_eq!(refused(&Order { contract: id("c2"), ..run.clone() }), job(Reason::NotFound));
    assert_eq!(refused(&run), job(Reason::ApprovalMissing));
    f.approve("j-1", NOON + DAY, 1);
    let run = f.job_order("j-1", 1, dear);
    assert_eq!(refused(&at(run.clone(), NOON + DAY)), job(Reason::ApprovalExpired));
    assert_eq!(refused(&at(run.clone(), NOON + DAY - 1)), (Reason::ContractBudgetSpent, "c1".to_owned()));
    assert_eq!(f.ledger.job(&id("j-1")).unwrap().unwrap().summary.runs, []);
    let _ = f.run(&f.job_order("j-1", 1, cost(4, 0)));
    assert_eq!(refused(&f.job_order("j-1", 2, dear)), job(Reason::ExecutionsSpent));
    assert_eq!(refused(&at(f.job_order("j-1", 2, dear), NOON + DAY)), job(Reason::ApprovalExpired));
    f.submit("j-2", "c1");
    f.decide(&f.verdict("j-2", Decision::Reject, NOON + DAY, 1), NOON).unwrap();
    f.submit("j-3", "c1");
    f.cancel("j-3");
    for closed in ["j-2", "j-3"] {
        let late = at(f.job_order(closed, 3, dear), NOON + DAY);
        assert_eq!(refused(&late), (Reason::JobClosed, closed.to_owned()));
    }
    assert_eq!(f.spent(), cost(4, 0));
    f.audit();
}

#[test]
fn executions_are_counted_by_request_and_the_same_request_needs_no_other() {
    let f = fixture();
    f.approve("j-1", NOON + DAY, 2);
    let first = f.job_order("j-1", 1, cost(4, 0));
    drop(f.run(&first));
    let f = f.reopen();
    let charge = f.run(&first);
    assert_eq!(charge.attempt(), 2, "cut off and run again: still the first execution");
    assert!(matches!(f.charge(&first).unwrap(), Admission::Running(_)));
    let _ = f.ledger.commit_release(charge, b"answer", "", &crate::support::claims()).unwrap();
    for _ in 0..3 {
        assert_eq!(f.served(&first).body(), b"answer");
    }
    f.answer(&f.job_order("j-1", 2, cost(5, 0)), b"next");
    assert_eq!(f.refused(&f.job_order("j-1", 3, cost(1, 0))).reason(), Reason::ExecutionsSpent);
    assert_eq!(f.served(&first).body(), b"answer", "what ran before stays available");
    let runs = f.ledger.job(&id("j-1")).unwrap().unwrap().summary.runs;
    let numbered: Vec<_> = runs.iter().map(|run| (run.number, run.request)).collect();
    assert_eq!(numbered, [(1, first.request), (2, f.job_order("j-1", 2, Cost::ZERO).request)]);
    assert_eq!((f.spent(), f.debited("c1")), (cost(9, 0), cost(9, 0)));
    f.audit();
}

#[test]
fn a_refusal_for_want_of_budget_and_a_lost_request_count_no_execution() {
    let f = fixture();
    f.approve("j-1", NOON + DAY, 1);
    assert_eq!(f.refused(&f.job_order("j-1", 1, cost(51, 0))).reason(), Reason::ContractBudgetSpent);
    f.ledger.mark_lost(f.run(&order("c2", 2, cost(4, 0)))).unwrap();
    assert_eq!(f.refused(&f.job_order("j-1", 2, cost(4, 0))).reason(), Reason::Lost);
    let _ = f.run(&f.job_order("j-1", 3, cost(4, 0)));
    f.audit();
}

#[test]
fn what_a_job_is_told_does_not_depend_on_what_others_ran() {
    let asks = [(1, 4), (2, 4), (1, 4), (3, 4), (4, 60)];
    let seen = |before: &dyn Fn(&Fixture)| -> Vec<Result<(), Reason>> {
        let f = fixture();
        f.approve("j-1", NOON + DAY, 2);
        f.submit("other", "c2");
        f.approve("other", NOON + DAY, 9);
        before(&f);
        let seen = asks.iter().map(|(request, rho)| match f.charge(&f.job_order("j-1", *request, cost(*rho, 0))) {
            Ok(Admission::Charged(charge)) => {
                let _ = f.ledger.commit_release(charge, b"x", "", &crate::support::claims()).unwrap();
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(ChargeError::Refused(refusal)) => Err(refusal.reason()),
            Err(ChargeError::Ledger(error)) => panic!("{error:?}"),
        });
        let seen = seen.collect();
        f.audit();
        seen
    };
    let alone = seen(&|_| {});
    let spent = Err(Reason::ExecutionsSpent);
    assert_eq!(alone, [Ok(()), Ok(()), Ok(()), spent, spent]);
    let answered = seen(&|f| {
        for request in [1, 2, 3] {
            f.answer(&f.job_order("other", request, cost(4, 0)), b"x");
        }
    });
    assert_eq!(answered, alone);
    let cut_off = seen(&|f| drop(f.run(&f.job_order("other", 2, cost(4, 0)))));
    assert_eq!(cut_off, alone);
}

#[test]
fn a_clock_turned_back_revives_nothing() {
    let f = fixture();
    f.submit("j-2", "c1");
    f.approve("j-1", NOON + DAY, 2);
    let _ = f.run(&at(order("c1", 9, cost(1, 0)), NOON + DAY));
    let f = f.reopen();
    for now in [NOON, 0, -1, i64::MIN] {
        let run = at(f.job_order("j-1", 1, cost(4, 0)), now);
        assert_eq!(f.refused(&run).reason(), Reason::ApprovalExpired, "{now}");
        assert_eq!(f.decide(&f.verdict("j-2", Decision::Approve, NOON + 9 * DAY, 1), now), Err(Reason::JobClosed));
        let cancel = NewCancellation { job: id("j-2"), person: id("ana"), now_unix_s: now };
        assert_eq!(reason(f.ledger.cancel_job(&cancel)), Err(Reason::JobClosed));
    }
    assert_eq!((state(&f, "j-1"), state(&f, "j-2")), (JobState::Expired, JobState::Expired));
}

#[test]
fn orders_that_contradict_the_job_or_the_contract_charge_nothing() {
    let f = fixture();
    f.approve("j-1", NOON + DAY, 1);
    let good = f.job_order("j-1", 1, cost(4, 0));
    let subject = |name, bytes: &[u8]| Subject { name, digest: Digest::of(bytes) };
    let with = |subjects| Order { subjects, ..good.clone() };
    let [manifest, module] = [good.subjects[0].clone(), good.subjects[1].clone()];
    let bad = [
        Order { approvals: Vec::new(), ..good.clone() },
        Order { approvals: [good.approvals.clone(), good.approvals.clone()].concat(), ..good.clone() },
        Order { approvals: vec![Digest::of(b"other")], ..good.clone() },
        with(Vec::new()),
        with(vec![manifest.clone()]),
        with(vec![manifest.clone(), subject("code", b"other")]),
        with(vec![subject(MANIFEST_SUBJECT, b"other"), module.clone()]),
        with(vec![manifest.clone(), module.clone(), manifest.clone()]),
        with(vec![manifest.clone(), module.clone(), subject("result", b"")]),
        with(vec![manifest, module, subject("request", b"")]),
        Order { job: None, ..good.clone() },
    ];
    let size = f.ledger.tree_head().unwrap().size;
    for order in bad {
        assert!(conflict(f.charge(&order)), "{order:?}");
    }
    let other_terms = Order { contract_digest: Digest::of(b"other"), ..good.clone() };
    assert!(conflict(f.ledger.charge(&other_terms)));
    assert_eq!((f.spent(), f.ledger.tree_head().unwrap().size), (Cost::ZERO, size));
    let _ = f.run(&good);
    f.audit();
}

#[test]
fn what_officers_signed_counts_and_not_what_a_column_holds() {
    let changes = [
        ("verdict", "UPDATE verdict SET max_executions = 9"),
        ("verdict", "UPDATE verdict SET execute_by = execute_by + 1"),
        ("verdict", "UPDATE verdict SET person = 'ana'"),
        ("verdict", "UPDATE verdict SET envelope = x'00'"),
        ("verdict", "UPDATE verdict SET envelope = (SELECT envelope FROM contract LIMIT 1)"),
        ("job", "UPDATE job SET manifest = x'00' WHERE job = 'j-1'"),
        ("job", "UPDATE job SET module = x'00' WHERE job = 'j-1'"),
        ("job", "UPDATE job SET module_digest = zeroblob(32) WHERE job = 'j-1'"),
        ("cancellation", "INSERT INTO cancellation VALUES ('j-2', 'ana', 0, 1)"),
        ("job_run", "DELETE FROM job_run"),
        ("verdict", "DELETE FROM verdict"),
    ];
    for (table, change) in changes {
        let f = fixture();
        f.submit("j-2", "c1");
        f.approve("j-1", NOON + DAY, 2);
        let _ = f.run(&f.job_order("j-1", 1, cost(4, 0)));
        f.audit();
        let conn = Connection::open(f.path()).unwrap();
        for rule in ["no_update", "no_delete"] {
            conn.execute_batch(&format!("DROP TRIGGER {table}_{rule}")).unwrap();
        }
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        let next = f.job_order("j-1", 2, cost(4, 0));
        assert_eq!(conn.execute(change, []).unwrap(), 1, "{change}");
        assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))), "{change}");
        if change.starts_with("UPDATE verdict") {
            let error = f.charge(&next).unwrap_err();
            assert!(matches!(error, ChargeError::Ledger(LedgerError::Corrupt(_))), "{change}: {error:?}");
        }
        if change.starts_with("UPDATE") {
            assert!(matches!(f.ledger.job(&id("j-1")), Err(LedgerError::Corrupt(_))), "{change}");
        }
    }
}
