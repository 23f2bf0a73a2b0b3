//! `contract`: write, sign (offline), hand in, look at.

use std::path::Path;

use anyhow::Context as _;
use glovebox_policy::contract::sign_contract;
use glovebox_policy::{DatasetName, OrgId};
use serde_json::json;

use crate::args::Contract as Action;
use crate::cards::{Contract, Contracts, Cost, Dataset};
use crate::failure::Failure;
use crate::grid::{Grid, short};
use crate::output::{Page, View, print, say};
use crate::rest::Rest;
use crate::{officer_key, private_file, template};

/// Carries out one action.
///
/// # Errors
/// What the contract or the server refuses, or if a file or the server cannot be had.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::Template { dataset, org, out, at } => {
            write_template(&Rest::to(&at)?, &dataset, &org, out.as_deref(), view)
        }
        Action::Sign { file, key, out } => sign(&file, &key, out.as_deref(), view),
        Action::Add { envelope, at } => {
            let bytes = std::fs::read(&envelope);
            let bytes = bytes.with_context(|| format!("`{}` cannot be read", envelope.display()))?;
            let reply = Rest::to(&at)?.post_bytes("/contracts", &bytes)?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
        Action::List { at } => {
            let reply = Rest::to(&at)?.get("/contracts")?;
            let list: Contracts = reply.read()?;
            Ok(view.show(&Page::of(listing(&list, view)), &reply.text)?)
        }
        Action::Show { id, at } => {
            let reply = Rest::to(&at)?.get(&format!("/contracts/{}", id.as_str()))?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
    }
}

fn write_template(
    rest: &Rest,
    dataset: &DatasetName,
    org: &OrgId,
    out: Option<&Path>,
    view: &View,
) -> Result<(), Failure> {
    let card: Dataset = rest.get(&format!("/datasets/{dataset}"))?.read()?;
    let text = template::contract(card.with_units()?, org, chrono::Utc::now());
    match out {
        Some(path) => {
            private_file::write_new_public(path, &text)?;
            let page = Page::default().fact(view.words("contract", "合同"), path.display()).remark(view.words(
                "Edit it, then sign it with `glovebox contract sign`.",
                "请修改后用 `glovebox contract sign` 签署。",
            ));
            Ok(view.show(&page, &json!({ "file": path }).to_string())?)
        }
        None if view.is_json() => Ok(say(&json!({ "contract": text }).to_string())?),
        None => Ok(print(&text)?),
    }
}

fn sign(file: &Path, key: &Path, out: Option<&Path>, view: &View) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let key = officer_key::read(key)?;
    let envelope = sign_contract(&text, &key)?;
    let json = serde_json::to_string_pretty(&envelope).context("the envelope cannot be written")?;
    let Some(out) = out else {
        return Ok(say(&json)?);
    };
    std::fs::write(out, format!("{json}\n")).with_context(|| format!("`{}` cannot be written", out.display()))?;
    let key_id = glovebox_policy::dsse::key_id(&officer_key::public_key(&key));
    let page = Page::default()
        .fact(view.words("envelope", "信封"), out.display())
        .fact(view.words("signed by key", "签署密钥"), &key_id);
    Ok(view.show(&page, &json!({ "envelope": out, "key_id": key_id }).to_string())?)
}

fn listing(list: &Contracts, view: &View) -> Grid {
    let head = [
        view.words("contract", "合同"),
        view.words("firm", "单位"),
        view.words("dataset", "数据集"),
        view.words("starts", "开始"),
        view.words("ends", "结束"),
        view.words("allotment ρ", "额度 ρ"),
        view.words("remaining ρ", "剩余 ρ"),
    ];
    Grid::new(head).rows(list.contracts.iter().map(|contract| {
        vec![
            contract.id.as_str().into(),
            contract.org.as_str().into(),
            contract.dataset.as_str().into(),
            contract.starts.as_str().into(),
            contract.ends.as_str().into(),
            contract.allotment.rho.into(),
            contract.remaining.rho.into(),
        ]
    }))
}

fn card(contract: &Contract, view: &View) -> Page {
    let head = [view.words("granted for", "授权用法"), view.words("columns", "列")];
    let grants = contract.grants.iter();
    let grid = Grid::new(head).rows(grants.map(|it| {
        let of = it.dataset.as_ref().map_or_else(String::new, |dataset| format!("{dataset}: "));
        vec![it.roles.join(", ").into(), format!("{of}{}", it.columns.join(", ")).into()]
    }));
    Page::of(grid)
        .fact(view.words("contract", "合同"), &contract.id)
        .fact(view.words("firm", "单位"), &contract.org)
        .fact(view.words("dataset", "数据集"), &contract.dataset)
        .fact(view.words("purposes", "用途"), contract.purposes.join(", "))
        .fact(view.words("starts", "开始"), &contract.starts)
        .fact(view.words("ends", "结束"), &contract.ends)
        .fact(view.words("budget domain", "预算域"), &contract.budget_domain)
        .fact(view.words("allotment", "额度"), loss(contract.allotment))
        .fact(view.words("per day", "每日"), loss(contract.per_day))
        .fact(view.words("debited", "已扣"), loss(contract.debited))
        .fact(view.words("remaining", "剩余"), loss(contract.remaining))
        .fact(
            view.words("per query", "单次上限"),
            format!("ε {}, δ {}", short(contract.max_epsilon), short(contract.max_delta)),
        )
        .fact(view.words("groups of a unit", "单位可入组数"), contract.max_groups_contributed)
        .fact(view.words("risk class", "风险等级"), &contract.risk_class)
}

fn loss(cost: Cost) -> String {
    if cost.delta == 0.0 {
        return format!("ρ {}", short(cost.rho));
    }
    format!("ρ {}, δ {}", short(cost.rho), short(cost.delta))
}
