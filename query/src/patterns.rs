//! Patterns that are literals: LIKE, ILIKE and regular expressions, compiled when a question is analysed.
//!
//! The engine is the crate `regex`: no look-around, no back references, time linear in the text for a pattern of a given
//! size. The size of what a pattern compiles to is capped, so that a pattern cannot be a bomb; what is over it, or is no pattern, is
//! refused before anything is charged.

use std::hash::{Hash, Hasher};

use glovebox_policy::{Reason, Refusal};
use regex::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
const PATTERN_MAX_BYTES: usize = 1_000;

/// The most memory of a compiled pattern, in bytes, with how much slower than the smallest it may be: where the engine does worst, it
/// takes time in the product of text and pattern.
const COMPILED_BYTES: [(usize, u64); 2] = [(4 * 1024, 1), (16 * 1024, 4)];

/// The deepest nesting within a pattern.
const PATTERN_MAX_DEPTH: u32 = 32;

/// What a refusal says of a pattern that is no literal.
const NOT_LITERAL: &str = "a pattern that is not a literal";

/// A compiled pattern. Equal patterns have equal sources.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    weight: u64,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.regex.as_str().hash(state);
    }
}

impl Pattern {
    /// The pattern of a function by its literals: the pattern, and flags if it takes any.
    ///
    /// # Errors
    /// [`Reason::ExpressionRefused`] with the pattern, when it is none or too large.
    pub(crate) fn new(function: &str, literals: &[Option<&str>]) -> Result<Self, Refusal> {
        let not_literal = || Refusal::about(Reason::ExpressionRefused, NOT_LITERAL);
        let (pattern, flags) = match literals {
            [Some(pattern)] => (*pattern, ""),
            [Some(pattern), Some(flags)] => (*pattern, *flags),
            _ => return Err(not_literal()),
        };
        let source = match function {
            "like" => of_like(pattern, "s"),
            "ilike" => of_like(pattern, "si"),
            _ if flags.is_empty() => Some(pattern.to_owned()),
            _ if flags.chars().all(|flag| "imsx".contains(flag)) => Some(format!("(?{flags}){pattern}")),
            _ => return Err(Refusal::about(Reason::ExpressionRefused, &format!("flags '{flags}'; use i, m, s, x"))),
        };
        let compiled = source.filter(|_| pattern.len() <= PATTERN_MAX_BYTES).and_then(|source| {
            COMPILED_BYTES.into_iter().find_map(|(bytes, weight)| {
                let mut builder = RegexBuilder::new(&source);
                let regex = builder.size_limit(bytes).nest_limit(PATTERN_MAX_DEPTH).build().ok()?;
                Some(Self { regex, weight })
            })
        });
        compiled.ok_or_else(|| Refusal::about(Reason::ExpressionRefused, pattern))
    }

    /// Whether it is found in a text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// How many times as much work as the smallest pattern it is, by its compiled size.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }
}

/// `%` stands for any text, `_` for one character, and a backslash takes the sense from what follows it.
fn of_like(pattern: &str, flags: &str) -> Option<String> {
    let mut source = format!("(?{flags})\\A");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => source.push_str(".*"),
            '_' => source.push('.'),
            '\\' => source.push_str(&regex::escape(chars.next()?.encode_utf8(&mut [0; 4]))),
            other => source.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    Some(source + "\\z")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn like_is_anchored_and_escaped() {
        let like = |pattern: &str, text: &str| Pattern::new("like", &[Some(pattern)]).unwrap().is_in(text);
        assert!(like("a%", "abc") && !like("a%", "ba") && like("%", "") && like("_", "汉") && !like("_", ""));
        assert!(like("a.c", "a.c") && !like("a.c", "abc") && like("10\\%", "10%") && !like("10\\%", "100"));
        assert!(like("a%c", "a\nc"), "a line break is a character");
        assert!(Pattern::new("ilike", &[Some("ÄB%")]).unwrap().is_in("äbc"));
        assert!(Pattern::new("like", &[Some("a\\")]).is_err());
    }

    #[test]
    fn bombs_are_refused() {
        for bomb in ["(a{1000}){1000}", "((((a{99}){99}){99}){99})", "\\w{2000}", "(?=a)", "(a)\\1", "("] {
            assert!(Pattern::new("regexp_like", &[Some(bomb)]).is_err(), "{bomb}");
        }
        assert!(Pattern::new("regexp_like", &[Some(&"(".repeat(500))]).is_err());
        assert!(Pattern::new("regexp_like", &[Some("^[A-Z]{2}\\d+$"), Some("i")]).unwrap().is_in("ab12"));
        assert!(Pattern::new("regexp_like", &[Some("a"), Some("g")]).is_err());
    }
}
