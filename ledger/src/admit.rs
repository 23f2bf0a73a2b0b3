//! The transaction behind [`Ledger::charge`](crate::Ledger::charge).
//!
//! The order is what matters here: contract, then what officers froze, then the job's approval, then budgets as if the request were new, and only
//! then where the request stands. So a refusal is the same whether or not others asked before: the approval is of the
//! asking contract's own job, and counts that job's own runs.
//!
//! A contract that comes to a stored release, or to one that is on its way, leaves as many log entries now as one that
//! runs it: `reuse` or `join` beside `charge` or `resume`. The rest is written when it collects (the module `claim`).

use std::sync::Arc;

use glovebox_policy::{Cost, Reason, Refusal};
use rusqlite::{Connection, OptionalExtension as _};

use crate::account::require_person;
use crate::charge::{Live, MAX_RESUMES, Order, Outcome, Running};
use crate::contract::{self, Terms};
use crate::error::{ChargeError, LedgerError};
use crate::execution::{self, Execution};
use crate::freeze::{self, Freezable};
use crate::log::Entry;
use crate::{claim::Claim, clock, decision, domain, issue, release, row};

/// Where a request stands.
enum Standing {
    New,
    CutOffOrRunning { attempts: u32 },
    Released,
    Lost,
}

/// Every refusal has this one shape.
pub(crate) fn refusal(order: &Order, reason: Reason) -> ChargeError {
    ChargeError::Refused(Refusal::about(reason, order.contract.as_str()))
}

/// What the checks found: what an admission is made of.
struct Case<'a> {
    order: &'a Order,
    now: i64,
    /// The contract's terms if it still has to pay.
    payment: Option<Terms>,
    /// The execution that is new to the job.
    execution: Option<Execution>,
}

/// The transaction of a charge: the checks in their fixed order, then the change with its log entry.
pub(crate) fn admit(tx: &Connection, live: &Arc<Live>, order: &Order) -> Result<Outcome, ChargeError> {
    let now = clock::advance(tx, order.now_unix_s)?;
    let terms = contract::terms(tx, &order.contract)?.ok_or_else(|| refusal(order, Reason::ContractUnknown))?;
    if !(terms.starts_at..terms.ends_at).contains(&now) {
        return Err(refusal(order, Reason::ContractInactive));
    }
    let stops = [
        Freezable::Dataset(terms.dataset.clone()),
        Freezable::Contract(order.contract.clone()),
        Freezable::Person(order.person.clone()),
    ];
    if let Some(refusal) = freeze::check(tx, stops)? {
        return Err(ChargeError::Refused(refusal));
    }
    check_order(tx, order, &terms)?;
    if let Some(refusal) = joined_is_frozen(tx, order)? {
        return Err(ChargeError::Refused(refusal));
    }
    decision::keep(tx, order)?;
    let execution = execution::check(tx, order, now)?;
    let standing = standing(tx, order)?;
    let paid = tx
        .prepare_cached("SELECT 1 FROM debit WHERE request = ?1 AND contract = ?2")?
        .exists((order.request.as_bytes(), order.contract.as_str()))?;
    if !paid {
        check_budget(tx, order, &terms, now)?;
    }
    let case = Case { order, now, payment: (!paid).then_some(terms), execution };
    match standing {
        Standing::New => {
            let running = Running::start(live, order.request)
                .ok_or(LedgerError::Conflict("the request runs without a charge"))?;
            let leaf = entry("charge", order, now).number("attempt", 1).append(tx)?;
            domain::spend(tx, &order.domain, order.cost)?;
            insert_charge(tx, order, now, leaf)?;
            insert_attempt(tx, order, 1, now, leaf)?;
            case.settle(tx, leaf)?;
            Ok(Outcome::Run(1, running))
        }
        Standing::Released => {
            case.reuse(tx)?;
            Ok(Outcome::Stored(Claim::new(order, live)))
        }
        Standing::Lost => Ok(Outcome::Lost),
        Standing::CutOffOrRunning { attempts } => match Running::start(live, order.request) {
            Some(running) => case.resume(tx, attempts, running),
            None => {
                case.join(tx)?;
                Ok(Outcome::Running(Claim::new(order, live)))
            }
        },
    }
}

