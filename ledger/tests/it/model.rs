//! Random histories against a reference ledger of a few lines.

use std::collections::{BTreeMap, BTreeSet};

use glovebox_ledger::{Admission, Charge, ChargeError, MAX_RESUMES, Progress};
use glovebox_policy::Reason;
use proptest::prelude::*;

use crate::support::{DAY, Fixture, NOON, at, claims, collected, cost, order};

const CAP: u64 = 40;
const CONTRACTS: [(&str, u64, u64); 2] = [("c1", 24, 9), ("c2", 16, 12)];

#[derive(Debug, Clone)]
enum Step {
    /// Contract asks request; `keep` holds the charge instead of finishing it.
    Ask { contract: usize, request: u64, end: End },
    /// Finishes the oldest held charge.
    Finish { release: bool },
    /// The clock moves, also backwards.
    Clock(i64),
    /// The process dies: held charges are gone.
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Release,
    Drop,
    Lose,
    Hold,
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![4 => Just(End::Release), 2 => Just(End::Drop), 1 => Just(End::Lose), 2 => Just(End::Hold)];
    prop_oneof![
        12 => (0..2_usize, 0..9_u64, end).prop_map(|(contract, request, end)| Step::Ask { contract, request, end }),
        2 => any::<bool>().prop_map(|release| Step::Finish { release }),
        2 => (-2..3_i64).prop_map(|days| Step::Clock(days * DAY)),
        1 => Just(Step::Crash),
    ]
}

#[derive(Debug, Default, Clone)]
struct Request {
    attempts: u32,
    paid_by: BTreeSet<usize>,
    certified: BTreeSet<usize>,
    running: bool,
    released: bool,
    lost: bool,
}

#[derive(Debug, PartialEq)]
enum Expected {
    Run(u32),
    Stored,
    Running,
    Refused(Reason),
}

/// The reference: what the rules say, in memory.
#[derive(Debug, Default)]
struct Model {
    last_seen: i64,
    spent: u64,
    debited: [u64; 2],
    by_day: BTreeMap<(usize, i64), u64>,
    requests: BTreeMap<u64, Request>,
}

fn price(request: u64) -> u64 {
    request % 4 + 1
}

impl Model {
    fn ask(&mut self, contract: usize, request: u64, now: i64) -> Expected {
        let price = price(request);
        let time = self.last_seen.max(now);
        let (_, allotment, per_day) = CONTRACTS[contract];
        let known = self.requests.get(&request).cloned().unwrap_or_default();
        let today = self.by_day.get(&(contract, time / DAY)).copied().unwrap_or(0);
        let paid = known.paid_by.contains(&contract);
        if !paid && self.debited[contract] + price > allotment {
            return Expected::Refused(Reason::ContractBudgetSpent);
        }
        if !paid && today + price > per_day {
            return Expected::Refused(Reason::DayBudgetSpent);
        }
        self.last_seen = time;
        if known.lost {
            return Expected::Refused(Reason::Lost);
        }
        let entry = self.requests.entry(request).or_default();
        if !known.released && !known.running && known.attempts > MAX_RESUMES {
            entry.lost = true;
            return Expected::Refused(Reason::Lost);
        }
        if !paid {
            entry.paid_by.insert(contract);
            self.debited[contract] += price;
            *self.by_day.entry((contract, time / DAY)).or_default() += price;
        }
        if known.released {
            entry.certified.insert(contract);
            return Expected::Stored;
        }
        if known.running {
            return Expected::Running;
        }
        if known.attempts == 0 {
            self.spent += price;
        }
        entry.attempts += 1;
        entry.running = true;
        Expected::Run(entry.attempts)
    }

    fn end(&mut self, request: u64, released: bool, lost: bool) {
        let entry = self.requests.entry(request).or_default();
        (entry.running, entry.released, entry.lost) = (false, released, lost);
    }
}

fn settle(f: &Fixture, model: &mut Model, held: &mut Vec<(u64, Charge)>, request: u64, charge: Charge, end: End) {
    match end {
        End::Release => {
            let contract = CONTRACTS.iter().position(|(name, ..)| *name == charge.contract().as_str()).unwrap();
            model.requests.entry(request).or_default().certified.insert(contract);
            let _ = f.ledger.commit_release(charge, &request.to_be_bytes(), "", &claims()).unwrap();
            model.end(request, true, false);
        }
        End::Lose => {
            f.ledger.mark_lost(charge).unwrap();
            model.end(request, false, true);
        }
        End::Drop => {
            drop(charge);
            model.end(request, false, false);
        }
        End::Hold => held.push((request, charge)),
    }
}

fn history(steps: &[Step]) {
    let mut f = Fixture::new(cost(CAP, 0));
    for (name, allotment, per_day) in CONTRACTS {
        f.add(name, cost(allotment, 0), cost(per_day, 0)).unwrap();
    }
    let mut model = Model { last_seen: NOON, ..Model::default() };
    let mut now = NOON;
    let mut held = Vec::new();
    for step in steps {
        match *step {
            Step::Ask { contract, request, end } => {
                let ask = at(order(CONTRACTS[contract].0, request, cost(price(request), 0)), now);
                let expected = model.ask(contract, request, now);
                match f.charge(&ask) {
                    Ok(Admission::Charged(charge)) => {
                        assert_eq!(Expected::Run(charge.attempt()), expected);
                        settle(&f, &mut model, &mut held, request, charge, end);
                    }
                    Ok(admission @ Admission::Stored(_)) => {
                        assert_eq!(Expected::Stored, expected);
                        let release = collected(&f.ledger, admission);
                        assert_eq!(release.body(), request.to_be_bytes());
                    }
                    Ok(Admission::Running(claim)) => {
                        assert_eq!(Expected::Running, expected);
                        assert_eq!(f.ledger.progress(&claim).unwrap(), Progress::Running);
                    }
                    Err(ChargeError::Refused(refusal)) => assert_eq!(Expected::Refused(refusal.reason()), expected),
                    Err(ChargeError::Ledger(error)) => panic!("{error:?}"),
                }
            }
            Step::Finish { release } if !held.is_empty() => {
                let (request, charge) = held.remove(0);
                let end = if release { End::Release } else { End::Drop };
                settle(&f, &mut model, &mut held, request, charge, end);
            }
            Step::Finish { .. } => {}
            Step::Clock(by) => now += by,
            Step::Crash => {
                for (request, charge) in held.drain(..) {
                    drop(charge);
                    model.end(request, false, false);
                }
                f = f.reopen();
            }
        }
        assert_eq!(f.spent(), cost(model.spent, 0));
        for (contract, (name, ..)) in CONTRACTS.iter().enumerate() {
            assert_eq!(f.debited(name), cost(model.debited[contract], 0));
        }
        assert!(f.spent().plus(f.promised()).fits(cost(CAP, 0)));
    }
    for (number, request) in &model.requests {
        for (contract, (name, ..)) in CONTRACTS.iter().enumerate() {
            let ask = order(name, *number, cost(price(*number), 0));
            let held = f.ledger.certificate(ask.request, &ask.contract).unwrap();
            assert_eq!(held.is_some(), request.certified.contains(&contract), "{name} {number}");
        }
    }
    let lost = model.requests.values().filter(|request| request.lost).count() as u64;
    assert_eq!(f.ledger.incidents().unwrap(), lost);
    f.audit();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_agree_with_the_reference(steps in prop::collection::vec(step(), 1..60)) {
        history(&steps);
    }
}
