//! Applications as the engine shows them: an old text that cannot be read any more hides nothing else.

use glovebox_ledger::NewApplication;
use glovebox_policy::Reason;

use crate::world::{World, ana, auditor, officer};

const APPLICATION: &str = r#"
why = "a model of visits"
dataset = "medical.visits"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2099-01-01T00:00:00Z"

[budget]
allotment_rho = 0.01
per_day_rho = 0.01

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 2

[[grants]]
roles = ["aggregate"]
columns = ["visits"]
"#;

#[test]
fn an_unreadable_text_is_shown_as_such_and_can_be_answered() {
    let world = World::new();
    let old = NewApplication {
        application: "a-old".parse().unwrap(),
        person: "ana".parse().unwrap(),
        dataset: "medical.visits".parse().unwrap(),
        text: "of = \"another version\"".to_owned(),
        now_unix_s: 1,
    };
    {
        let _made = world.open();
        world.ledger().apply(&old).unwrap();
    }
    let engine = world.open();
    let made = engine.apply(&ana(), APPLICATION).unwrap();
    for who in [ana(), officer(), auditor()] {
        let all = engine.applications(&who).unwrap();
        let seen: Vec<(&str, Option<&str>)> = all.iter().map(|it| (it.id.as_str(), it.why.as_deref())).collect();
        assert_eq!(seen, [("a-old", None), (made.id.as_str(), Some("a model of visits"))]);
    }
    let shown = engine.application(&officer(), &old.application).unwrap();
    assert_eq!((shown.status, shown.text), ("waiting", Some(old.text)));
    let draft = engine.draft_contract(&officer(), &old.application, &"more".parse().unwrap());
    assert_eq!(draft.unwrap_err().reason(), Reason::ApplicationInvalid);
    let rejected = engine.reject_application(&officer(), &old.application, "hand it in again").unwrap();
    assert_eq!((rejected.status, rejected.why), ("rejected", None));
}
