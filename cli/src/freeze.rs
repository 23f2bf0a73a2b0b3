//! `freeze`: what officers stop at once.

use serde_json::json;

use crate::args::{Freezable, Freeze as Action, Frozen};
use crate::cards::{Freeze, Freezes};
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::{Page, View};
use crate::rest::Rest;

/// Carries out one action on freezes.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    let (frozen, of) = match action {
        Action::Set(of) => (true, of),
        Action::Lift(of) => (false, of),
        Action::List { at } => {
            let reply = Rest::to(&at)?.get("/freezes")?;
            let list: Freezes = reply.read()?;
            return Ok(view.show(&Page::of(grid(&list.freezes, view)), &reply.text)?);
        }
    };
    let Frozen { kind, name, reason, at } = of;
    let kind = match kind {
        Freezable::Dataset => "dataset",
        Freezable::Contract => "contract",
        Freezable::Person => "person",
    };
    let body = json!({ "kind": kind, "name": name, "frozen": frozen, "reason": reason });
    let reply = Rest::to(&at)?.post("/freezes", &body)?;
    let made: Freeze = reply.read()?;
    Ok(view.show(&Page::of(grid(&[made], view)), &reply.text)?)
}

fn grid(freezes: &[Freeze], view: &View) -> Grid {
    let head = [
        view.words("what", "对象"),
        view.words("name", "名称"),
        view.words("now", "状态"),
        view.words("officer", "专员"),
        view.words("at", "时间"),
        view.words("reason", "理由"),
    ];
    Grid::new(head).rows(freezes.iter().map(|freeze| {
        let now = if freeze.frozen { view.words("frozen", "冻结") } else { view.words("let go", "解除") };
        vec![
            freeze.kind.as_str().into(),
            freeze.name.as_str().into(),
            now.into(),
            freeze.officer.as_str().into(),
            freeze.at.as_str().into(),
            freeze.reason.as_str().into(),
        ]
    }))
}
