//! Bills of contracts, by month.

use chrono::{Datelike as _, Days, Months, NaiveDate};
use glovebox_policy::{Caller, ContractId, Digest, PersonId, Reason, Refusal};
use serde::Serialize;

use crate::cards::CostCard;
use crate::engine::{Engine, internal, now_unix_s, sees_all};
use crate::job::card::instant;

/// A contract's bill for a month.
#[derive(Debug, Clone, Serialize)]
pub struct BillCard {
    /// The contract.
    pub contract: ContractId,
    /// The month, UTC: `2026-11`.
    pub month: String,
    /// The currency, as ISO 4217 has it.
    pub currency: String,
    /// The requests, oldest first.
    pub lines: Vec<BillLineCard>,
    /// Their sum, in hundredths of the currency.
    pub total: u64,
    /// The sum of what they cost in privacy loss.
    pub cost: CostCard,
}

/// One request on a bill.
#[derive(Debug, Clone, Serialize)]
pub struct BillLineCard {
    /// The request.
    pub request: Digest,
    /// Who asked.
    pub person: PersonId,
    /// When, RFC 3339.
    pub at: String,
    /// Privacy loss.
    pub cost: CostCard,
    /// In hundredths of the currency.
    pub price: u64,
}

impl Engine {
    /// A contract's bill for a month, by default the running one: what the firm may see of its own contracts, and officers
    /// and auditors of all.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for a contract that the caller may not see, [`Reason::BadRequest`] for what is no month.
    pub fn bill(&self, caller: &Caller, contract: &ContractId, month: Option<&str>) -> Result<BillCard, Refusal> {
        let shared = &self.shared;
        let failed = |error| internal("a bill", &error);
        let stored = shared.ledger.contract(contract).map_err(failed)?;
        let seen = stored.filter(|stored| sees_all(caller) || stored.contract.org == caller.org);
        seen.ok_or_else(|| Refusal::about(Reason::NotFound, contract.as_str()))?;
        let first = match month {
            Some(text) => {
                first_of(text).ok_or_else(|| Refusal::about(Reason::BadRequest, "month: not like 2026-11"))?
            }
            None => NaiveDate::default() + Days::new(u64::try_from(now_unix_s() / 86_400).unwrap_or_default()),
        };
        let first = first.with_day(1).unwrap_or(first);
        let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
        let day = |date: NaiveDate| date.signed_duration_since(NaiveDate::default()).num_days();
        let lines = shared.ledger.bill(contract, day(first), day(next)).map_err(failed)?;
        let total = lines.iter().fold(0_u64, |sum, line| sum.saturating_add(line.price));
        let cost = lines.iter().fold(glovebox_policy::Cost::ZERO, |sum, line| sum.plus(line.cost));
        let lines = lines.into_iter().map(|line| BillLineCard {
            request: line.request,
            person: line.person,
            at: instant(line.at_unix_s),
            cost: line.cost.into(),
            price: line.price,
        });
        Ok(BillCard {
            contract: contract.clone(),
            month: first.format("%Y-%m").to_string(),
            currency: shared.config.prices.currency.clone(),
            lines: lines.collect(),
            total,
            cost: cost.into(),
        })
    }
}

fn first_of(month: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()?;
    (month.len() == 7 && (1970..10_000).contains(&date.year())).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_strictly() {
        assert_eq!(first_of("2026-11"), NaiveDate::from_ymd_opt(2026, 11, 1));
        for wrong in
            ["", "2026", "2026-13", "2026-1", "26-11", "+026-01", "2026-11-01", "2026-11 ", "1969-12", "二〇二六-11"]
        {
            assert_eq!(first_of(wrong), None, "{wrong}");
        }
    }
}
