//! Which characters a terminal shows as themselves, and how every other is spelled out.
//!
//! INVARIANT (shown means shown): a character passes [`shows_itself`] only if it takes one or two columns of its own, goes
//! from left to right, does not combine with its neighbours and is not a blank other than U+0020. The list says what is
//! allowed. So it need not keep up with Unicode: what is not on it, is unassigned or is for private use is spelled out.
//! Texts of other scripts lose their looks that way and none of their content.

use std::fmt::Write as _;

/// Whether a terminal shows a character as itself: ASCII, Latin, Greek and Cyrillic letters, Chinese characters, Kana,
/// Bopomofo, Hangul syllables, and the punctuation, digits, arrows and signs that are common beside them. No controls,
/// format characters, combining marks, scripts written from right to left, blanks other than U+0020, tags, variation
/// selectors, compatibility ideographs (which look like others), or emoji.
///
/// ```
/// use glovebox_policy::text::shows_itself;
///
/// assert!("Kosten ≤ 500 元（每年）".chars().all(shows_itself));
/// assert!(!"\t\u{a0}\u{202e}\u{5d0}\u{301}\u{200b}".chars().any(shows_itself));
/// ```
pub fn shows_itself(c: char) -> bool {
    matches!(c, ' '..='~') || is_letter(c) || is_sign(c) || is_east_asian(c)
}

/// Latin, Greek, Cyrillic. Left out: combining marks between the Cyrillic letters, and Greek doubles of other signs, such
/// as a question mark that is a semicolon.
fn is_letter(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{2af}')
        || matches!(c, '\u{370}'..='\u{373}' | '\u{375}'..='\u{377}' | '\u{37a}'..='\u{37d}' | '\u{37f}')
        || matches!(c, '\u{384}'..='\u{386}' | '\u{388}'..='\u{38a}' | '\u{38c}')
        || matches!(c, '\u{38e}'..='\u{3a1}' | '\u{3a3}'..='\u{482}' | '\u{48a}'..='\u{52f}' | '\u{1e00}'..='\u{1eff}')
}

/// Punctuation, superscripts, currencies, letterlike signs, numbers, arrows, mathematical operators.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{bf}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}')
        || matches!(c, '\u{2070}'..='\u{2071}' | '\u{2074}'..='\u{208e}' | '\u{20a0}'..='\u{20bf}')
        || matches!(c, '\u{2103}' | '\u{2109}' | '\u{2116}' | '\u{2122}' | '\u{2150}'..='\u{2188}')
        || matches!(c, '\u{2190}'..='\u{2193}' | '\u{21d0}'..='\u{21d4}' | '\u{2200}'..='\u{22ff}' | '\u{2460}'..='\u{249b}')
}

/// Chinese, Japanese, Korean. Left out: U+3000 and the Hangul fillers, which are blank; marks that combine; half-width
/// sound marks; compatibility ideographs.
fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303b}')
        || matches!(c, '\u{3041}'..='\u{3096}' | '\u{309b}'..='\u{30ff}' | '\u{3105}'..='\u{312f}')
        || matches!(c, '\u{3131}'..='\u{3163}' | '\u{3165}'..='\u{318e}' | '\u{31f0}'..='\u{321e}')
        || matches!(c, '\u{3220}'..='\u{33ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
        || matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff9d}' | '\u{ffe0}'..='\u{ffe6}')
        || matches!(c, '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b738}' | '\u{2b740}'..='\u{2b81d}')
        || matches!(c, '\u{2b820}'..='\u{2cea1}' | '\u{2ceb0}'..='\u{2ebe0}' | '\u{30000}'..='\u{3134a}')
}

/// Text with every character spelled out as `\u{…}` that a terminal does not show as itself. On one line, and spelled out
/// again it is the same.
///
/// ```
/// assert_eq!(glovebox_policy::text::spelled_out("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
/// ```
pub fn spelled_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if shows_itself(c) {
            out.push(c);
        } else {
            let _ = write!(out, "{}", c.escape_unicode());
        }
    }
    out
}
