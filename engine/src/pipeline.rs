//! Before the charge: a statement is analysed, priced and decided on. Nothing here touches a row.
//!
//! INVARIANT (data-independent): what a caller can see of a request before its answer (refused or not, the reason, the
//! price, the columns, the instant) is computed from the text, the manifest, the contract and the ledger, never from
//! rows, except through losses. What happens after the charge is in [`crate::run`].

use std::sync::Arc;

use glovebox_ledger::StoredContract;
use glovebox_policy::contract::MAX_DELTA;
use glovebox_policy::decide::Matter;
use glovebox_policy::{
    Caller, ContractId, NanoEpsilon, Permit, Public, Purpose, Reason, Refusal, Role, SignedContract,
};
use glovebox_privacy::{Released, Scalar, Table};
use glovebox_query::{Analysis, Defaults, Draft, Options, parameter_count, preview_columns};

use crate::config::Window;
use crate::engine::{Engine, Shared, internal, now_unix_s};
use crate::freeze::not_frozen;
use crate::statement::{Answer, Bound, Prepared, ReleasedAnswer, SqlAsk, Statement};

impl Engine {
    /// Analyses a statement and decides on it. Costs nothing and touches no data.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub async fn prepare(&self, caller: &Caller, ask: SqlAsk) -> Result<Statement, Refusal> {
        let (shared, caller) = (Arc::clone(&self.shared), caller.clone());
        let prepared = tokio::task::spawn_blocking(move || prepare(&shared, caller, ask)).await;
        prepared.map_err(|error| internal("analysis", &error))?
    }

    pub(crate) async fn answered(&self, bound: &Bound, table: Released<Table>) -> Result<ReleasedAnswer, Refusal> {
        let ask = bound.analysis.ask();
        let remaining = self.contract_of(bound).await?;
        Ok(ReleasedAnswer {
            table,
            cost: bound.analysis.noise().cost(),
            remaining: remaining.debited.remaining_of(remaining.contract.allotment),
            epsilon: ask.epsilon,
            delta: ask.delta,
        })
    }

    async fn contract_of(&self, bound: &Bound) -> Result<StoredContract, Refusal> {
        let (shared, id) = (Arc::clone(&self.shared), bound.contract.clone());
        let found = tokio::task::spawn_blocking(move || shared.ledger.contract(&id)).await;
        let found = found.map_err(|error| internal("contract", &error))?.map_err(|e| internal("contract", &e))?;
        found.ok_or_else(|| Reason::ContractUnknown.into())
    }

    /// `EXPLAIN PRIVACY`: the analysis, the contract's remainder and the instant.
    pub(crate) async fn preview(&self, bound: &Bound) -> Result<Answer, Refusal> {
        let stored = self.contract_of(bound).await?;
        let remaining = stored.debited.remaining_of(stored.contract.allotment);
        let window = window(&self.shared, &bound.analysis)?;
        let mut table = bound.analysis.preview();
        let mut say = |item: &str, value: String| {
            table.rows.push(vec![Scalar::Text(item.to_owned()), Scalar::Text(value)]);
        };
        say("contract", bound.contract.to_string());
        say("remaining rho", format!("{:.9}", remaining.rho.as_f64_up()));
        let prices = &self.shared.config.prices;
        let price = prices.of(window, bound.analysis.noise().cells());
        say("price", format!("{}.{:02} {}", price / 100, price % 100, prices.currency));
        say("answer after at least", format!("{} ms", window.leaves().as_millis()));
        Ok(Answer::Preview(Public::from_manifest(table)))
    }
}

/// How long the request is given, by its worst-case work.
pub(crate) fn window(shared: &Shared, analysis: &Analysis) -> Result<Window, Refusal> {
    shared.config.release.window(analysis.work()).ok_or_else(|| Reason::TooExpensive.into())
}

