//! How a command can end other than well, and what is said then.

use std::process::ExitCode;

use glovebox_policy::Refusal;
use glovebox_policy::refusal::RefusalBody;
use serde::Deserialize;
use serde_json::Value;

use crate::grid::plain;
use crate::output::{Lang, View};

/// Faults of rows that are listed for a reader; JSON has all that the server sent.
const FAULTS_SHOWN: usize = 20;

/// The server's own failures come with this status; every other refusal is a decision.
const STATUS_FAILED: u16 = 500;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments do not say enough, or say what cannot be.
    Usage(String),
    /// A no, with its stable code.
    Refused(Box<No>),
    /// Something went wrong.
    Failed(anyhow::Error),
}

/// A no as the REST face writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct No {
    /// The HTTP status, or what it would be when no server was asked.
    #[serde(skip)]
    pub(crate) status: u16,
    /// The body itself.
    #[serde(skip)]
    pub(crate) body: String,
    code: String,
    message: String,
    message_zh: String,
    /// What an officer is told about a manifest or a file.
    report: Option<Value>,
}

impl No {
    /// Reads a body; `None` if it is not a refusal.
    pub(crate) fn read(status: u16, body: String) -> Option<Self> {
        let mut no: Self = serde_json::from_str(&body).ok()?;
        no.status = status;
        no.body = body;
        Some(no)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let body = RefusalBody::from(&refusal);
        let status = refusal.reason().http();
        let read = serde_json::to_string(&body).ok().and_then(|body| No::read(status, body));
        read.map_or_else(|| Self::Failed(refusal.into()), |no| Self::Refused(Box::new(no)))
    }
}

impl Failure {
    /// 1 failure, 2 bad usage, 3 refused.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(no) if no.status == STATUS_FAILED => 1,
            Self::Refused(_) => 3,
        })
    }

    /// What is said on standard error.
    pub(crate) fn words(&self, view: &View) -> String {
        match self {
            Self::Failed(error) => format!("error: {error:#}"),
            Self::Usage(text) => format!("error: {text}"),
            Self::Refused(no) if view.is_json() => no.body.clone(),
            Self::Refused(no) => {
                let message = match view.lang {
                    Lang::En => &no.message,
                    Lang::Zh => &no.message_zh,
                };
                // The message starts with the code; a server that leaves it out must not hide it.
                let message =
                    message.strip_prefix(&no.code).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
                let refused = view.words("refused", "已拒绝");
                let mut lines = vec![format!("{refused}: {}: {}", plain(&no.code), plain(message))];
                lines.extend(no.report.as_ref().map(report_lines).unwrap_or_default());
                lines.join("\n")
            }
        }
    }
}

fn report_lines(report: &Value) -> Vec<String> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(words) = report.get("words").and_then(Value::as_str) {
        return vec![format!("  {}", plain(words))];
    }
    if let Some(rows) = report.get("rows") {
        let totals = list(rows.get("totals"));
        let faults = list(rows.get("faults"));
        let more = faults.len().saturating_sub(FAULTS_SHOWN);
        let mut lines: Vec<String> = totals.iter().map(total_line).collect();
        lines.extend(faults.iter().take(FAULTS_SHOWN).map(fault_line));
        if more > 0 {
            lines.push(format!("  … and {more} more; --format json lists them"));
        }
        return lines;
    }
    list(report.get("manifest"))
        .iter()
        .map(|problem| format!("  {}: {}", at(problem, "path"), at(problem, "message")))
        .collect()
}

fn at(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => plain(text),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// What is wrong, by the name that the report gives it, and what was found instead.
fn kind(fault: &Value) -> String {
    let fault = fault.get("fault").unwrap_or(&Value::Null);
    match fault.get("found") {
        Some(_) => format!("{} ({})", at(fault, "kind"), at(fault, "found")),
        None => at(fault, "kind"),
    }
}

fn total_line(total: &Value) -> String {
    format!("  {} × {}: {}", at(total, "count"), at(total, "column"), kind(total))
}

fn fault_line(fault: &Value) -> String {
    let column = at(fault, "column");
    match fault.get("row").and_then(Value::as_u64) {
        Some(row) => format!("  row {row}, {column}: {}", kind(fault)),
        None => format!("  {column}: {}", kind(fault)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use glovebox_policy::Reason;

    use super::*;
    use crate::output::Format;

    fn view(format: Format, lang: Lang) -> View {
        View { format, lang }
    }

    #[test]
    fn a_refusal_is_said_in_the_readers_language_with_its_code() {
        let failure = Failure::from(Refusal::about(Reason::TableUnknown, "a.b"));
        let english = failure.words(&view(Format::Table, Lang::En));
        assert!(english.starts_with("refused: table-unknown: there is no such dataset"), "{english}");
        let chinese = failure.words(&view(Format::Table, Lang::Zh));
        assert!(chinese.starts_with("已拒绝: table-unknown: 没有该数据集"), "{chinese}");
        let json = failure.words(&view(Format::Json, Lang::Zh));
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["code"], "table-unknown");
    }

    #[test]
    fn an_officers_report_is_spelled_out() {
        let body = r#"{"code":"ingest-refused","message":"ingest-refused: x","message_zh":"y","report":{"rows":{
            "totals":[{"column":"age","fault":{"kind":"cell","found":"text"},"count":2}],
            "faults":[{"row":3,"column":"age","fault":{"kind":"cell","found":"text"}},
                      {"row":null,"column":"sex","fault":{"kind":"column-missing"}}]}}}"#;
        let failure = Failure::Refused(Box::new(No::read(400, body.to_owned()).unwrap()));
        assert_eq!(
            failure.words(&view(Format::Table, Lang::En)),
            "refused: ingest-refused: x\n  2 × age: cell (text)\n  row 3, age: cell (text)\n  sex: column-missing"
        );
    }

    #[test]
    fn a_failure_of_the_server_is_no_refusal() {
        let body = r#"{"code":"internal","message":"internal: x","message_zh":"y"}"#;
        let failure = |status| Failure::Refused(Box::new(No::read(status, body.to_owned()).unwrap()));
        assert_eq!(format!("{:?}", failure(500).exit_code()), format!("{:?}", ExitCode::from(1)));
        assert_eq!(format!("{:?}", failure(403).exit_code()), format!("{:?}", ExitCode::from(3)));
        assert!(No::read(502, "<html>".to_owned()).is_none());
    }
}
