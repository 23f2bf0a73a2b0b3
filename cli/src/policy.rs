//! `policy`: past decisions, made again by this program and not by the server.

use anyhow::{Context as _, anyhow, bail, ensure};
use glovebox_policy::decide::PolicySet;
use glovebox_policy::{ColumnUse, Digest, SignedContract};
use serde_json::Value;

use crate::args::Policy as Action;
use crate::cards::{Decision, LogPage};
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
    let rest = Rest::to(&at)?;
    let reply = rest.get(&format!("/log/decision/{leaf}"))?;
    let told: Decision = reply.read()?;
    let page: LogPage = rest.get(&format!("/log?start={leaf}&count=1"))?.read()?;
    check_entry(page.entries.first(), &told)?;
    let page =
        replay(told, view).with_context(|| format!("the decision behind entry {leaf} does not come out again"))?;
    Ok(view.show(&page, &reply.text)?)
}

/// The entry itself, which an exported and verified log has too, must say the same.
fn check_entry(entry: Option<&Value>, told: &Decision) -> anyhow::Result<()> {
    let entry = entry.ok_or_else(|| anyhow!("there is no such entry"))?;
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    ensure!(text("decision") == Some(told.decision.to_string().as_str()), "the entry names another decision");
    ensure!(entry.get("time").and_then(Value::as_i64) == Some(told.at_unix_s), "the entry has another time");
    Ok(())
}

/// What the server says of itself (`same`) is not looked at.
fn replay(told: Decision, view: &View) -> anyhow::Result<Page> {
    let record = told.record.as_bytes();
    ensure!(Digest::of(record) == told.decision, "the record is not the one whose digest the log holds");
    let key = public_key(&told.signer_key).ok_or_else(|| anyhow!("the officer's key is not one"))?;
    let signer = "signer".parse().map_err(|_| anyhow!("no name for the signer"))?;
    let contract =
        SignedContract::verify(told.contract.as_bytes(), &|_| Some((std::clone::Clone::clone(&signer), key)))
            .map_err(|refusal| anyhow!(refusal.english()))?;
    let policies = PolicySet::load(told.purposes)?;
    let replayed = match policies.replay(record, &contract, told.at_unix_s) {
        Ok(replayed) if replayed.decision == told.decision => replayed,
        Ok(_) => bail!("another decision came out"),
        Err(refusal) => bail!(refusal.english()),
    };
    let head = [view.words("column", "列"), view.words("role of use", "用途"), view.words("decision", "决定")];
    let permitted = view.words("permitted", "准许");
    let name = |used: &ColumnUse| match &used.dataset {
        None => used.column.to_string(),
        Some(dataset) => format!("{dataset}.{}", used.column),
    };
    let rows = replayed.uses.iter().map(|used| vec![name(used).into(), used.role.as_str().into(), permitted.into()]);
    let who = format!("{} ({}, {})", replayed.caller.person, replayed.caller.org, replayed.caller.role.as_str());
    Ok(Page::of(Grid::new(head).rows(rows))
        .fact(view.words("entry", "条目"), told.leaf)
        .fact(view.words("decision sha256", "决定 sha256"), told.decision)
        .fact(view.words("asked by", "请求人"), who)
        .fact(view.words("purpose", "目的"), replayed.purpose)
        .fact(view.words("contract", "合同"), &contract.contract().id)
        .fact(view.words("approvals", "批准数"), replayed.approvals)
        .fact(view.words("outcome", "结果"), view.words("the same: permitted", "一致：准许"))
        .remark(view.words(
            "Entry, contract and officer's key are as the service tells them; compare the entry with an exported log that you verified.",
            "条目、合同与专员公钥均由服务提供；请与您导出并验证过的日志比对该条目。",
        )))
}

fn public_key(hex: &str) -> Option<[u8; 32]> {
    let digest: Digest = hex.parse().ok()?;
    Some(*digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_thirty_two_octets() {
        assert_eq!(public_key(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(public_key("0a"), None);
        assert_eq!(public_key(&"zz".repeat(32)), None);
    }
}