fn prepare(shared: &Shared, caller: Caller, ask: SqlAsk) -> Result<Statement, Refusal> {
    if caller.role != Role::Analyst {
        return Err(Reason::RoleForbidden.into());
    }
    let parameter_count = parameter_count(&ask.sql)?;
    let prepared = |bound| Statement {
        inner: Arc::new(Prepared { caller: caller.clone(), purpose: ask.purpose.clone(), parameter_count, bound }),
    };
    if parameter_count > 0 && ask.parameters.is_empty() {
        return Ok(prepared(None));
    }
    let draft = Draft::read(&shared.catalog, &ask.sql, &ask.parameters)?;
    let stored = contract_for(shared, &caller, &draft, ask.contract.as_ref())?;
    let overrides = options_of(&ask)?;
    let analysis = draft.complete(Defaults::from(&stored.contract), overrides)?;
    window(shared, &analysis)?;
    // Decided now, so that a refusal comes early; the permit that counts is made when the statement is run.
    let contract = signed_contract(shared, &stored)?;
    let _permit = decide(shared, &caller, ask.purpose.as_ref(), &contract, &analysis)?;
    let columns = if analysis.is_preview() { preview_columns() } else { analysis.columns().to_vec() };
    Ok(prepared(Some(Bound { contract: stored.contract.id.clone(), analysis, columns })))
}

/// What was said beside the statement, held to the ranges of what is said in it.
fn options_of(ask: &SqlAsk) -> Result<Options, Refusal> {
    let invalid = |option: String| Refusal::about(Reason::OptionInvalid, &option);
    let epsilon = |epsilon| NanoEpsilon::from_epsilon(epsilon).ok_or_else(|| invalid(format!("epsilon = {epsilon}")));
    if let Some(delta) = ask.delta.filter(|delta| !(0.0..=MAX_DELTA).contains(delta)) {
        return Err(invalid(format!("delta = {delta}")));
    }
    if ask.max_groups_contributed == Some(0) {
        return Err(invalid("max_groups_contributed = 0".to_owned()));
    }
    Ok(Options {
        epsilon: ask.epsilon.map(epsilon).transpose()?,
        delta: ask.delta,
        max_groups_contributed: ask.max_groups_contributed,
        ..Options::default()
    })
}

/// The firm's contract on the dataset: the one that was asked for, or the first in force, by name.
fn contract_for(
    shared: &Shared,
    caller: &Caller,
    draft: &Draft,
    named: Option<&ContractId>,
) -> Result<StoredContract, Refusal> {
    let dataset = draft.dataset().manifest().name();
    let all = shared.ledger.contracts().map_err(|error| internal("contracts", &error))?;
    let mut own: Vec<_> = all
        .into_iter()
        .filter(|stored| stored.contract.org == caller.org && stored.contract.dataset == *dataset)
        .filter(|stored| named.is_none_or(|named| *named == stored.contract.id))
        .collect();
    own.sort_by(|a, b| a.contract.id.cmp(&b.contract.id));
    let some = !own.is_empty();
    let now = now_unix_s();
    own.into_iter().find(|stored| stored.contract.in_force(now)).ok_or_else(|| {
        Refusal::about(if some { Reason::ContractInactive } else { Reason::ContractUnknown }, &dataset.to_string())
    })
}

pub(crate) fn decide(
    shared: &Shared,
    caller: &Caller,
    purpose: Option<&Purpose>,
    contract: &SignedContract,
    analysis: &Analysis,
) -> Result<Permit, Refusal> {
    let ask = analysis.ask();
    let dataset = analysis.dataset().manifest().name();
    let joined = analysis.partner().map(|partner| partner.manifest().name());
    let joined = joined.filter(|name| *name != dataset).cloned().into_iter().collect();
    not_frozen(shared, std::iter::once(dataset).chain(&joined), &contract.contract().id, &caller.person)?;
    shared.policies.decide(&Matter {
        request: analysis.request(),
        caller,
        purpose,
        contract,
        dataset,
        joined: &joined,
        // Refused above in words of its own; the policy holds for whoever asks it without these.
        frozen: false,
        uses: analysis.uses(),
        epsilon: ask.epsilon,
        delta: ask.delta,
        max_groups: analysis.max_groups(),
        approvals: 0,
        now_unix_s: now_unix_s(),
    })
}

/// The signed contract, with the signature checked again: what the store holds is not taken on trust. The terms that
/// were used until here must be the very terms that were signed.
pub(crate) fn signed_contract(shared: &Shared, stored: &StoredContract) -> Result<SignedContract, Refusal> {
    let officer_of = |keyid: &str| shared.ledger.officer_key(keyid).ok().flatten();
    let signed = SignedContract::verify(&stored.envelope, &officer_of)?;
    if *signed.contract() == stored.contract { Ok(signed) } else { Err(Reason::SignatureInvalid.into()) }
}
