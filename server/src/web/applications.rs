//! Applications for data (数据使用申请): a firm writes them and sees its own; officers read, draft a contract from them, or say no.

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_engine::{ApplicationCard, DatasetCard};
use glovebox_policy::{ApplicationId, Caller, ContractId, DatasetName, Reason, Refusal, text};
use serde::Deserialize;

use super::access::rest_gives;
use super::application_text;
use super::forms::Form;
use super::frame::Frame;
use super::sign_in::Session;
use crate::blocking;
use crate::http::App;
use crate::http::read::{self, PathText, QueryOf};
use crate::limits::{APPLICATION_FORM_BYTES, LISTED_APPLICATIONS};
use crate::outbound::ContractDraft;
use crate::reply::{self, Reply};

/// The applications that the reader may see, newest first, a part at a time.
#[derive(Template)]
#[template(path = "applications.html")]
pub(crate) struct Applications {
    frame: Frame,
    cards: Vec<ApplicationCard>,
    /// Where the part with newer ones starts.
    newer: Option<usize>,
    /// Where the part with older ones starts.
    older: Option<usize>,
}

/// Writing one: the dataset is chosen, then the text is edited.
#[derive(Template)]
#[template(path = "apply.html")]
pub(crate) struct Apply {
    frame: Frame,
    /// What may be applied for; none once the text is there.
    datasets: Vec<DatasetCard>,
    /// The text so far; none before a dataset is chosen.
    text: Option<String>,
    /// Why it was not taken.
    problem: Option<Refusal>,
}

/// One application.
#[derive(Template)]
#[template(path = "application.html")]
pub(crate) struct Application {
    frame: Frame,
    card: ApplicationCard,
    /// The contract that would grant it, under a name; nothing where the reader drafts none.
    draft: Option<(String, Result<ContractDraft, Refusal>)>,
    /// Why something was not done.
    problem: Option<Refusal>,
}

impl Application {
    fn is_waiting(&self) -> bool {
        self.card.status == "waiting"
    }

    fn is_own(&self) -> bool {
        self.frame.caller.as_ref().is_some_and(|caller| caller.org == self.card.org)
    }

    /// Whether this reader may take it back.
    fn is_to_withdraw(&self) -> bool {
        self.is_waiting() && self.frame.is_analyst() && self.is_own()
    }

    /// Whether an answer of this officer is due.
    fn is_to_answer(&self) -> bool {
        self.is_waiting() && self.frame.is_officer() && !self.is_own()
    }

    /// What the firm wrote, with everything spelled out that a reader would not see as it is.
    fn text(&self) -> String {
        let lines = self.card.text.as_deref().unwrap_or_default().lines();
        lines.map(text::spelled_out).collect::<Vec<_>>().join("\n")
    }
}

/// Which part of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    #[serde(default)]
    start: usize,
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// Which dataset to apply for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuery {
    dataset: Option<String>,
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// Under which name a contract is drafted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowQuery {
    contract: Option<String>,
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// Makes the list.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    query: QueryOf<ListQuery>,
) -> Reply {
    let made = async {
        let start = read::query(query)?.start;
        let all = blocking(move || app.engine.applications(&caller)).await?;
        let end = start.saturating_add(LISTED_APPLICATIONS);
        let newer = (start > 0).then(|| start.saturating_sub(LISTED_APPLICATIONS));
        let older = (end < all.len()).then_some(end);
        let cards = all.into_iter().rev().skip(start).take(LISTED_APPLICATIONS).collect();
        Ok(Applications { frame: frame.clone(), cards, newer, older })
    };
    let made = made.await;
    frame.answer(made)
}

/// Makes the page to write one.
pub(crate) async fn write(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    query: QueryOf<NewQuery>,
) -> Reply {
    let made = read::query(query).and_then(|query| {
        let mut datasets = app.engine.datasets();
        datasets.retain(|card| card.budget_domain.is_some());
        let Some(name) = query.dataset else {
            return Ok(Apply { frame: frame.clone(), datasets, text: None, problem: None });
        };
        let name: DatasetName = read::named(&name)?;
        let card = datasets.into_iter().find(|card| card.name == name);
        let card = card.ok_or_else(|| Refusal::about(Reason::NotFound, &name.to_string()))?;
        let text = Some(application_text::beginning(&card, chrono::Utc::now()));
        Ok(Apply { frame: frame.clone(), datasets: Vec::new(), text, problem: None })
    });
    frame.answer(made)
}

