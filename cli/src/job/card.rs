//! A job for reading.

use crate::cards::{Job, Verdict};
use crate::grid::{Grid, short};
use crate::output::{Lang, Page, View};

/// The jobs, one a line.
pub(crate) fn listing(jobs: &[Job], view: &View) -> Grid {
    let head = [
        view.words("job", "作业"),
        view.words("name", "名称"),
        view.words("state", "状态"),
        view.words("firm", "单位"),
        view.words("contract", "合同"),
        view.words("submitted", "提交时间"),
        view.words("cost ρ", "代价 ρ"),
    ];
    Grid::new(head).rows(jobs.iter().map(|job| {
        vec![
            job.job.as_str().into(),
            job.name.as_str().into(),
            state(&job.state, view).into(),
            job.org.as_str().into(),
            job.contract.as_str().into(),
            job.submitted.as_str().into(),
            job.cost.rho.into(),
        ]
    }))
}

/// One job with its verdicts.
pub(crate) fn card(job: &Job, view: &View) -> Page {
    let mut page = match job.verdicts.as_slice() {
        [] => Page::default(),
        verdicts => Page::of(verdicts_grid(verdicts, view)),
    };
    let by = format!("{} ({})", job.person, job.org);
    page = page
        .fact(view.words("job", "作业"), &job.job)
        .fact(view.words("name", "名称"), &job.name)
        .fact(view.words("state", "状态"), state(&job.state, view))
        .fact(view.words("submitted by", "提交人"), by)
        .fact(view.words("contract", "合同"), &job.contract)
        .fact(view.words("manifest sha256", "清单 sha256"), job.manifest)
        .fact(view.words("module sha256", "模块 sha256"), job.module)
        .fact(view.words("submitted", "提交时间"), &job.submitted)
        .fact(view.words("review until", "审批截止"), &job.review_until)
        .fact(view.words("officers that decide", "审批人数"), job.officers);
    if let Some(until) = &job.execute_by {
        page = page
            .fact(view.words("may be run until", "可执行至"), until)
            .fact(view.words("executions", "执行次数"), format!("{} / {}", job.runs.len(), job.max_executions));
    }
    page = page.fact(view.words("cost of a run", "每次代价"), format!("ρ {}", short(job.cost.rho)));
    page = page.fact(view.words("a run takes", "每次用时"), took(job.takes_ms, view));
    if let Some(at) = &job.result_at {
        page = page.fact(view.words("result leaves", "结果时间"), at);
    }
    job.runs.iter().fold(page, |page, request| page.fact(view.words("request", "请求"), request))
}

fn took(ms: u64, view: &View) -> String {
    let seconds = short(ms as f64 / 1000.0);
    match view.lang {
        Lang::En => format!("{seconds} s or more"),
        Lang::Zh => format!("至少 {seconds} 秒"),
    }
}

fn verdicts_grid(verdicts: &[Verdict], view: &View) -> Grid {
    let head = [
        view.words("officer", "专员"),
        view.words("decision", "决定"),
        view.words("reason", "理由"),
        view.words("envelope sha256", "信封 sha256"),
    ];
    Grid::new(head).rows(verdicts.iter().map(|verdict| {
        vec![
            verdict.person.as_str().into(),
            verdict.decision.as_str().into(),
            verdict.reason.clone().into(),
            verdict.envelope.as_str().into(),
        ]
    }))
}

/// The state in the reader's language; one that this version does not know stays as it came.
fn state<'a>(state: &'a str, view: &View) -> &'a str {
    let known = [
        ("submitted", "待审批"),
        ("approved", "已批准"),
        ("rejected", "已驳回"),
        ("cancelled", "已撤回"),
        ("expired", "已过期"),
        ("running", "运行中"),
        ("interrupted", "已中断"),
        ("released", "已发布"),
        ("lost", "已丢失"),
    ];
    known.into_iter().find(|(english, _)| *english == state).map_or(state, |(_, chinese)| view.words(state, chinese))
}
