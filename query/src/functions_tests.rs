//! The table of functions is complete, and says what is done.

use std::collections::BTreeSet;

use datafusion::functions_aggregate::all_default_aggregate_functions;

use super::*;
use crate::calls::form;
use crate::stubs::planned;
use crate::{numbers, texts};

/// What DataFusion has: a new function makes this test fail until the table judges it.
#[test]
fn every_function_of_datafusion_is_judged() {
    let plain = datafusion::functions::all_default_functions();
    let nested = datafusion_functions_nested::all_default_nested_functions();
    let lambda = datafusion_functions_nested::all_default_higher_order_functions();
    let names = plain.iter().chain(&nested).flat_map(|f| f.aliases().iter().map(String::as_str).chain([f.name()]));
    let names: BTreeSet<&str> =
        names.chain(lambda.iter().flat_map(|f| f.aliases().iter().map(String::as_str).chain([f.name()]))).collect();
    assert!(names.len() > 200, "only {} names", names.len());
    let missing: Vec<&&str> = names.iter().filter(|name| entry(name).is_none()).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}

#[test]
fn every_name_is_there_once() {
    let mut seen = BTreeSet::new();
    for entry in all() {
        for name in std::iter::once(&entry.name).chain(entry.aliases) {
            assert!(seen.insert(name), "{name} is there twice");
        }
    }
    let aggregates = all_default_aggregate_functions();
    let clash: Vec<_> = aggregates.iter().filter(|f| seen.contains(&f.name())).map(|f| f.name()).collect();
    assert!(clash.is_empty(), "aggregates: {clash:?}");
}

#[test]
fn what_is_allowed_can_be_planned_and_nothing_else() {
    for entry in all() {
        let allowed = matches!(entry.verdict, Verdict::Total { .. });
        for name in std::iter::once(&entry.name).chain(entry.aliases) {
            assert_eq!(planned(name).is_some(), allowed, "{name}");
        }
    }
    // Every kernel is one that the table names, or an operator's.
    for form in numbers::FORMS.iter().chain(texts::FORMS) {
        assert!(
            callable(form.name) == Some(form.name) || ["like", "ilike", "||"].contains(&form.name),
            "{}",
            form.name
        );
    }
    assert!(form("random").is_none() && planned("nosuch").is_none());
}

#[test]
fn every_verdict_says_why() {
    for entry in all() {
        let (why, other) = match entry.verdict {
            Verdict::Total { form, why } => (why, form),
            Verdict::Refused { why, instead } => (why, instead),
        };
        assert!(why.len() > 5 && !why.contains('|') && !other.contains('|'), "{}", entry.name);
    }
    assert_eq!(quoted("repeat"), "repeat → LPAD(t, 20, t)");
    assert_eq!(quoted("nosuch"), "nosuch");
}
