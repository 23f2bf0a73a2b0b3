//! A process that dies: this very test program, started again as a child that aborts between two steps.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use glovebox_ledger::{Admission, Ledger};

use crate::support::{Fixture, charge, charged, claims, collected, cost, order, seal};

const ROLE: &str = "GLOVEBOX_LEDGER_TEST_ROLE";
const PATH: &str = "GLOVEBOX_LEDGER_TEST_PATH";

/// What the child does before it dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Death {
    BeforeCharge,
    AfterCharge,
    AfterRelease,
    AfterLost,
}

const DEATHS: [(&str, Death); 4] = [
    ("before-charge", Death::BeforeCharge),
    ("after-charge", Death::AfterCharge),
    ("after-release", Death::AfterRelease),
    ("after-lost", Death::AfterLost),
];

/// Not a test of its own: the part of the child. Passes at once unless it was started as one.
#[test]
fn child() {
    let Ok(role) = env::var(ROLE) else { return };
    let death = DEATHS.into_iter().find(|(name, _)| *name == role).unwrap().1;
    let ledger = Ledger::open(Path::new(&env::var_os(PATH).unwrap()), seal()).unwrap();
    if death != Death::BeforeCharge {
        let charge = charged(charge(&ledger, &order("c1", 1, cost(4, 0))).unwrap());
        match death {
            Death::AfterRelease => drop(ledger.commit_release(charge, b"answer", "", &claims()).unwrap()),
            Death::AfterLost => ledger.mark_lost(charge).unwrap(),
            Death::BeforeCharge | Death::AfterCharge => std::mem::forget(charge),
        }
    }
    std::process::abort();
}

/// Runs a child until it has died.
fn die(f: &Fixture, role: &str) {
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(PATH, f.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(6), "{role}: {status}");
    assert!(!status.success());
}

#[test]
fn what_was_committed_survives_the_process_and_nothing_else_does() {
    for (role, death) in DEATHS {
        let f = Fixture::with_contract(cost(10, 0));
        die(&f, role);
        let f = f.reopen();
        f.audit();
        let spent = if death == Death::BeforeCharge { cost(0, 0) } else { cost(4, 0) };
        assert_eq!((f.spent(), f.debited("c1")), (spent, spent), "{role}");
        let ask = order("c1", 1, cost(4, 0));
        let certified = f.ledger.certificate(ask.request, &ask.contract).unwrap().is_some();
        assert_eq!(certified, death == Death::AfterRelease, "{role}: certified with the release and never without");
        match (death, f.charge(&ask)) {
            (Death::BeforeCharge, Ok(Admission::Charged(charge))) => assert_eq!(charge.attempt(), 1),
            (Death::AfterCharge, Ok(Admission::Charged(charge))) => assert_eq!(charge.attempt(), 2),
            (Death::AfterRelease, Ok(admission @ Admission::Stored(_))) => {
                assert_eq!(collected(&f.ledger, admission).body(), b"answer");
            }
            (Death::AfterLost, Err(error)) => assert!(error.to_string().starts_with("lost")),
            (_, other) => panic!("{role}: {other:?}"),
        }
        assert_eq!(f.spent(), cost(4, 0), "{role}: never charged twice");
        f.audit();
    }
}

#[test]
fn a_process_that_dies_again_and_again_loses_the_request_and_not_the_ledger() {
    let mut f = Fixture::with_contract(cost(10, 0));
    for _ in 0..3 {
        die(&f, "after-charge");
    }
    f = f.reopen();
    assert_eq!(f.refused(&order("c1", 1, cost(4, 0))).reason(), glovebox_policy::Reason::Lost);
    assert_eq!((f.spent(), f.ledger.incidents().unwrap()), (cost(4, 0), 1));
    f.answer(&order("c1", 2, cost(6, 0)), b"next");
    assert_eq!(f.served(&order("c1", 2, cost(6, 0))).body(), b"next");
    f.audit();
}

