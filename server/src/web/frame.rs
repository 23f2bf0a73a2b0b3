//! What stands around every page: who reads it, in which language, and the way to the others.

use std::borrow::Borrow;

use axum::http::{HeaderMap, StatusCode};
use glovebox_engine::{JobState, Scalar};
use glovebox_policy::{Caller, Refusal, Role};

use super::access::pages_of;
use super::format;
use super::language::Language;
use super::problem::Problem;
use super::texts::{self, Texts};
use crate::outbound::AsPage;
use crate::reply::{self, Reply};

/// What every page is given.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The language.
    pub(crate) language: Language,
    /// Its texts.
    pub(crate) t: &'static Texts,
    /// Who reads; nobody yet where signing in is still to come.
    pub(crate) caller: Option<Caller>,
    /// What the forms of this session must carry; none without a session.
    pub(crate) form: Option<String>,
    /// The first part of the path, by which the menu knows where it is.
    section: String,
    /// The same page in the other language, relative to itself.
    pub(crate) switch: String,
}

/// One line of the menu.
pub(crate) struct Entry {
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
    pub(crate) here: bool,
}

impl Frame {
    /// For a request of somebody who is not known yet.
    pub(crate) fn new(path: &str, query: Option<&str>, headers: &HeaderMap) -> Self {
        let language = Language::of(query, headers);
        let section = path.split('/').nth(1).unwrap_or_default();
        let others = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang="));
        let mut pairs: Vec<&str> = others.collect();
        let lang = format!("lang={}", language.other().code());
        pairs.push(&lang);
        let switch = format!("?{}", pairs.join("&"));
        Self { language, t: language.texts(), caller: None, form: None, section: section.to_owned(), switch }
    }

    /// The frame with a reader.
    pub(crate) fn of(self, caller: Caller, form: Option<String>) -> Self {
        Self { caller: Some(caller), form, ..self }
    }

    /// The menu: the pages that this role may see.
    pub(crate) fn menu(&self) -> Vec<Entry> {
        let Some(role) = self.role() else { return Vec::new() };
        let t = self.t;
        let lines = [
            ("/", t.home),
            ("/datasets", t.datasets),
            ("/applications", t.applications),
            ("/jobs", t.jobs),
            ("/budget", t.budget),
            ("/log", t.log),
        ];
        let open = pages_of(role);
        let seen = lines.into_iter().filter(|(path, _)| open.contains(path));
        seen.map(|(path, text)| Entry { path, text, here: path.trim_start_matches('/') == self.section }).collect()
    }

    /// The reader's role.
    pub(crate) fn role(&self) -> Option<Role> {
        self.caller.as_ref().map(|caller| caller.role)
    }

    /// Whether an officer reads.
    pub(crate) fn is_officer(&self) -> bool {
        self.role() == Some(Role::Officer)
    }

    /// Whether an analyst reads.
    pub(crate) fn is_analyst(&self) -> bool {
        self.role() == Some(Role::Analyst)
    }

    /// The reader's role in words.
    pub(crate) fn role_text(&self) -> &'static str {
        self.role().map_or("", |role| self.t.role_of(self.language, role))
    }

    /// One of two texts.
    pub(crate) fn pick<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        match self.language {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    fn side<T: Copy>(&self, [chinese, english]: [T; 2]) -> T {
        match self.language {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    /// A job's state in a word.
    pub(crate) fn state(&self, state: impl Borrow<JobState>) -> &'static str {
        self.side(texts::state(*state.borrow())).0
    }

    /// What a job's state means.
    pub(crate) fn state_means(&self, state: impl Borrow<JobState>) -> &'static str {
        self.side(texts::state(*state.borrow())).1
    }

    /// An application's state in a word.
    pub(crate) fn application<'a>(&self, status: &'a str) -> &'a str {
        texts::application(status).map_or(status, |both| self.side(both).0)
    }

    /// What an application's state means.
    pub(crate) fn application_means(&self, status: &str) -> &'static str {
        texts::application(status).map_or("", |both| self.side(both).1)
    }

    /// A kind of column.
    pub(crate) fn kind(&self, kind: impl Borrow<glovebox_engine::CardKind>) -> &'static str {
        self.side(texts::kind(*kind.borrow()))
    }

    /// A kind of log entry.
    pub(crate) fn entry<'a>(&self, kind: &'a str) -> &'a str {
        texts::entry(kind).map_or(kind, |both| self.side(both))
    }

    /// What a log entry is about.
    pub(crate) fn about<'a>(&self, key: &'a str) -> &'a str {
        texts::about(key).map_or(key, |both| self.side(both))
    }

    /// A verdict's decision.
    pub(crate) fn decision<'a>(&self, decision: &'a str) -> &'a str {
        match decision {
            "approve" => self.t.approve,
            "reject" => self.t.reject,
            other => other,
        }
    }

    /// A figure.
    pub(crate) fn number(&self, value: impl Borrow<f64>) -> String {
        format::number(*value.borrow())
    }

    /// A whole number.
    pub(crate) fn count(&self, value: impl std::fmt::Display) -> String {
        format::grouped(&value.to_string())
    }

    /// An instant.
    pub(crate) fn instant(&self, text: impl AsRef<str>) -> String {
        format::instant(text.as_ref())
    }

    /// A value of a table.
    pub(crate) fn scalar(&self, value: &Scalar) -> String {
        format::scalar(value)
    }

    /// A refusal in the reader's language.
    pub(crate) fn refusal(&self, refusal: &Refusal) -> String {
        match self.language {
            Language::Chinese => refusal.chinese(),
            Language::English => refusal.english(),
        }
    }

    /// The page, or a page with the refusal instead.
    pub(crate) fn answer<P: AsPage>(self, made: Result<P, Refusal>) -> Reply {
        match made {
            Ok(page) => reply::page(StatusCode::OK, &page),
            Err(refusal) => self.problem(refusal),
        }
    }

    /// A page that says no.
    pub(crate) fn problem(self, refusal: Refusal) -> Reply {
        let status = StatusCode::from_u16(refusal.reason().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        reply::page(status, &Problem { frame: self, refusal })
    }
}
