//! Budgets: of contracts for their firms, of domains for officers and auditors too.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use glovebox_engine::{BudgetCard, ContractCard};
use glovebox_policy::{Caller, Refusal};

use super::frame::Frame;
use super::plot::part;
use crate::blocking;
use crate::http::App;
use crate::reply::Reply;

/// The page.
#[derive(Template)]
#[template(path = "budget.html")]
pub(crate) struct Budget {
    frame: Frame,
    domains: Vec<BudgetCard>,
    contracts: Vec<ContractCard>,
    sees_domains: bool,
}

/// The bar of one budget: where what is spent ends, and how much is promised behind it.
struct Bar {
    spent: String,
    promised: String,
    spent_percent: String,
    promised_percent: String,
    left_percent: String,
}

impl Bar {
    fn new(cap: f64, spent: f64, promised: f64) -> Self {
        let (spent, promised) = (part(spent, cap), part(promised, cap));
        let percent = |part: f64| format!("{:.1} %", part / 10.0);
        Self {
            spent: format!("{spent:.1}"),
            promised: format!("{promised:.1}"),
            spent_percent: percent(spent),
            promised_percent: percent(promised),
            left_percent: percent((1_000.0 - spent - promised).max(0.0)),
        }
    }
}

impl Budget {
    fn of_domain(card: &BudgetCard) -> Bar {
        Bar::new(card.cap.rho, card.spent.rho, card.promised.map_or(0.0, |promised| promised.rho))
    }

    fn of_contract(card: &ContractCard) -> Bar {
        Bar::new(card.allotment.rho, card.debited.rho, 0.0)
    }

    fn purposes(card: &ContractCard) -> String {
        card.purposes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Makes the page.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
) -> Reply {
    let made = make(app, frame.clone(), caller).await;
    frame.answer(made)
}

async fn make(app: App, frame: Frame, caller: Caller) -> Result<Budget, Refusal> {
    let (mut domains, contracts) =
        blocking(move || Ok((app.engine.budget(&caller)?, app.engine.contracts(&caller)?))).await?;
    domains.retain(|card| card.scope == "domain");
    let sees_domains = !frame.is_analyst();
    Ok(Budget { frame, domains, contracts, sees_domains })
}
