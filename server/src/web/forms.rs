//! Forms of the pages: read within a limit, and of the session that sends them.
//!
//! INVARIANT (a form is of its session): what changes anything carries the name that only a page of this session shows; whoever
//! comes by a client certificate alone has no session, and signs in first.

use axum::extract::Request;
use glovebox_policy::{Reason, Refusal};

use super::sign_in::Session;
use crate::http::read;

/// The fields of a form.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form that is no longer than a limit.
    ///
    /// # Errors
    /// [`Reason::BadRequest`].
    pub(crate) async fn read(request: Request, longest: usize) -> Result<Self, Refusal> {
        let bytes = read::bytes(request).await.ok().filter(|bytes| bytes.len() <= longest);
        let bytes = bytes.ok_or_else(|| Refusal::about(Reason::BadRequest, "the form is too long or broke off"))?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    /// Reads a form, which must be of this session.
    ///
    /// # Errors
    /// [`Reason::BadRequest`].
    pub(crate) async fn of_session(request: Request, session: &Session, longest: usize) -> Result<Self, Refusal> {
        let form = Self::read(request, longest).await;
        let wanted =
            session.form().ok_or_else(|| Refusal::about(Reason::BadRequest, "there is no session; sign in first"))?;
        // Both are digests, so the time that comparing takes tells nothing that helps.
        form.ok().filter(|form| form.get("form") == wanted).ok_or_else(|| {
            Refusal::about(Reason::BadRequest, "the form is not of this session, too long, or broke off")
        })
    }

    /// A field; one that is missing is empty.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A text of several lines, with the ends of lines that everybody else writes; browsers send others.
    pub(crate) fn lines(&self, name: &str) -> String {
        self.get(name).replace("\r\n", "\n")
    }
}
