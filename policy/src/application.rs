//! An application for data (数据使用申请): what a firm asks for, in the words that a contract would grant it in.
//!
//! It is the text of a contract without what only the bureau settles (the contract's name, the firm, the budget domain,
//! the risk class), and with a reason. So a draft contract is made from it by copying, and an officer signs that, or
//! another text. It grants nothing.

use serde::{Deserialize, Serialize};

use crate::contract::{BudgetText, Contract, Grant, PerQueryText, unreadable};
use crate::id::{ApplicationId, BudgetDomain, ContractId, DatasetName, OrgId, Purpose};
use crate::refusal::{Reason, Refusal};

/// Longest text of an application, in bytes.
pub const APPLICATION_MAX_BYTES: usize = 16 * 1024;

/// Longest reason, in bytes, without what stands before and after it.
pub const WHY_MAX_BYTES: usize = 4_000;

/// What a firm asks for, checked as far as a contract is.
#[derive(Debug, Clone, PartialEq)]
pub struct Application(Text);

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    dataset: DatasetName,
    purposes: Vec<Purpose>,
    why: String,
    starts: String,
    ends: String,
    budget: BudgetText,
    per_query: PerQueryText,
    grants: Vec<Grant>,
}

/// A contract's text, in the order in which it is written.
#[derive(Serialize)]
struct Draft<'a> {
    id: &'a ContractId,
    org: &'a OrgId,
    application: &'a ApplicationId,
    dataset: &'a DatasetName,
    budget_domain: &'a BudgetDomain,
    purposes: &'a [Purpose],
    starts: &'a str,
    ends: &'a str,
    risk_class: &'a str,
    budget: &'a BudgetText,
    per_query: &'a PerQueryText,
    grants: &'a [Grant],
}

/// What the bureau settles of a draft contract.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    /// The contract's name; new.
    pub id: &'a ContractId,
    /// The firm that applied.
    pub org: &'a OrgId,
    /// The application's name.
    pub application: &'a ApplicationId,
    /// The budget domain of the dataset.
    pub budget_domain: &'a BudgetDomain,
}

const HEAD: &str = "\
# A draft from an application. It grants nothing until an officer has signed it; every figure is what the firm asked for.
# 由申请生成的草案：专员签署前不授予任何权限；各项数值均为申请方所求。
# Lower what is too much, delete columns that are not needed, then `glovebox contract sign` and `glovebox contract add`.
# risk_class \"high\": two officers decide on each job, neither knowing what the other says.
# budget_domain, org and application must stay as they are.

";

impl Application {
    /// Reads an application and checks its figures as those of a contract.
    ///
    /// # Errors
    /// [`Reason::ApplicationInvalid`], quoting the field.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = |what: &str| Refusal::about(Reason::ApplicationInvalid, what);
        if text.len() > APPLICATION_MAX_BYTES {
            return Err(bad("longer than 16 KiB"));
        }
        let read: Text = toml::from_str(text).map_err(|error| bad(&unreadable(text, &error)))?;
        if !(1..=WHY_MAX_BYTES).contains(&read.why.trim().len()) {
            return Err(bad("why"));
        }
        let application = Self(read);
        let name = |text: &str| text.parse().map_err(|_| bad(text));
        let settled = Settled {
            id: &name("draft")?,
            org: &"draft".parse().map_err(|_| bad("org"))?,
            application: &"draft".parse().map_err(|_| bad("application"))?,
            budget_domain: &"draft".parse().map_err(|_| bad("budget_domain"))?,
        };
        // What is no contract with these names is none with any others.
        Contract::parse(&application.draft(settled)?).map_err(|refusal| bad(refusal.quotation().unwrap_or("terms")))?;
        Ok(application)
    }

    /// The dataset that is asked for.
    pub fn dataset(&self) -> &DatasetName {
        &self.0.dataset
    }

    /// What the data would be used for.
    pub fn purposes(&self) -> &[Purpose] {
        &self.0.purposes
    }

    /// Why, in the firm's own words.
    pub fn why(&self) -> &str {
        self.0.why.trim()
    }

    /// Which columns in which roles of use.
    pub fn grants(&self) -> &[Grant] {
        &self.0.grants
    }

    /// The text of a contract that would grant all of it: for an officer to edit and sign.
    ///
    /// # Errors
    /// [`Reason::ApplicationInvalid`] if a figure cannot be written as TOML.
    pub fn draft(&self, settled: Settled<'_>) -> Result<String, Refusal> {
        let Text { dataset, purposes, starts, ends, budget, per_query, grants, why: _ } = &self.0;
        let Settled { id, org, application, budget_domain } = settled;
        let risk_class = "ordinary";
        let draft = Draft {
            id,
            org,
            application,
            dataset,
            budget_domain,
            purposes,
            starts,
            ends,
            risk_class,
            budget,
            per_query,
            grants,
        };
        let terms = toml::to_string(&draft).map_err(|_| Refusal::about(Reason::ApplicationInvalid, "terms"))?;
        Ok(format!("{HEAD}{terms}"))
    }
}
