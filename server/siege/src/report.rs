//! The suite from its start to its line of JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Plant;
use crate::bureau::Bureau;
use crate::canary::Patterns;
use crate::culprit;
use crate::exits::{self, Swept};
use crate::statements::{self, Hostile, Outcome};
use crate::trial::{self, Side, Verdict};

/// Statements under way at the same time. Each is asked over both faces, beside the bystander's question: all of one firm, which is
/// to stay below its share of places.
const LANES: usize = 20;
/// The most memory that a server may have had, in MiB.
const MEMORY_LIMIT_MIB: u64 = 1024;

/// What the suite found.
#[derive(Debug, Default)]
pub struct Report {
    /// Statements by class: how many, and how many were not as they should be.
    pub classes: BTreeMap<String, (usize, usize)>,
    /// What is wrong, with the statement or the exit.
    pub wrong: Vec<String>,
    /// How many statements were not asked, because a server had ended.
    pub unasked: usize,
    /// What left and was searched.
    pub swept: Swept,
    /// The most memory that one of the servers had, in MiB.
    pub peak_mib: u64,
    /// How long the statements took, in seconds.
    pub statements_s: f64,
    /// How long all of it took, in seconds.
    pub seconds: f64,
}

/// The statements that the planted mistakes are found with.
const PROBES: &[&str] = &["a preview of groups", "an identifier as group", "by a group that one person has alone"];

/// Plants each mistake in turn and sees that it is found: a suite that finds nothing is worth nothing.
///
/// # Errors
/// If a mistake is not found.
pub async fn self_check(binary: &Path) -> Result<()> {
    try_join_all(Plant::ALL.iter().map(|(name, plant)| is_found(binary, name, *plant))).await?;
    Ok(())
}

async fn is_found(binary: &Path, name: &str, plant: Plant) -> Result<()> {
    let (bureaus, sides) = pair(binary, Some(plant)).await?;
    let probes = statements::all()?.into_iter().filter(|hostile| PROBES.contains(&hostile.name.as_str())).collect();
    let (mut report, patterns) = (Report::default(), Arc::new(Patterns::default()));
    let suspects = statements_at(&sides, probes, &patterns, &mut report).await?;
    drop(bureaus);
    if !suspects.is_empty() {
        report.wrong.extend(culprit::find(binary, Some(plant), &suspects, &patterns).await?);
    }
    let found = report.wrong.iter().any(|wrong| wrong.contains(plant.sign()));
    ensure!(found, "the planted mistake `{name}` was not found, only {:?}", report.wrong);
    Ok(())
}

/// The two bureaus, served, with the ways into them.
pub(crate) async fn pair(binary: &Path, plant: Option<Plant>) -> Result<([Bureau; 2], [Side; 2])> {
    let bureaus = [Bureau::serve(binary, true, plant)?, Bureau::serve(binary, false, plant)?];
    let [with, without] = &bureaus;
    let sides = [Side::of(with, plant).await?, Side::of(without, plant).await?];
    Ok((bureaus, sides))
}

