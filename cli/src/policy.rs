//! `policy`: past decisions, made again by this program and not by the server.

use anyhow::{Context as _, anyhow, bail, ensure};
use glovebox_policy::decide::PolicySet;
use glovebox_policy::{Digest, SignedContract};

use crate::args::Policy as Action;
use crate::cards::Decision;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::{Page, View};
use crate::rest::Rest;

/// Carries out one action on policies.
///
/// # Errors
/// What the server refuses, if it cannot be asked, or if the decision does not come out again.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    let Action::Replay { leaf, at } = action;
    let reply = Rest::to(&at)?.get(&format!("/log/decision/{leaf}"))?;
    let told: Decision = reply.read()?;
    let page = replay(told, view).with_context(|| format!("the decision behind entry {leaf} does not come out again"))?;
    Ok(view.show(&page, &reply.text)?)
}

/// What the server says of itself (`same`) is not looked at.
fn replay(told: Decision, view: &View) -> anyhow::Result<Page> {
    let record = told.record.as_bytes();
    ensure!(Digest::of(record) == told.decision, "the record is not the one whose digest the log holds");
    let key = public_key(&told.signer_key).ok_or_else(|| anyhow!("the officer's key is not one"))?;
    let signer = "signer".parse().map_err(|_| anyhow!("no name for the signer"))?;
    let contract = SignedContract::verify(told.contract.as_bytes(), &|_| Some((std::clone::Clone::clone(&signer), key)))
        .map_err(|refusal| anyhow!(refusal.english()))?;
    let policies = PolicySet::load(told.purposes)?;
    let replayed = match policies.replay(record, &contract, told.at_unix_s) {
        Ok(replayed) if replayed.decision == told.decision => replayed,
        Ok(_) => bail!("another decision came out"),
        Err(refusal) => bail!(refusal.english()),
    };
    let head = [view.words("column", "列"), view.words("role of use", "用途"), view.words("decision", "决定")];
    let permitted = view.words("permitted", "准许");
    let rows = replayed.uses.iter().map(|used| {
        vec![used.column.as_str().into(), used.role.as_str().into(), permitted.into()]
    });
    let who = format!("{} ({}, {})", replayed.caller.person, replayed.caller.org, replayed.caller.role.as_str());
    Ok(Page::of(Grid::new(head).rows(rows))
        .fact(view.words("entry", "条目"), told.leaf)
        .fact(view.words("decision sha256", "决定 sha256"), told.decision)
        .fact(view.words("asked by", "请求人"), who)
        .fact(view.words("purpose", "目的"), replayed.purpose)
        .fact(view.words("contract", "合同"), &contract.contract().id)
        .fact(view.words("approvals", "批准数"), replayed.approvals)
        .fact(view.words("outcome", "结果"), view.words("the same: permitted", "一致：准许")))
}

fn public_key(hex: &str) -> Option<[u8; 32]> {
    let digest: Digest = hex.parse().ok()?;
    Some(*digest.as_bytes())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_thirty_two_octets() {
        assert_eq!(public_key(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(public_key("0a"), None);
        assert_eq!(public_key(&"zz".repeat(32)), None);
    }
}
