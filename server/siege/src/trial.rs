//! One statement at both bureaus over both faces, and what is wrong with what came back.

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::bureau::{Bureau, DATASET, Process};
use crate::canary::{CANARY, Patterns};
use crate::rest::{ANSWER_LIMIT, Got, Rest};
use crate::statements::{Hostile, Outcome};
use crate::wire::{Said, Wire};
use crate::{PLANTED, Plant};

/// One bureau with the ways into it.
#[derive(Clone)]
pub struct Side {
    /// REST and pages.
    pub rest: Rest,
    /// Flight as the attacker.
    pub wire: Wire,
    attacker: String,
    bystander: String,
    /// What the bystander's question was answered.
    control: Value,
    process: Process,
    plant: Option<Plant>,
}

/// What one face of one bureau said.
#[derive(Debug, Clone)]
enum Heard {
    Refused { code: String, seen: Vec<u8> },
    Answered { schema: String, rows: Vec<Value>, cost: Value, bytes: Vec<u8> },
}

impl Heard {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Refused { seen: bytes, .. } | Self::Answered { bytes, .. } => bytes,
        }
    }

    fn in_short(&self) -> String {
        match self {
            Self::Refused { code, .. } => format!("refused as `{code}`"),
            Self::Answered { rows, .. } => format!("answered with {} rows", rows.len()),
        }
    }

    /// The same in all that may not depend on rows.
    fn public(&self, outcome: &Outcome) -> (String, Vec<u8>, Vec<Value>) {
        match self {
            Self::Refused { code, seen } => (code.clone(), seen.clone(), Vec::new()),
            Self::Answered { schema, rows, cost, .. } => {
                let keys = |row: &Value| {
                    let cells = row.as_array().into_iter().flatten();
                    cells.map(|cell| if cell.is_string() { cell.clone() } else { Value::Null }).collect()
                };
                let rows = match outcome {
                    Outcome::Filtered => Vec::new(),
                    Outcome::Previewed => rows.clone(),
                    _ => rows.iter().map(keys).collect(),
                };
                (schema.clone(), cost.to_string().into_bytes(), rows)
            }
        }
    }

    fn rows(&self) -> &[Value] {
        match self {
            Self::Refused { .. } => &[],
            Self::Answered { rows, .. } => rows,
        }
    }
}

/// What came of a statement: what is wrong, and the rows on the first bureau.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What is wrong; nothing is as it should be.
    pub wrong: Vec<String>,
    /// The rows, for those that must have the same.
    pub rows: Vec<Value>,
    /// In a few words.
    pub heard: String,
}

impl Side {
    /// Connects to a bureau and asks the bystander's question for the first time.
    ///
    /// # Errors
    /// If it is not answered.
    pub async fn of(bureau: &Bureau, plant: Option<Plant>) -> Result<Self> {
        let (rest, wire) = (Rest::of(bureau)?, Wire::connect(bureau, &bureau.tokens.analyst).await?);
        let (attacker, bystander) = (bureau.tokens.analyst.clone(), bureau.tokens.bystander.clone());
        let process = bureau.process.clone();
        let mut side = Self { rest, wire, attacker, bystander, control: Value::Null, process, plant };
        side.control = side.control().await?;
        Ok(side)
    }

    /// The release that the bystander gets.
    async fn control(&self) -> Result<Value> {
        let sql = format!("SELECT plan, COUNT(*) AS n FROM {DATASET} GROUP BY plan ORDER BY plan");
        let got = self.rest.ask(&sql, None, &self.bystander).await?;
        let mut body = got.json();
        anyhow::ensure!(got.status == 200, "the bystander's question has the status {}: {body}", got.status);
        // What remains goes down as others ask.
        body.as_object_mut().context("an object")?.remove("remaining");
        Ok(body)
    }

    /// Whether the server's process is gone.
    pub fn has_ended(&self) -> bool {
        !self.process.alive()
    }

    /// The fault of a server that is planted at this statement.
    fn fault(&self, hostile: &Hostile) -> Option<Plant> {
        self.plant.filter(|_| hostile.name == PLANTED)
    }