/// Makes the two bureaus, lets `binary` serve them, and attacks.
///
/// # Errors
/// If a bureau cannot be made or served.
pub async fn attack(binary: &Path, plant: Option<Plant>) -> Result<Report> {
    let started = Instant::now();
    let mut report = Report::default();
    let patterns = Arc::new(Patterns::default());
    let (bureaus, sides) = pair(binary, plant).await?;
    let statements = Instant::now();
    let suspects = statements_at(&sides, statements::all()?, &patterns, &mut report).await?;
    report.statements_s = statements.elapsed().as_secs_f64();
    let [with_everybody, _] = &bureaus;
    if suspects.is_empty() {
        match exits::sweep(with_everybody, &patterns).await {
            Ok(swept) => report.swept = swept,
            Err(error) => report.wrong.push(format!("not all that leaves could be fetched: {error:#}")),
        }
    } else {
        report.wrong.splice(..0, culprit::find(binary, plant, &suspects, &patterns).await?);
    }
    report.wrong.extend(std::mem::take(&mut report.swept.wrong));
    for bureau in &bureaus {
        report.peak_mib = report.peak_mib.max(bureau.peak_mib());
        if !bureau.process.alive() {
            report.wrong.push(format!("a server has ended: {}", String::from_utf8_lossy(&bureau.log())));
        }
        if String::from_utf8_lossy(&bureau.log()).contains("panicked") {
            report.wrong.push(format!("something panicked: {}", String::from_utf8_lossy(&bureau.log())));
        }
    }
    if report.peak_mib > MEMORY_LIMIT_MIB {
        report.wrong.push(format!("a server had {} MiB", report.peak_mib));
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Previews first, while both bureaus have the same history; then all that does not ask for another's release; then what does.
/// Gives what was under way when a server ended; after that, nothing more is asked.
async fn statements_at(
    sides: &[Side; 2],
    all: Vec<Hostile>,
    patterns: &Arc<Patterns>,
    report: &mut Report,
) -> Result<Vec<Hostile>> {
    let (previewed, rest): (Vec<Hostile>, Vec<Hostile>) =
        all.into_iter().partition(|hostile| hostile.outcome == Outcome::Previewed);
    let (again, free): (Vec<Hostile>, Vec<Hostile>) = rest.into_iter().partition(|hostile| hostile.like.is_some());
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut suspects = Vec::new();
    for some in [previewed, free, again] {
        let lanes = Arc::new(Semaphore::new(LANES));
        let mut tasks = JoinSet::new();
        for hostile in some {
            let (sides, patterns, lanes) = (sides.clone(), Arc::clone(patterns), Arc::clone(&lanes));
            tasks.spawn(async move {
                // The semaphore is never closed.
                let _lane = lanes.acquire_owned().await.ok();
                if sides.iter().any(Side::has_ended) {
                    return (None, hostile);
                }
                let verdict = trial::run(&sides, &hostile, &patterns).await;
                (Some((verdict, sides.iter().any(Side::has_ended))), hostile)
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (done, hostile) = done?;
            let Some((mut verdict, ended)) = done else {
                report.unasked += 1;
                continue;
            };
            if ended {
                suspects.push(hostile.clone());
            }
            let same = |like: &String| rows.get(like).is_some_and(|rows| trial::same_rows(rows, &verdict.rows));
            if let Some(like) = hostile.like.as_ref().filter(|like| !same(like)) {
                verdict.wrong.push(format!("another answer than `{like}`: {:?}", verdict.rows));
            }
            rows.insert(hostile.name.clone(), std::mem::take(&mut verdict.rows));
            report.take(&hostile, verdict);
        }
    }
    Ok(suspects)
}

impl Report {
    fn take(&mut self, hostile: &Hostile, verdict: Verdict) {
        let (count, bad) = self.classes.entry(hostile.class.clone()).or_default();
        *count += 1;
        *bad += usize::from(!verdict.wrong.is_empty());
        self.wrong.extend(verdict.wrong.iter().map(|what| format!("{} / {}: {what}", hostile.class, hostile.name)));
    }

    /// Whether nothing is wrong, and there was something to be.
    pub fn pass(&self) -> bool {
        self.wrong.is_empty() && self.unasked == 0 && self.statements() > 0 && self.swept.answers > 0
    }

    /// How many statements there were.
    pub fn statements(&self) -> usize {
        self.classes.values().map(|(count, _)| count).sum()
    }

    /// The line that a machine reads.
    pub fn json(&self, plant: Option<&str>) -> Value {
        let tenth = |seconds: f64| (seconds * 10.0).round() / 10.0;
        json!({
            "command": "attack sql", "plant": plant, "pass": self.pass(), "statements": self.statements(),
            "unasked": self.unasked, "classes": self.classes.len(), "wrong": self.wrong.len(), "searched": self.swept.answers,
            "searched_bytes": self.swept.bytes, "peak_mib": self.peak_mib, "statements_s": tenth(self.statements_s),
            "seconds": tenth(self.seconds),
        })
    }
}
