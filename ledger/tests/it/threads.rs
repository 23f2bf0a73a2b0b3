//! Eight threads on one ledger.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use glovebox_ledger::{Admission, ChargeError};
use glovebox_policy::Reason;

use crate::support::{Fixture, claims, cost, order};

const THREADS: u64 = 8;

#[test]
fn distinct_requests_never_pass_the_cap_and_use_all_of_it() {
    let f = Fixture::with_contract(cost(100, 0));
    let admitted = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (f, admitted) = (&f, &admitted);
            scope.spawn(move || {
                for n in 0..10 {
                    match f.charge(&order("c1", thread * 100 + n, cost(3, 0))) {
                        Ok(Admission::Charged(charge)) => {
                            admitted.fetch_add(1, Ordering::Relaxed);
                            let _ = f.ledger.commit_release(charge, &[thread as u8], "", &claims()).unwrap();
                        }
                        Err(ChargeError::Refused(refusal)) => {
                            assert_eq!(refusal.reason(), Reason::ContractBudgetSpent);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    assert_eq!((admitted.into_inner(), f.spent()), (33, cost(99, 0)));
    f.audit();
}

#[test]
fn one_request_from_all_threads_is_charged_and_released_once() {
    let f = Fixture::with_contract(cost(100, 0));
    let released = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (f, released) = (&f, &released);
            scope.spawn(move || {
                let ask = order("c1", 1, cost(3, 0));
                loop {
                    match f.charge(&ask).unwrap() {
                        Admission::Charged(charge) => {
                            assert_eq!(charge.attempt(), 1);
                            thread::yield_now();
                            let _ = f.ledger.commit_release(charge, &[thread as u8], "", &claims()).unwrap();
                            released.fetch_add(1, Ordering::Relaxed);
                        }
                        Admission::Stored(_) => break,
                        Admission::Running(_) => thread::yield_now(),
                    }
                }
            });
        }
    });
    assert_eq!((released.into_inner(), f.spent(), f.debited("c1")), (1, cost(3, 0), cost(3, 0)));
    assert_eq!(f.served(&order("c1", 1, cost(3, 0))).body().len(), 1);
    f.audit();
}
