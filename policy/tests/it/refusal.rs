//! The table of refusals: stable codes, matching statuses, words in both languages.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use glovebox_policy::refusal::RefusalBody;
use glovebox_policy::{Reason, Refusal};

/// A code is a promise to programs: a line of this file changes only with a changelog entry.
#[test]
fn codes_and_statuses_are_as_recorded() {
    let mut lines = String::new();
    for reason in Reason::ALL {
        writeln!(lines, "{:<24} http {} grpc {}", reason.code(), reason.http(), reason.grpc().0).unwrap();
    }
    crate::support::golden("refusals.golden", &lines);
}

#[test]
fn codes_are_unique_and_in_kebab_case() {
    let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
    for code in codes {
        assert!(code.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())), "{code}");
    }
}

/// The code is the name of the variant, so that a search for one finds the other.
#[test]
fn the_code_is_the_variants_name() {
    for reason in Reason::ALL {
        let mut kebab = String::new();
        for c in format!("{reason:?}").chars() {
            if c.is_ascii_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.push(c.to_ascii_lowercase());
        }
        assert_eq!(kebab, reason.code());
    }
}

/// What a client library makes of one status must be what it makes of the other.
#[test]
fn http_and_grpc_say_the_same() {
    for reason in Reason::ALL {
        let lawful: &[i32] = match reason.http() {
            400 => &[3, 12],
            401 => &[16],
            403 => &[7],
            404 => &[5],
            409 => &[6, 9],
            429 => &[8],
            500 => &[13],
            503 => &[14],
            other => panic!("`{reason}` has the HTTP status {other}"),
        };
        assert!(lawful.contains(&reason.grpc().0), "{reason}: {} and {}", reason.http(), reason.grpc().0);
    }
}

/// First what is wrong, then, after the semicolon, what to do.
#[test]
fn both_languages_say_what_to_do() {
    for reason in Reason::ALL {
        let (wrong, todo) =
            reason.english().split_once("; ").unwrap_or_else(|| panic!("{reason}: {}", reason.english()));
        assert!(wrong.len() > 10 && todo.len() > 8, "{reason}");
        assert!(!reason.english().ends_with('.'), "{reason}");
        assert!(!reason.english().chars().any(is_cjk), "{reason}");
        let (wrong, todo) =
            reason.chinese().split_once('；').unwrap_or_else(|| panic!("{reason}: {}", reason.chinese()));
        assert!(wrong.chars().any(is_cjk) && todo.chars().any(is_cjk), "{reason}");
        assert!(!reason.chinese().ends_with('。'), "{reason}");
    }
}

/// No two reasons read alike, whole or in the half that says what is wrong: who reads one knows which it is.
#[test]
fn no_two_reasons_read_alike() {
    let mut english: Vec<&str> = Reason::ALL.iter().map(|reason| reason.english()).collect();
    let mut chinese: Vec<&str> = Reason::ALL.iter().map(|reason| reason.chinese()).collect();
    english.extend(Reason::ALL.iter().filter_map(|reason| reason.english().split("; ").next()));
    chinese.extend(Reason::ALL.iter().filter_map(|reason| reason.chinese().split('；').next()));
    for texts in [english, chinese] {
        let different: BTreeSet<&str> = texts.iter().copied().collect();
        let twice: Vec<_> =
            texts.iter().filter(|text| texts.iter().filter(|other| other == text).count() > 1).collect();
        assert_eq!(different.len(), texts.len(), "{twice:?}");
    }
}

/// What to do is said as a verb that the reader can follow, or as what still stands.
#[test]
fn the_second_half_says_what_to_do() {
    const VERBS: &[&str] = &[
        "add",
        "aggregate",
        "apply",
        "ask",
        "bind",
        "build",
        "call",
        "check",
        "choose",
        "come",
        "compare",
        "connect",
        "correct",
        "declare",
        "get",
        "give",
        "grant",
        "group",
        "join",
        "have",
        "list",
        "look",
        "narrow",
        "read",
        "register",
        "renew",
        "run",
        "send",
        "shorten",
        "show",
        "sign",
        "split",
        "submit",
        "try",
        "use",
        "wait",
        "withdraw",
        "write",
    ];
    // Nothing can be done about these; they say what holds.
    const STANDS: &[Reason] =
        &[Reason::DomainBudgetSpent, Reason::Lost, Reason::ExecutionsSpent, Reason::AlreadyDecided, Reason::Internal];
    const ASKS: &[&str] = &["请", "可用", "仍可", "已通知", "须由"];
    for reason in Reason::ALL {
        let todo = reason.english().split_once("; ").unwrap().1;
        let verb = todo.split([' ', ',']).next().unwrap();
        assert!(VERBS.contains(&verb) || STANDS.contains(reason), "{reason}: {todo}");
        let todo = reason.chinese().split_once('；').unwrap().1;
        assert!(ASKS.iter().any(|word| todo.contains(word)), "{reason}: {todo}");
    }
}

/// A text of the table is the same for every asker and all rows: it has no place to fill in, and speaks of declarations, never
/// of what was read.
#[test]
fn no_text_tells_of_data() {
    for reason in Reason::ALL {
        for text in [reason.english(), reason.chinese()] {
            for word in [
                "{",
                "}",
                "%s",
                "was found",
                "were found",
                "matched",
                "no rows",
                "empty result",
                "行数据为",
                "未找到行",
            ] {
                assert!(!text.contains(word), "{reason}: `{word}` in {text}");
            }
        }
    }
}

fn is_cjk(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// What both languages name between backticks, and every limit in digits, is the same.
#[test]
fn both_languages_give_the_same_numbers() {
    let numbers = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(str::to_owned)
            .filter(|n| n.chars().any(|c| c.is_ascii_digit()))
            .collect()
    };
    for reason in [Reason::SqlTooLong, Reason::SqlTooManyTokens, Reason::SqlTooManyOperators, Reason::TooManyGroups] {
        assert_eq!(numbers(reason.english()), numbers(reason.chinese()), "{reason}");
        assert!(!numbers(reason.english()).is_empty(), "{reason}");
    }
}

#[test]
fn a_refusal_quotes_the_asker_and_nothing_else() {
    let plain = Refusal::new(Reason::Busy);
    assert_eq!(plain, Refusal::from(Reason::Busy));
    assert_eq!(plain.quotation(), None);
    assert_eq!(plain.to_string(), "busy: all places are reserved; try again later");

    let quoting = Refusal::about(Reason::ColumnUnknown, "wages\n`; DROP");
    assert_eq!(quoting.reason(), Reason::ColumnUnknown);
    assert_eq!(quoting.quotation(), Some("wages `; DROP"));
    assert!(quoting.english().ends_with(": `wages `; DROP`"), "{}", quoting.english());
    assert!(quoting.chinese().starts_with("column-unknown: 数据集没有该列"), "{}", quoting.chinese());

    let body = RefusalBody::from(&quoting);
    assert_eq!((body.code, body.message, body.message_zh), ("column-unknown", quoting.english(), quoting.chinese()));
}
