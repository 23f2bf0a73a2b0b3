//! `sql`: one statement, its released rows, and what they cost.

use std::io::Read as _;

use anyhow::Context as _;
use serde_json::json;

use crate::args::Sql;
use crate::cards::{Answer, Asked};
use crate::failure::Failure;
use crate::grid::{Cell, Grid, plain, short};
use crate::output::{Lang, Page, View};
use crate::release_files;
use crate::rest::Rest;

/// The server takes statements of 16 KiB; this much is read to let it say so.
const STATEMENT_BYTES: u64 = 1 << 20;

/// Asks and prints.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn run(args: &Sql, view: &View) -> Result<(), Failure> {
    let statement = match args.statement.as_str() {
        "-" => from_standard_input()?,
        text => text.to_owned(),
    };
    let body = json!({ "sql": statement, "purpose": args.purpose, "epsilon": args.epsilon, "contract": args.contract });
    let rest = Rest::to(&args.at)?;
    let reply = rest.post("/sql", &body)?;
    let answer: Answer = reply.read()?;
    let mut page = page(&answer, view);
    if let (Some(dir), Some(contract)) = (&args.out, &args.contract) {
        release_files::write(&rest, &answer, contract, dir)?;
        page = release_files::told(page, dir, view);
    }
    Ok(view.show(&page, &reply.text)?)
}

fn from_standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(STATEMENT_BYTES).read_to_string(&mut text);
    read.context("the statement cannot be read from standard input")?;
    Ok(text)
}

/// The rows, every digit of them.
pub(crate) fn grid(answer: &Answer) -> Grid {
    let head = answer.columns.iter().map(|column| column.name.as_str());
    Grid::new(head).rows(answer.rows.iter().map(|row| row.iter().map(Cell::from).collect()))
}

/// The rows and what they cost.
pub(crate) fn page(answer: &Answer, view: &View) -> Page {
    let grid = grid(answer);
    let rows = grid.len();
    let mut page = Page::of(grid);
    page = page.remark(match (view.lang, rows) {
        (Lang::En, 1) => "1 row".to_owned(),
        (Lang::En, rows) => format!("{rows} rows"),
        (Lang::Zh, rows) => format!("{rows} 行"),
    });
    if let Some(cost) = &answer.cost {
        page = page.remark(paid(cost, view));
    }
    if let Some(left) = &answer.remaining {
        page = page.remark(format!("{} rho {}", view.words("remaining ", "剩余      "), short(left.rho)));
    }
    if let Some(release) = &answer.release {
        page = page.remark(format!("{} {}", view.words("request   ", "请求      "), plain(&release.request)));
    }
    page
}

/// What an answer cost. A statement says of which epsilon and delta; a job's manifest does.
fn paid(cost: &Asked, view: &View) -> String {
    let rho = short(cost.rho);
    let asked = cost.epsilon.zip(cost.at_delta).map(|(epsilon, delta)| (short(epsilon), short(delta)));
    match (view.lang, asked) {
        (Lang::En, Some((epsilon, delta))) => {
            format!("cost       rho {rho} (epsilon {epsilon} at delta {delta}); asked again it is free")
        }
        (Lang::Zh, Some((epsilon, delta))) => {
            format!("代价       rho {rho}（epsilon {epsilon}，delta {delta}）；重复提问不再计费")
        }
        (Lang::En, None) => format!("cost       rho {rho}; fetched again it is free"),
        (Lang::Zh, None) => format!("代价       rho {rho}；再次获取不再计费"),
    }
}
