//! What leaves as pages. Each is a template over kinds that are on the list of [`outbound`](super) themselves, and a frame
//! that says who reads and in which language.

use askama::Template as _;
use glovebox_policy::{Reason, Refusal};

use super::{AsFile, AsPage};

pub(super) use crate::web::applications::{Application, Applications, Apply};
pub(super) use crate::web::budget::Budget;
pub(super) use crate::web::datasets::{Dataset, Datasets};
pub(super) use crate::web::home::Home;
pub(super) use crate::web::jobs::{Job, Jobs};
pub(super) use crate::web::log::Log;
pub(super) use crate::web::problem::Problem;
pub(super) use crate::web::sign_in::SignIn;

/// How the pages look.
pub(crate) struct Style;

/// The icon of the pages.
pub(crate) struct Icon;

macro_rules! pages {
    ($($page:ty),* $(,)?) => { $(
        impl AsPage for $page {
            fn html(&self) -> Result<String, Refusal> {
                self.render().map_err(|_| Reason::Internal.into())
            }
        }
    )* };
}

pages!(Application, Applications, Apply, Budget, Dataset, Datasets, Home, Job, Jobs, Log, Problem, SignIn);

impl AsFile for Style {
    fn file(&self) -> (&'static str, &[u8]) {
        ("text/css; charset=utf-8", include_bytes!("../../assets/style.css"))
    }
}

impl AsFile for Icon {
    fn file(&self) -> (&'static str, &[u8]) {
        ("image/svg+xml", include_bytes!("../../assets/icon.svg"))
    }
}
