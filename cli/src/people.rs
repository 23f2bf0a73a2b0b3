//! `people` and `token`: accounts and their access tokens.

use serde_json::json;

use crate::args::{People as Action, Token};
use crate::cards::{IssuedToken, People, Person};
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::{Page, View, say};
use crate::private_file;
use crate::rest::Rest;

/// Carries out one action on accounts.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::List { at } => {
            let reply = Rest::to(&at)?.get("/people")?;
            let list: People = reply.read()?;
            Ok(view.show(&Page::of(grid(&list.people, view)), &reply.text)?)
        }
        Action::Add { person, org, role, name, at } => {
            let body = json!({ "person": person, "org": org, "role": role, "name": name });
            let reply = Rest::to(&at)?.post("/people", &body)?;
            let added: Person = reply.read()?;
            Ok(view.show(&Page::of(grid(&[added], view)), &reply.text)?)
        }
    }
}

fn grid(people: &[Person], view: &View) -> Grid {
    let head = [
        view.words("account", "账号"),
        view.words("organisation", "单位"),
        view.words("role", "角色"),
        view.words("name", "姓名"),
    ];
    Grid::new(head).rows(people.iter().map(|person| {
        vec![
            person.person.as_str().into(),
            person.org.as_str().into(),
            person.role.as_str().into(),
            person.name.as_str().into(),
        ]
    }))
}

/// Carries out one action on tokens.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(crate) fn token(action: Token, view: &View) -> Result<(), Failure> {
    match action {
        Token::Issue { person, days, token_out, at } => {
            let rest = Rest::to(&at)?;
            // The file is made first: a token that could not be written down would be lost.
            let file = token_out.as_deref().map(private_file::create).transpose()?;
            let issued = rest.post("/tokens", &json!({ "person": person, "days": days }));
            let (Some(file), Some(path)) = (file, token_out.as_deref()) else {
                let reply = issued?;
                let IssuedToken { token } = reply.read()?;
                let text = if view.is_json() { &reply.text } else { &token };
                return Ok(say(text)?);
            };
            if issued.is_err() {
                let _ = std::fs::remove_file(path);
            }
            let IssuedToken { token } = issued?.read()?;
            private_file::fill(file, path, format!("{token}\n"))?;
            let page = Page::default().fact(view.words("token", "令牌"), path.display());
            Ok(view.show(&page, &json!({ "token_file": path }).to_string())?)
        }
        Token::Revoke { at } => {
            Rest::to(&at)?.delete("/tokens")?;
            let page = Page::default().remark(view.words("The token is ended.", "令牌已作废。"));
            Ok(view.show(&page, &json!({ "revoked": true }).to_string())?)
        }
    }
}