impl Case<'_> {
    /// Lets the contract collect the stored answer. The answer is neither read nor checked here, however long it is: that
    /// takes time which the asker could measure, and a new request's charge does not take.
    fn reuse(&self, tx: &Connection) -> Result<(), LedgerError> {
        let debited = self.payment.is_some().into();
        let leaf = entry("reuse", self.order, self.now).number("debited", debited).append(tx)?;
        self.settle(tx, leaf)
    }

    /// Lets the contract wait for an answer that is on its way.
    fn join(&self, tx: &Connection) -> Result<(), ChargeError> {
        if self.payment.is_some() || self.execution.is_some() {
            let debited = self.payment.is_some().into();
            let leaf = entry("join", self.order, self.now).number("debited", debited).append(tx)?;
            self.settle(tx, leaf)?;
        }
        Ok(())
    }

    /// Runs a request again that was cut off, or gives it up.
    fn resume(&self, tx: &Connection, attempts: u32, running: Running) -> Result<Outcome, ChargeError> {
        let Self { order, now, .. } = *self;
        if attempts > MAX_RESUMES {
            release::insert_lost(tx, order.request, attempts, &order.person, now)?;
            return Ok(Outcome::Lost);
        }
        let attempt = attempts + 1;
        let debited = self.payment.is_some().into();
        let leaf =
            entry("resume", order, now).number("attempt", attempt.into()).number("debited", debited).append(tx)?;
        insert_attempt(tx, order, attempt, now, leaf)?;
        self.settle(tx, leaf)?;
        Ok(Outcome::Run(attempt, running))
    }

    /// Debits the asking contract, unless it has paid for this request before, and counts a new execution of its job.
    fn settle(&self, tx: &Connection, leaf: u64) -> Result<(), LedgerError> {
        if let Some(terms) = &self.payment {
            pay(tx, self.order, terms, self.now, leaf)?;
        }
        self.execution.as_ref().map_or(Ok(()), |execution| execution.record(tx, self.order.request, self.now))
    }
}

/// What only a faulty caller gets wrong.
fn check_order(tx: &Connection, order: &Order, terms: &Terms) -> Result<(), LedgerError> {
    require_person(tx, &order.person)?;
    if order.cost == Cost::ZERO {
        return Err(LedgerError::Conflict("a release costs something"));
    }
    if order.contract_digest != terms.digest {
        return Err(LedgerError::Conflict("the contract has other terms than those that the decision rests on"));
    }
    issue::check_subjects(order)?;
    if order.domain != terms.domain {
        return Err(LedgerError::Conflict("the contract is on another budget domain"));
    }
    match domain::dataset_of(tx, &order.snapshot)? {
        None => Err(LedgerError::Unknown { kind: "snapshot", name: order.snapshot.to_string() }),
        Some(dataset) if dataset != terms.dataset => {
            Err(LedgerError::Conflict("the contract is on another dataset than the snapshot"))
        }
        Some(_) => Ok(()),
    }
}

/// The dataset that is joined must be there, and pay from the same domain; what it is refused for if it is frozen.
fn joined_is_frozen(tx: &Connection, order: &Order) -> Result<Option<Refusal>, LedgerError> {
    let Some(snapshot) = &order.joined else {
        return Ok(None);
    };
    let unknown = || LedgerError::Unknown { kind: "snapshot", name: snapshot.to_string() };
    let dataset = domain::dataset_of(tx, snapshot)?.ok_or_else(unknown)?;
    if domain::domain_of(tx, &dataset)?.as_ref() != Some(&order.domain) {
        return Err(LedgerError::Conflict("the joined dataset is on another budget domain"));
    }
    freeze::check(tx, [Freezable::Dataset(dataset)])
}

