//! The statements, read from `statements.sql`, whose head says how it is written.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What is to come of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Refused with this code.
    Code(String),
    /// Refused with any code.
    Refused,
    /// Answered, with rows that are public in number and keys.
    Answered,
    /// Answered; how many rows are left depends on noise.
    Filtered,
    /// Answered without charge; the same bytes on neighbouring data.
    Previewed,
}

impl Outcome {
    fn read(text: &str) -> Self {
        match text {
            "refused" => Self::Refused,
            "answered" => Self::Answered,
            "filtered" => Self::Filtered,
            "previewed" => Self::Previewed,
            code => Self::Code(code.to_owned()),
        }
    }

    /// Whether nothing may come back but a refusal.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Code(_) | Self::Refused)
    }
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// The class it belongs to.
    pub class: String,
    /// Its name, one of a kind.
    pub name: String,
    /// What is to come of it.
    pub outcome: Outcome,
    /// What REST takes beside it; goes over REST alone.
    pub beside: Option<Value>,
    /// Values to bind; goes over Flight alone.
    pub bind: Option<Vec<Value>>,
    /// The statement whose release this one must get.
    pub like: Option<String>,
    /// The text.
    pub sql: String,
}

/// All of them, in order.
///
/// # Errors
/// Where the file is not written as its head says.
pub fn all() -> Result<Vec<Hostile>> {
    read(include_str!("statements.sql"))
}

fn read(text: &str) -> Result<Vec<Hostile>> {
    let mut class = String::new();
    let mut all: Vec<Hostile> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("-- # ") {
            class = name.to_owned();
        } else if let Some(head) = line.strip_prefix("-- ## ") {
            let (name, outcome) = head.rsplit_once(" => ").with_context(|| format!("no outcome: {head}"))?;
            if all.iter().any(|other| other.name == name) {
                bail!("`{name}` is there twice");
            }
            all.push(Hostile {
                class: class.clone(),
                name: name.to_owned(),
                outcome: Outcome::read(outcome),
                beside: None,
                bind: None,
                like: None,
                sql: String::new(),
            });
        } else if let Some(last) = all.last_mut() {
            last.take(line)?;
        }
    }
    for hostile in &all {
        let like = hostile.like.as_deref();
        let known = like.is_none_or(|like| all.iter().take_while(|o| o.name != hostile.name).any(|o| o.name == like));
        if !known || hostile.sql.is_empty() {
            bail!("`{}` has no text, or is like one that does not come before it", hostile.name);
        }
    }
    Ok(all)
}

impl Hostile {
    fn take(&mut self, line: &str) -> Result<()> {
        let line = expanded(line)?;
        let json = |text: &str| serde_json::from_str::<Value>(text).with_context(|| format!("no JSON: {text:.80}"));
        if self.sql.is_empty() && line.is_empty() {
            return Ok(());
        }
        if let Some(beside) = line.strip_prefix("-- beside ") {
            self.beside = Some(json(beside)?);
        } else if let Some(bind) = line.strip_prefix("-- bind ") {
            self.bind = Some(json(bind)?.as_array().context("values to bind are a list")?.clone());
        } else if let Some(like) = line.strip_prefix("-- like ") {
            self.like = Some(like.to_owned());
        } else if !line.is_empty() {
            if !self.sql.is_empty() {
                self.sql.push('\n');
            }
            self.sql.push_str(&line);
        }
        Ok(())
    }
}

/// Writes `«N|text»` out, and `\0` as the byte.
fn expanded(line: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('«') {
        let (repeat, after) = after.split_once('»').context("a repetition without end")?;
        let (count, text) = repeat.split_once('|').context("a repetition without count")?;
        out.push_str(before);
        out.push_str(&text.repeat(count.parse().context("a count that is no number")?));
        rest = after;
    }
    out.push_str(rest);
    Ok(out.replace("\\0", "\0"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn there_are_enough_and_they_are_what_the_file_says() {
        let all = all().unwrap();
        assert!(all.len() >= 60, "{}", all.len());
        let bomb = all.iter().find(|hostile| hostile.name == "a sum of 2,000 terms").unwrap();
        assert_eq!(bomb.sql.matches(" + 1").count(), 2000);
        assert!(all.iter().any(|hostile| hostile.sql.contains('\0')));
        assert!(all.iter().all(|hostile| hostile.beside.is_none() || hostile.bind.is_none()));
        assert!(all.iter().all(|hostile| !hostile.class.is_empty()));
        if let Some(code) = all.iter().find_map(|hostile| match &hostile.outcome {
            Outcome::Code(code) => {
                (!glovebox_policy::Reason::ALL.iter().any(|reason| reason.code() == code)).then_some(code)
            }
            _ => None,
        }) {
            assert_eq!(code, "a code of the list of refusals");
        }
    }

    #[test]
    fn a_file_that_is_written_wrongly_is_noticed() {
        for wrong in ["-- ## a\nx", "-- ## a => refused", "-- ## a => refused\n-- like b\nx", "-- ## a => refused\n«3»"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
