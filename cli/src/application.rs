//! `application`: write, hand in, look at; an officer drafts a contract from one, or says no.

use std::path::Path;

use anyhow::Context as _;
use glovebox_policy::Application as Terms;
use serde_json::json;

use crate::args::Application as Action;
use crate::cards::{Application, Applications, ContractDraft, Dataset};
use crate::failure::Failure;
use crate::grid::{Grid, plain};
use crate::output::{Page, View, print, say};
use crate::rest::Rest;
use crate::{private_file, template};

/// Carries out one action.
///
/// # Errors
/// What the application or the server refuses, or if a file or the server cannot be had.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::New { dataset, out, at } => {
            let card: Dataset = Rest::to(&at)?.get(&format!("/datasets/{dataset}"))?.read()?;
            let text = template::application(card.with_units()?, chrono::Utc::now());
            written(&text, "application", out.as_deref(), view)
        }
        Action::Submit { file, at } => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
            Terms::parse(&text)?;
            let reply = Rest::to(&at)?.post("/applications", &json!({ "application": text }))?;
            let made: Application = reply.read()?;
            Ok(view.show(&card(&made, view), &reply.text)?)
        }
        Action::List { at } => {
            let reply = Rest::to(&at)?.get("/applications")?;
            let list: Applications = reply.read()?;
            Ok(view.show(&Page::of(listing(&list, view)), &reply.text)?)
        }
        Action::Show { id, at } => {
            let reply = Rest::to(&at)?.get(&format!("/applications/{id}"))?;
            let found: Application = reply.read()?;
            Ok(view.show(&card(&found, view), &reply.text)?)
        }
        Action::Draft { id, contract, out, at } => {
            let draft: ContractDraft =
                Rest::to(&at)?.get(&format!("/applications/{id}/draft?contract={contract}"))?.read()?;
            written(&draft.contract, "contract", out.as_deref(), view)
        }
        Action::Reject { id, reason, at } => {
            let reply = Rest::to(&at)?.post(&format!("/applications/{id}/rejection"), &json!({ "reason": reason }))?;
            let found: Application = reply.read()?;
            Ok(view.show(&card(&found, view), &reply.text)?)
        }
        Action::Withdraw { id, at } => {
            let reply = Rest::to(&at)?.delete(&format!("/applications/{id}"))?;
            let found: Application = reply.read()?;
            Ok(view.show(&card(&found, view), &reply.text)?)
        }
    }
}

fn written(text: &str, what: &str, out: Option<&Path>, view: &View) -> Result<(), Failure> {
    match out {
        Some(path) => {
            private_file::write_new_public(path, text)?;
            let page = Page::default().fact(view.words("written to", "已写入"), path.display());
            Ok(view.show(&page, &json!({ "file": path }).to_string())?)
        }
        None if view.is_json() => Ok(say(&json!({ what: text }).to_string())?),
        None => Ok(print(text)?),
    }
}

fn listing(list: &Applications, view: &View) -> Grid {
    let head = [
        view.words("application", "申请"),
        view.words("firm", "单位"),
        view.words("dataset", "数据集"),
        view.words("status", "状态"),
        view.words("at", "时间"),
        view.words("contract", "合同"),
    ];
    Grid::new(head).rows(list.applications.iter().map(|it| {
        vec![
            it.id.as_str().into(),
            it.org.as_str().into(),
            it.dataset.as_str().into(),
            status(&it.status, view).into(),
            it.at.as_str().into(),
            it.contract.clone().unwrap_or_default().into(),
        ]
    }))
}

fn status<'a>(status: &'a str, view: &View) -> &'a str {
    match status {
        "waiting" => view.words("waiting", "待办"),
        "granted" => view.words("granted", "已批准"),
        "rejected" => view.words("rejected", "已拒绝"),
        "withdrawn" => view.words("withdrawn", "已撤回"),
        other => other,
    }
}

fn card(it: &Application, view: &View) -> Page {
    let mut page = Page::default()
        .fact(view.words("application", "申请"), &it.id)
        .fact(view.words("firm", "单位"), &it.org)
        .fact(view.words("by", "提交人"), &it.person)
        .fact(view.words("dataset", "数据集"), &it.dataset)
        .fact(view.words("status", "状态"), status(&it.status, view))
        .fact(view.words("at", "时间"), &it.at)
        .fact(
            view.words("why", "事由"),
            it.why.as_deref().unwrap_or_else(|| view.words("the text cannot be read any more", "文本已无法读取")),
        );
    if let Some(contract) = &it.contract {
        page = page.fact(view.words("contract", "合同"), contract);
    }
    if let Some(reason) = &it.reason {
        page = page.fact(view.words("reason", "理由"), reason);
    }
    if let (Some(by), Some(at)) = (&it.ended_by, &it.ended_at) {
        page = page.fact(view.words("ended by", "办结人"), format!("{by}, {at}"));
    }
    match &it.text {
        // A firm wrote it: nothing in it may look like a line of this program.
        Some(text) => text.lines().fold(page, |page, line| page.remark(format!("| {}", plain(line)))),
        None => page,
    }
}