    /// Whether the server is there.
    async fn is_well(&self, who: &str) -> Option<String> {
        match self.rest.api("GET", "/health", "", None).await {
            Ok(got) if got.status == 200 => None,
            other => Some(format!("{who}: the server is not well: {other:?}")),
        }
    }

    /// Whether the bystander is answered as before, while a statement is under way.
    async fn stands(&self, who: &str) -> Option<String> {
        match self.control().await {
            Ok(again) if again == self.control => None,
            Ok(_) => Some(format!("{who}: the bystander's question has another answer")),
            Err(error) => Some(format!("{who}: {error:#}")),
        }
    }

    async fn over_rest(&self, hostile: &Hostile) -> Result<Heard> {
        if self.fault(hostile) == Some(Plant::EndServer) {
            self.process.end();
        }
        let mut got = self.rest.ask(&hostile.sql, hostile.beside.as_ref(), &self.attacker).await?;
        if self.fault(hostile) == Some(Plant::Canary) {
            leak(&mut got);
        }
        let body = got.json();
        let part = |name: &str| body.get(name).cloned().unwrap_or_default();
        let seen = [got.status.to_string().as_bytes(), b"\n", &got.head, b"\n", &got.body].concat();
        Ok(match got.status {
            200 => Heard::Answered {
                schema: part("columns").to_string(),
                rows: part("rows").as_array().cloned().unwrap_or_default(),
                cost: part("cost"),
                bytes: seen,
            },
            _ => Heard::Refused { code: got.text("code"), seen },
        })
    }

    async fn over_flight(&self, hostile: &Hostile) -> Result<Heard> {
        Ok(match self.wire.ask(&hostile.sql, hostile.bind.as_deref()).await? {
            Said::Refused { code, seen } => Heard::Refused { code, seen },
            Said::Table { schema, rows, bytes } => Heard::Answered { schema, rows, cost: Value::Null, bytes },
        })
    }
}

/// Asks both bureaus over the faces that the statement is for, and the bystander's question meanwhile; then whether the servers are
/// there; and judges.
pub async fn run(sides: &[Side; 2], hostile: &Hostile, patterns: &Patterns) -> Verdict {
    let mut verdict = Verdict::default();
    let started = Instant::now();
    let [a, b] = sides;
    let (over_rest, over_flight) = (hostile.bind.is_none(), hostile.beside.is_none());
    let (rest, flight, with, without) = tokio::join!(
        async { if over_rest { Some(tokio::join!(a.over_rest(hostile), b.over_rest(hostile))) } else { None } },
        async { if over_flight { Some(tokio::join!(a.over_flight(hostile), b.over_flight(hostile))) } else { None } },
        a.stands("the bureau"),
        b.stands("its neighbour"),
    );
    verdict.wrong.extend(with.into_iter().chain(without));
    let mut first: Option<Heard> = None;
    for (face, asked) in [("REST", rest), ("Flight", flight)] {
        match asked {
            None => {}
            Some((Ok(with), Ok(without))) => {
                verdict.wrong.extend(judge(hostile, face, &with, &without, patterns));
                if let Some(other) = first.as_ref().filter(|other| !same_rows(other.rows(), with.rows())) {
                    verdict.wrong.push(format!("one question has two answers: {other:?} and {with:?}"));
                }
                verdict.heard = with.in_short();
                first = Some(with);
            }
            Some((Err(error), _) | (_, Err(error))) => {
                verdict.wrong.push(format!("{face}: nothing came back: {error:#}"));
            }
        }
    }
    if started.elapsed() > ANSWER_LIMIT {
        verdict.wrong.push(format!("it took {:.0} s", started.elapsed().as_secs_f64()));
    }
    let (with, without) = tokio::join!(a.is_well("the bureau"), b.is_well("its neighbour"));
    verdict.wrong.extend(with.into_iter().chain(without));
    verdict.rows = first.map(|heard| heard.rows().to_vec()).unwrap_or_default();
    verdict
}

/// A cell in a body that is well formed otherwise.
fn leak(got: &mut Got) {
    let more = format!("{{\"note\":\"{CANARY}-note-7\",");
    got.body.splice(..1.min(got.body.len()), more.into_bytes());
}

