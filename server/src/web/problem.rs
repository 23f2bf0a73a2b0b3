//! Pages that say no, in words.

use askama::Template;
use axum::extract::Request;
use glovebox_policy::{Reason, Refusal};

use super::frame::Frame;
use crate::reply::Reply;

/// Why there is nothing else to see.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct Problem {
    pub(crate) frame: Frame,
    pub(crate) refusal: Refusal,
}

impl Problem {
    fn is_missing(&self) -> bool {
        self.refusal.reason() == Reason::NotFound
    }
}

/// Where no page is. It is the same for everybody, so nobody is asked who they are.
pub(crate) fn nothing_here(request: &Request) -> Reply {
    let uri = request.uri();
    Frame::new(uri.path(), uri.query(), request.headers()).problem(Reason::NotFound.into())
}