/// Hands one in.
pub(crate) async fn hand_in(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Reply {
    let form = match Form::of_session(request, &session, APPLICATION_FORM_BYTES).await {
        Ok(form) => form,
        Err(refusal) => return frame.problem(refusal),
    };
    let text = form.lines("application");
    let handed_in = text.clone();
    match blocking(move || app.engine.apply(&caller, &handed_in)).await {
        Ok(card) => reply::see_other(&format!("/applications/{}", card.id)),
        Err(refusal) => {
            let (status, problem) = (status_of(&refusal), Some(refusal));
            reply::page(status, &Apply { frame, datasets: Vec::new(), text: Some(text), problem })
        }
    }
}

/// Makes the page of one.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    id: PathText,
    query: QueryOf<ShowQuery>,
) -> Reply {
    let made = async {
        let id: ApplicationId = read::path(id)?;
        make(app, frame.clone(), caller, id, read::query(query)?.contract).await
    };
    let made = made.await;
    frame.answer(made)
}

async fn make(
    app: App,
    frame: Frame,
    caller: Caller,
    id: ApplicationId,
    contract: Option<String>,
) -> Result<Application, Refusal> {
    let (card, draft) = blocking(move || {
        let card = app.engine.application(&caller, &id)?;
        let drafts = rest_gives("/applications/{id}/draft", caller.role) && caller.org != card.org;
        let draft = (drafts && card.status == "waiting").then(|| {
            let name = contract.filter(|name| !name.is_empty()).unwrap_or_else(|| usual_name(&card));
            let draft = name
                .parse::<ContractId>()
                .map_err(|_| Refusal::about(Reason::ContractInvalid, &name))
                .and_then(|name| app.engine.draft_contract(&caller, &id, &name))
                .map(|contract| ContractDraft { contract });
            (name, draft)
        });
        Ok((card, draft))
    })
    .await?;
    Ok(Application { frame, card, draft, problem: None })
}

/// What a contract that grants an application is called unless the officer calls it something else.
fn usual_name(card: &ApplicationCard) -> String {
    let dataset = card.dataset.to_string();
    let table = dataset.rsplit('.').next().unwrap_or_default();
    let day = card.at.get(..10).unwrap_or_default().replace('-', "");
    format!("{}-{table}-{day}", card.org).chars().take(64).collect()
}

/// An officer's no.
pub(crate) async fn reject(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    id: PathText,
    request: Request,
) -> Reply {
    let form = Form::of_session(request, &session, APPLICATION_FORM_BYTES).await;
    acted(app, frame, caller, id, form, |app, caller, id, form| {
        app.engine.reject_application(caller, id, &form.lines("reason"))
    })
    .await
}

/// The firm takes it back.
pub(crate) async fn withdraw(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    id: PathText,
    request: Request,
) -> Reply {
    let form = Form::of_session(request, &session, APPLICATION_FORM_BYTES).await;
    acted(app, frame, caller, id, form, |app, caller, id, _| app.engine.withdraw_application(caller, id)).await
}

/// Does what a form asks for and goes back to the application's page, which says why where it was not done.
async fn acted(
    app: App,
    frame: Frame,
    caller: Caller,
    id: PathText,
    form: Result<Form, Refusal>,
    act: fn(&App, &Caller, &ApplicationId, &Form) -> Result<ApplicationCard, Refusal>,
) -> Reply {
    let (form, id) = match (form, read::path::<ApplicationId>(id)) {
        (Ok(form), Ok(id)) => (form, id),
        (Err(refusal), _) | (_, Err(refusal)) => return frame.problem(refusal),
    };
    let (own, asker, named) = (app.clone(), caller.clone(), id.clone());
    match blocking(move || act(&own, &asker, &named, &form)).await {
        Ok(card) => reply::see_other(&format!("/applications/{}", card.id)),
        Err(refusal) => {
            let (status, problem) = (status_of(&refusal), Some(refusal));
            match make(app, frame.clone(), caller, id, None).await {
                Ok(page) => reply::page(status, &Application { problem, ..page }),
                Err(refusal) => frame.problem(refusal),
            }
        }
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.reason().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
