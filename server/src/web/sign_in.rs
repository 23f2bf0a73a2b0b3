//! Signing in with a token, and out.
//!
//! What the browser keeps is the random name of a session, never the token. The session is kept in memory by the name's digest, ends with
//! the token, and is looked up anew for every page. Forms carry a second name made from the first, which a page of another site
//! cannot know; that they come from this site is checked beside it, and the cookie does not come along from elsewhere.

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_policy::{Digest, Reason, Refusal};

use super::cookies;
use super::forms::Form;
use super::frame::Frame;
use crate::http::App;
use crate::identity::Credentials;
use crate::limits::{FORM_BYTES, NEXT_BYTES};
use crate::reply::{self, Reply};

/// The session's name, as the browser sent it. Whether it is one is for [`visit`](crate::identity::Identities::visit).
#[derive(Clone)]
pub(crate) struct Session(pub(crate) Option<String>);

impl Session {
    /// What the forms of this session carry: it says nothing of the name, and cannot be had without it.
    pub(crate) fn form(&self) -> Option<String> {
        let name = self.0.as_ref()?;
        Some(Digest::of(format!("glovebox form {name}").as_bytes()).to_string())
    }
}

/// The page to sign in.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignIn {
    frame: Frame,
    /// Where to go on.
    next: String,
    /// Why it did not work.
    problem: Option<String>,
}

impl SignIn {
    /// Before somebody tried.
    pub(crate) fn asking(frame: Frame, next: &str) -> Self {
        Self { frame, next: local(next).to_owned(), problem: None }
    }

    fn failed(frame: Frame, next: &str, refusal: &Refusal) -> Self {
        let problem = match refusal.reason() {
            Reason::Unauthenticated => frame.t.token_wrong.to_owned(),
            _ => frame.refusal(refusal),
        };
        Self { frame, next: local(next).to_owned(), problem: Some(problem) }
    }
}

/// A path of this server, or the first page: an address that somebody made up leads nowhere else.
fn local(next: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
    let good = next.starts_with('/') && !next.contains("//") && next.len() <= NEXT_BYTES && next.bytes().all(plain);
    if good && next != "/sign-in" { next } else { "/" }
}

/// The page.
pub(crate) async fn show(Extension(frame): Extension<Frame>) -> Reply {
    reply::page(StatusCode::OK, &SignIn::asking(frame, "/"))
}

/// A token that was pasted.
pub(crate) async fn enter(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Reply {
    let credentials = Credentials::of(request.headers(), request.extensions());
    let form = match Form::read(request, FORM_BYTES).await {
        Ok(form) => form,
        Err(refusal) => return frame.problem(refusal),
    };
    let (token, next) = (form.get("token"), form.get("next"));
    match app.identities.enter(token.trim(), credentials).await {
        Ok(name) => {
            if let Some(before) = &session.0 {
                app.identities.leave(before);
            }
            let mut reply = reply::see_other(local(next));
            cookies::give_session(reply.headers_mut(), &name);
            reply
        }
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.reason().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply::page(status, &SignIn::failed(frame, next, &refusal))
        }
    }
}

/// Ends the session.
pub(crate) async fn leave(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Reply {
    if let Err(refusal) = Form::of_session(request, &session, FORM_BYTES).await {
        return frame.problem(refusal);
    }
    app.identities.leave(session.0.as_deref().unwrap_or_default());
    let mut reply = reply::see_other("/sign-in");
    cookies::take_session(reply.headers_mut());
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_led_elsewhere() {
        for good in ["/", "/jobs/j-0123456789abcdef", "/datasets/medical.rand_hie"] {
            assert_eq!(local(good), good);
        }
        for bad in
            ["", "jobs", "//evil.example", "/\\evil.example", "https://evil.example", "/a?b", "/a\r\nb", "/sign-in"]
        {
            assert_eq!(local(bad), "/", "{bad:?}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(300))), "/");
    }

    #[test]
    fn the_form_of_a_session_does_not_tell_its_name() {
        let form = |name: &str| Session(Some(name.to_owned())).form();
        assert_ne!(form("gbs_1"), form("gbs_2"));
        assert_eq!(Session(None).form(), None);
        assert!(form("gbs_1").is_some_and(|form| form.len() == 64 && !form.contains("gbs_1")));
    }
}
