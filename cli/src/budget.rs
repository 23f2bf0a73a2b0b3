//! `budget`: what is granted, spent and left.

use crate::cards::Budgets;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::grid::{Grid, short};
use crate::output::{Page, View};
use crate::rest::Rest;

/// Asks and prints: a firm its contracts, officers and auditors the domains too.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn run(at: &Connection, view: &View) -> Result<(), Failure> {
    let reply = Rest::to(at)?.get("/budget")?;
    let list: Budgets = reply.read()?;
    let head = [
        view.words("scope", "范围"),
        view.words("name", "名称"),
        view.words("cap ρ", "上限 ρ"),
        view.words("spent ρ", "已用 ρ"),
        view.words("promised ρ", "已承诺 ρ"),
        view.words("remaining ρ", "剩余 ρ"),
        view.words("promise", "承诺"),
    ];
    let grid = Grid::new(head).rows(list.budgets.iter().map(|budget| {
        let promise = budget.promise.as_ref().map(|promise| {
            let epsilon = promise.epsilon.map_or_else(|| "∞".to_owned(), short);
            format!("ε = {epsilon}, δ = {}", short(promise.delta))
        });
        vec![
            budget.scope.as_str().into(),
            budget.name.as_str().into(),
            budget.cap.rho.into(),
            budget.spent.rho.into(),
            budget.promised.map(|cost| cost.rho).into(),
            budget.remaining.rho.into(),
            promise.into(),
        ]
    }));
    Ok(view.show(&Page::of(grid), &reply.text)?)
}
