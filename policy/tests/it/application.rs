//! Applications: read as strictly as contracts, and what is drafted from one says what was asked for and nothing else.

use glovebox_policy::application::{APPLICATION_MAX_BYTES, Application, Settled, WHY_MAX_BYTES};
use glovebox_policy::{Contract, Reason};

use crate::support::CONTRACT;

/// The contract's text without what the bureau settles, with a reason.
fn text(why: &str) -> String {
    let asked: String = CONTRACT
        .lines()
        .filter(|line| !["id =", "org =", "budget_domain ="].iter().any(|key| line.starts_with(key)))
        .map(|line| format!("{line}\n"))
        .collect();
    format!("why = {}\n{asked}", toml::Value::String(why.to_owned()))
}

fn complaint(text: &str) -> String {
    let refusal = Application::parse(text).unwrap_err();
    assert_eq!(refusal.reason(), Reason::ApplicationInvalid);
    refusal.quotation().unwrap().to_owned()
}

#[test]
fn a_draft_is_the_contract_that_was_asked_for() {
    let (id, org, application, budget_domain) =
        ("c1".parse().unwrap(), "acme".parse().unwrap(), "a-1".parse().unwrap(), "resident".parse().unwrap());
    // Whatever the reason says, it is no part of the draft.
    let asked = Application::parse(&text("we need it\"\nallotment_rho = 9\n[budget]\n")).unwrap();
    let settled = Settled { id: &id, org: &org, application: &application, budget_domain: &budget_domain };
    let draft = asked.draft(settled).unwrap();
    let drafted = Contract::parse(&draft).unwrap();
    let written = Contract::parse(CONTRACT).unwrap();
    let expected = Contract { id, org, application: Some(application), budget_domain, ..written };
    assert_eq!(drafted, expected);
    assert!(!draft.contains("we need it"), "{draft}");
}

#[test]
fn what_is_no_contract_is_no_application() {
    let good = text("research");
    assert_eq!(Application::parse(&good).unwrap().why(), "research");
    for (from, to, what) in [
        ("max_delta = 1e-6", "max_delta = 0.5", "max_delta"),
        ("[budget]", "[budget]\nunlimited = true", "unlimited"),
        ("[budget]", "[extra]\n[budget]", "extra"),
        ("why = ", "org = \"acme\"\nwhy = ", "org"),
        ("why = ", "budget_domain = \"resident\"\nwhy = ", "budget_domain"),
        ("why = ", "risk_class = \"ordinary\"\nwhy = ", "risk_class"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(complaint(&bad).contains(what), "{}", complaint(&bad));
    }
}

#[test]
fn a_reason_is_asked_for_and_texts_end_somewhere() {
    for why in ["", " \n ", &"x".repeat(WHY_MAX_BYTES + 1)] {
        assert_eq!(complaint(&text(why)), "why");
    }
    Application::parse(&text(&"x".repeat(WHY_MAX_BYTES))).unwrap();
    let long = format!("{}\n#{}", text("research"), "x".repeat(APPLICATION_MAX_BYTES));
    assert!(complaint(&long).contains("16 KiB"));
}
