//! `verify`: a result against its certificate and the log, from files and the verifier key alone.
//!
//! Checks come in one order, and the first that fails ends it. What they do not show is said too: nobody outside the
//! bureau has seen the log's head, so a service that was set back to an older state would not be noticed.

mod checks;

use serde_json::{Value, json};

use crate::args::Verify;
use crate::failure::Failure;
use crate::grid::{Grid, plain, short};
use crate::output::{Page, View};
use checks::{Check, Checked, Verified};

/// Carries all checks out and says each.
///
/// # Errors
/// The first check that fails, with its file.
pub(crate) fn run(args: &Verify, view: &View) -> Result<(), Failure> {
    let mut checked = Checked::default();
    let verified = checks::run(args, &mut checked);
    let list: Vec<Value> = checked.0.iter().map(check_json).collect();
    match verified {
        Ok(verified) => {
            let mut json = facts_json(&verified);
            if let Some(fields) = json.as_object_mut() {
                fields.insert("verified".to_owned(), true.into());
                fields.insert("checks".to_owned(), list.into());
            }
            Ok(view.show(&facts_page(&verified, grid(&checked, view), view), &json.to_string())?)
        }
        Err(failure) => {
            if view.is_json() {
                view.show(&Page::default(), &json!({ "verified": false, "checks": list }).to_string())?;
            } else if !checked.0.is_empty() {
                view.show(&Page::of(grid(&checked, view)), "")?;
            }
            Err(failure)
        }
    }
}

fn check_json(check: &Check) -> Value {
    json!({ "check": check.name, "file": check.file, "passed": check.passed })
}

fn grid(checked: &Checked, view: &View) -> Grid {
    let head = [view.words("check", "检查"), view.words("file", "文件"), view.words("outcome", "结果")];
    Grid::new(head).rows(checked.0.iter().map(|check| {
        let outcome = match check.passed {
            Some(true) => view.words("passed", "通过"),
            Some(false) => view.words("FAILED", "未通过"),
            None => view.words("not asked for", "未要求"),
        };
        let file = check.file.as_ref().map(|file| file.display().to_string());
        vec![check.name.into(), file.into(), outcome.into()]
    }))
}

fn facts_page(verified: &Verified, checks: Grid, view: &View) -> Page {
    let (certificate, proven) = (verified.certificate.certificate(), &verified.proven);
    let cost = certificate.cost;
    let mut paid = format!("ρ {}", short(cost.rho.as_f64_up()));
    if cost.delta.steps() > 0 {
        paid.push_str(&format!(", δ {}", short(cost.delta.as_f64_up())));
    }
    let rollback = format!("rollback-{}: {}", plain(&certificate.rollback), plain(&certificate.rollback_reason));
    Page::of(checks)
        .fact(view.words("request", "请求"), certificate.request)
        .fact(view.words("contract", "合同"), &certificate.contract)
        .fact(view.words("dataset", "数据集"), &certificate.dataset)
        .fact(view.words("snapshot", "快照"), &certificate.snapshot)
        .fact(view.words("cost", "代价"), paid)
        .fact(view.words("debited", "扣减时间"), instant(certificate.debited_unix_s))
        .fact(view.words("approvals", "批准数"), certificate.approvals.len())
        .fact(view.words("protects", "保护"), &certificate.neighbouring)
        .fact(view.words("log", "日志"), &proven.checkpoint.origin)
        .fact(view.words("entry", "条目"), format!("{} / {}", proven.index, proven.checkpoint.size))
        .remark(view.words("The result is the one that was certified and logged.", "结果与证书及日志一致。"))
        .remark(rollback)
}

fn facts_json(verified: &Verified) -> Value {
    let (certificate, proven) = (verified.certificate.certificate(), &verified.proven);
    json!({
        "request": certificate.request,
        "contract": certificate.contract,
        "dataset": certificate.dataset,
        "snapshot": certificate.snapshot,
        "rho": certificate.cost.rho.as_f64_up(),
        "delta": certificate.cost.delta.as_f64_up(),
        "debited": instant(certificate.debited_unix_s),
        "certificate_sha256": verified.certificate.digest(),
        "approvals": certificate.approvals,
        "neighbouring": certificate.neighbouring,
        "origin": proven.checkpoint.origin,
        "leaf": proven.index,
        "log_size": proven.checkpoint.size,
        "rollback": format!("rollback-{}", certificate.rollback),
        "rollback_reason": certificate.rollback_reason,
    })
}

fn instant(unix_s: i64) -> String {
    let at = chrono::DateTime::from_timestamp(unix_s, 0).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