/// The budget checks of a request as if it were new, in their fixed order.
fn check_budget(tx: &Connection, order: &Order, terms: &Terms, now: i64) -> Result<(), ChargeError> {
    if !terms.debited.plus(order.cost).fits(terms.allotment) {
        return Err(refusal(order, Reason::ContractBudgetSpent));
    }
    let today = contract::debited_on(tx, &order.contract, clock::day_of(now))?;
    if !today.plus(order.cost).fits(terms.per_day) {
        return Err(refusal(order, Reason::DayBudgetSpent));
    }
    let totals = domain::totals(tx, &order.domain)?
        .ok_or_else(|| LedgerError::Unknown { kind: "budget domain", name: order.domain.to_string() })?;
    if !totals.spent.plus(order.cost).fits(totals.cap) {
        return Err(refusal(order, Reason::DomainBudgetSpent));
    }
    Ok(())
}

/// Where the request stands; a known request must come with the cost, domain and snapshot that it was charged with.
fn standing(tx: &Connection, order: &Order) -> Result<Standing, LedgerError> {
    let found: Option<(String, String, i64, i64, u32, bool, bool)> = tx
        .prepare_cached(
            "SELECT domain, snapshot, rho, delta, (SELECT count(*) FROM attempt a WHERE a.request = c.request),
                    EXISTS (SELECT 1 FROM release r WHERE r.request = c.request),
                    EXISTS (SELECT 1 FROM lost l WHERE l.request = c.request)
             FROM charge c WHERE request = ?1",
        )?
        .query_row([order.request.as_bytes()], |row| row.try_into())
        .optional()?;
    let Some((domain, snapshot, rho, delta, attempts, released, lost)) = found else {
        return Ok(Standing::New);
    };
    let same = domain == order.domain.as_str() && snapshot == order.snapshot.as_str();
    if !same || row::cost((rho, delta))? != order.cost {
        return Err(LedgerError::Conflict("the same request was charged with another cost, domain or snapshot"));
    }
    Ok(match (released, lost) {
        (true, _) => Standing::Released,
        (false, true) => Standing::Lost,
        (false, false) => Standing::CutOffOrRunning { attempts },
    })
}

pub(crate) fn entry(kind: &'static str, order: &Order, now: i64) -> Entry {
    Entry::new(kind, now)
        .digest("request", &order.request)
        .text("contract", order.contract.as_str())
        .text("domain", order.domain.as_str())
        .text("person", order.person.as_str())
        .text("snapshot", order.snapshot.as_str())
        .digest("decision", &order.decision)
        .cost("rho", "delta", order.cost)
        .number("price", i64::try_from(order.price).unwrap_or(i64::MAX))
}

fn insert_charge(tx: &Connection, order: &Order, now: i64, leaf: u64) -> Result<(), LedgerError> {
    let (rho, delta) = row::steps(order.cost)?;
    tx.prepare_cached(
        "INSERT INTO charge (request, domain, contract, person, snapshot, rho, delta, at, leaf)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        order.request.as_bytes(),
        order.domain.as_str(),
        order.contract.as_str(),
        order.person.as_str(),
        order.snapshot.as_str(),
        rho,
        delta,
        now,
        row::signed(leaf)?,
    ))?;
    Ok(())
}

fn insert_attempt(tx: &Connection, order: &Order, number: u32, now: i64, leaf: u64) -> Result<(), LedgerError> {
    let leaf = row::signed(leaf)?;
    tx.prepare_cached(
        "INSERT INTO attempt (request, number, contract, person, at, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((order.request.as_bytes(), number, order.contract.as_str(), order.person.as_str(), now, leaf))?;
    Ok(())
}

/// Debits the asking contract.
fn pay(tx: &Connection, order: &Order, terms: &Terms, now: i64, leaf: u64) -> Result<(), LedgerError> {
    let day = clock::day_of(now);
    let (rho, delta) = row::steps(order.cost)?;
    contract::debit(tx, &order.contract, terms, day, order.cost)?;
    tx.prepare_cached(
        "INSERT INTO debit (request, contract, person, decision, at, day, rho, delta, price, leaf)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute((
        order.request.as_bytes(),
        order.contract.as_str(),
        order.person.as_str(),
        order.decision.as_bytes(),
        now,
        day,
        rho,
        delta,
        row::signed(order.price)?,
        row::signed(leaf)?,
    ))?;
    Ok(())
}
