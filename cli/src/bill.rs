//! `bill`: what a contract is billed for a month.

use crate::args::Bill as Ask;
use crate::cards::Bill;
use crate::failure::Failure;
use crate::grid::{Grid, short};
use crate::output::{Page, View};
use crate::rest::Rest;

/// Asks and prints.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn run(ask: &Ask, view: &View) -> Result<(), Failure> {
    let month = ask.month.as_deref().filter(|month| month.chars().all(|c| c.is_ascii_digit() || c == '-'));
    let query = match (&ask.month, month) {
        (None, _) => String::new(),
        // What is no month is refused by the server in its own words.
        (Some(_), month) => format!("?month={}", month.unwrap_or("0")),
    };
    let reply = Rest::to(&ask.at)?.get(&format!("/contracts/{}/bill{query}", ask.contract))?;
    let bill: Bill = reply.read()?;
    let price = |hundredths: u64| format!("{}.{:02} {}", hundredths / 100, hundredths % 100, bill.currency);
    let head = [
        view.words("at", "时间"),
        view.words("by", "操作人"),
        view.words("request", "请求"),
        view.words("cost ρ", "代价 ρ"),
        view.words("price", "价格"),
    ];
    let grid = Grid::new(head).rows(bill.lines.iter().map(|line| {
        vec![
            line.at.as_str().into(),
            line.person.as_str().into(),
            line.request.as_str().into(),
            line.cost.rho.into(),
            price(line.price).as_str().into(),
        ]
    }));
    let page = Page::of(grid)
        .fact(view.words("contract", "合同"), &bill.contract)
        .fact(view.words("month (UTC)", "月份（UTC）"), &bill.month)
        .fact(view.words("cost ρ", "代价 ρ"), short(bill.cost.rho))
        .fact(view.words("total", "合计"), price(bill.total));
    Ok(view.show(&page, &reply.text)?)
}