fn judge(hostile: &Hostile, face: &str, with: &Heard, without: &Heard, patterns: &Patterns) -> Vec<String> {
    let mut wrong = Vec::new();
    let as_expected = match (&hostile.outcome, with) {
        (Outcome::Code(code), Heard::Refused { code: got, .. }) => code == got,
        (Outcome::Refused, Heard::Refused { code, .. }) => !code.is_empty() && code != "lost" && code != "internal",
        (outcome, Heard::Answered { .. }) => !outcome.is_refusal(),
        _ => false,
    };
    if !as_expected {
        wrong.push(format!("{face}: {} and not {:?}", with.in_short(), hostile.outcome));
    }
    if with.public(&hostile.outcome) != without.public(&hostile.outcome) {
        wrong.push(format!("{face}: another outcome without one person: {with:?}; and {without:?}"));
    }
    for (who, heard) in [("the bureau", with), ("its neighbour", without)] {
        if let Some(canary) = patterns.found(heard.bytes()) {
            wrong.push(format!("{face}: {canary} left {who}"));
        }
        if hostile.outcome.is_refusal() && heard.bytes().len() > 4096 {
            wrong.push(format!("{face}: {} bytes to say no", heard.bytes().len()));
        }
    }
    wrong
}

/// Numbers went through text on one way and not on the other.
pub fn same_rows(a: &[Value], b: &[Value]) -> bool {
    let number = |value: &Value| value.as_f64();
    let same = |a: &Value, b: &Value| match (number(a), number(b)) {
        (Some(x), Some(y)) => (x - y).abs() <= x.abs() * 1e-14,
        _ => a == b,
    };
    let cells = |row: &Value| row.as_array().cloned().unwrap_or_default();
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let (a, b) = (cells(a), cells(b));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same(a, b))
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hostile(outcome: Outcome) -> Hostile {
        let (class, name, sql) = (String::new(), String::new(), String::new());
        Hostile { class, name, outcome, beside: None, bind: None, like: None, sql }
    }

    fn refused(text: &str) -> Heard {
        Heard::Refused { code: "busy".to_owned(), seen: text.as_bytes().to_vec() }
    }

    fn answered(rows: Value) -> Heard {
        let rows = rows.as_array().cloned().unwrap_or_default();
        Heard::Answered { schema: "n".to_owned(), rows, cost: Value::Null, bytes: Vec::new() }
    }

    #[test]
    fn each_thing_that_can_be_wrong_is_noticed() {
        let patterns = Patterns::default();
        let busy = hostile(Outcome::Code("busy".to_owned()));
        let wrong = |hostile: &Hostile, a: &Heard, b: &Heard| judge(hostile, "REST", a, b, &patterns).len();
        assert_eq!(wrong(&busy, &refused("a"), &refused("a")), 0);
        assert_eq!(wrong(&busy, &refused("a"), &refused("b")), 1);
        assert_eq!(wrong(&busy, &refused("CANARY-7f3a"), &refused("CANARY-7f3a")), 2);
        assert_eq!(wrong(&busy, &answered(json!([])), &answered(json!([]))), 1);
        assert_eq!(wrong(&hostile(Outcome::Code("lost".to_owned())), &refused("a"), &refused("a")), 1);
        let groups = hostile(Outcome::Answered);
        let (one, two) = (answered(json!([["a", 1]])), answered(json!([["a", 1], ["b", 2]])));
        assert_eq!(wrong(&groups, &one, &answered(json!([["a", 7]]))), 0);
        assert_eq!(wrong(&groups, &one, &answered(json!([["b", 1]]))), 1);
        assert_eq!(wrong(&groups, &one, &two), 1);
        assert_eq!(wrong(&hostile(Outcome::Filtered), &one, &two), 0);
        assert_eq!(wrong(&hostile(Outcome::Previewed), &one, &answered(json!([["a", 7]]))), 1);
    }

    #[test]
    fn rows_are_the_same_but_for_the_last_digit() {
        assert!(same_rows(&[json!(["a", 0.1])], &[json!(["a", 0.1 + 1e-17])]));
        assert!(!same_rows(&[json!(["a", 0.1])], &[json!(["a", 0.100001])]));
        assert!(!same_rows(&[json!(["a", 1])], &[]));
    }
}