/// The ledger's own writes cut off at any point: a child commits in a loop and is killed from outside.
#[test]
fn a_kill_in_the_middle_of_writing_leaves_a_sound_ledger() {
    let f = Fixture::with_contract(cost(1 << 40, 0));
    for round in 0..4_u64 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "crash::busy_child", "--nocapture", "--test-threads=1"])
            .env(ROLE, round.to_string())
            .env(PATH, f.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let before = f.ledger.tree_head().unwrap().size;
        while f.ledger.tree_head().unwrap().size < before + 20 + round * 7 {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        f.audit();
    }
    let f = f.reopen();
    f.audit();
    let released = f.ledger.entries(0, u32::MAX).unwrap();
    let count = |kind: &str| {
        let tag = format!(r#""kind":"{kind}""#);
        released.iter().filter(|entry| String::from_utf8_lossy(entry).contains(&tag)).count() as u64
    };
    assert_eq!(f.spent().rho.steps(), count("charge"));
    assert_eq!(count("certificate"), count("release"));
    assert!(count("charge") - count("release") <= 4, "at most one cut off in each round");
}

/// Not a test of its own: charges and releases until it is killed.
#[test]
fn busy_child() {
    let Ok(round) = env::var(ROLE) else { return };
    let ledger = Ledger::open(Path::new(&env::var_os(PATH).unwrap()), seal()).unwrap();
    let first = round.parse::<u64>().unwrap() * 1_000_000;
    for n in first..first + 100_000 {
        let charge = charged(charge(&ledger, &order("c1", n, cost(1, 0))).unwrap());
        let _ = ledger.commit_release(charge, b"answer", "", &claims()).unwrap();
    }
}

/// The write that debits a contract which asks for what is stored.
const PAYMENT: &str = "INSERT ON debit WHEN NEW.contract = 'c2'";

/// Every statement of the transactions that certify, failing in turn: all of the transaction happens, or nothing.
#[test]
fn a_failure_at_any_write_leaves_neither_release_nor_certificate() {
    let writes = [
        "INSERT ON log_entry WHEN NEW.entry LIKE '%\"kind\":\"release\"%'",
        "INSERT ON release",
        "INSERT ON log_entry WHEN NEW.entry LIKE '%\"kind\":\"certificate\"%'",
        "UPDATE ON log_head WHEN NEW.size >= (SELECT count(*) FROM log_entry) AND EXISTS (SELECT 1 FROM release)",
        "INSERT ON certificate",
        "INSERT ON log_entry WHEN NEW.entry LIKE '%\"kind\":\"serve\"%'",
        PAYMENT,
    ];
    for (n, write) in writes.iter().enumerate() {
        let f = Fixture::new(cost(20, 0));
        f.add("c1", cost(10, 0), cost(10, 0)).unwrap();
        f.add("c2", cost(10, 0), cost(10, 0)).unwrap();
        let (ask, reuse) = (order("c1", 1, cost(4, 0)), order("c2", 1, cost(4, 0)));
        let conn = rusqlite::Connection::open(f.path()).unwrap();
        let plant = format!("CREATE TRIGGER planted BEFORE {write} BEGIN SELECT RAISE(ABORT, 'cut off'); END");
        let only_reuse = n > 4;
        if only_reuse {
            f.answer(&ask, b"answer");
        }
        conn.execute_batch(&plant).unwrap();
        let failing = if only_reuse { &reuse } else { &ask };
        let size = if only_reuse {
            let size = f.ledger.tree_head().unwrap().size;
            match (charge(&f.ledger, &reuse), *write == PAYMENT) {
                (Err(_), true) => size,
                (Ok(Admission::Stored(claim)), false) => {
                    assert!(f.ledger.collect(claim).is_err(), "{write}");
                    size + 1
                }
                (other, _) => panic!("{write}: {other:?}"),
            }
        } else {
            let charge = f.run(&ask);
            let size = f.ledger.tree_head().unwrap().size;
            assert!(f.ledger.commit_release(charge, b"answer", "", &claims()).is_err(), "{write}");
            size
        };
        assert_eq!(f.ledger.tree_head().unwrap().size, size, "{write}");
        assert_eq!(f.ledger.certificate(failing.request, &failing.contract).unwrap(), None, "{write}");
        assert_eq!(f.ledger.release_of(ask.request).unwrap().is_some(), only_reuse, "{write}");
        let paid = if only_reuse && *write != PAYMENT { cost(4, 0) } else { cost(0, 0) };
        assert_eq!((f.debited("c1"), f.debited("c2")), (cost(4, 0), paid), "{write}");
        conn.execute_batch("DROP TRIGGER planted").unwrap();
        f.audit();
        if !only_reuse {
            f.answer(&ask, b"answer");
        }
        let _ = f.served(&reuse);
        for order in [&ask, &reuse] {
            assert!(f.ledger.certificate(order.request, &order.contract).unwrap().is_some(), "{write}");
        }
        f.audit();
    }
}
