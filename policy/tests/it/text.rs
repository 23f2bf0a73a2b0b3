//! Which characters a terminal shows as themselves.

use glovebox_policy::text::{shows_itself, spelled_out};
use proptest::prelude::*;

#[test]
fn what_moves_hides_or_reorders_is_not_shown() {
    let ranges = [
        ('\0', '\u{1f}'),            // controls
        ('\u{7f}', '\u{a0}'),        // controls, no-break space
        ('\u{ad}', '\u{ad}'),        // soft hyphen
        ('\u{300}', '\u{36f}'),      // combining marks
        ('\u{483}', '\u{489}'),      // Cyrillic combining marks
        ('\u{590}', '\u{8ff}'),      // Hebrew, Arabic, Syriac, Thaana, NKo, Samaritan, Mandaic
        ('\u{1100}', '\u{11ff}'),    // Hangul Jamo, which combine, and their fillers
        ('\u{1680}', '\u{1680}'),    // Ogham space
        ('\u{17b4}', '\u{17b5}'),    // Khmer inherent vowels
        ('\u{180b}', '\u{180f}'),    // Mongolian selectors
        ('\u{2000}', '\u{200f}'),    // spaces, joiners, marks of direction
        ('\u{2028}', '\u{202f}'),    // separators, embeddings, narrow space
        ('\u{205f}', '\u{206f}'),    // mathematical space, isolates
        ('\u{20d0}', '\u{20ff}'),    // combining marks for symbols
        ('\u{2800}', '\u{28ff}'),    // Braille, which begins with a blank
        ('\u{3000}', '\u{3000}'),    // ideographic space
        ('\u{302a}', '\u{302f}'),    // tone marks
        ('\u{303e}', '\u{3040}'),    // half fill space
        ('\u{3099}', '\u{309a}'),    // combining sound marks
        ('\u{3164}', '\u{3164}'),    // Hangul filler
        ('\u{d7b0}', '\u{d7ff}'),    // Hangul Jamo
        ('\u{e000}', '\u{f8ff}'),    // private use
        ('\u{fb1d}', '\u{fdff}'),    // Hebrew and Arabic presentation forms
        ('\u{fe00}', '\u{fe2f}'),    // variation selectors, half marks
        ('\u{fe70}', '\u{feff}'),    // Arabic presentation forms, byte order mark
        ('\u{ff9e}', '\u{ffdf}'),    // half-width sound marks and filler
        ('\u{fff0}', '\u{ffff}'),    // annotations, replacement
        ('\u{10800}', '\u{10fff}'),  // scripts from right to left
        ('\u{1bca0}', '\u{1bca3}'),  // shorthand controls
        ('\u{1d100}', '\u{1d1ff}'),  // musical symbols and their controls
        ('\u{1e800}', '\u{1efff}'),  // scripts from right to left
        ('\u{1f000}', '\u{1ffff}'),  // emoji
        ('\u{e0000}', '\u{10ffff}'), // tags, selectors, private use
    ];
    for (first, last) in ranges {
        let shown = (first..=last).find(|c| shows_itself(*c));
        assert_eq!(shown, None, "{first:?} to {last:?}");
    }
}

#[test]
fn what_people_write_is_shown() {
    for text in [
        "~ 100 % [\"a\", 'b'] {c} \\ #",
        "Größe, œuvre, Łódź",
        "Ώρα",
        "объём ≤ 5",
        "每人“就诊”次数（年）：①〇",
        "カタカナ、ひらがな",
        "한국어",
        "ε = 10⁻⁹ … ± × → ¥ €",
    ] {
        assert_eq!(spelled_out(text), text);
    }
}

proptest! {
    #[test]
    fn spelled_out_text_is_shown_and_stays(text in any::<String>()) {
        let out = spelled_out(&text);
        prop_assert!(out.chars().all(shows_itself), "{out}");
        prop_assert_eq!(spelled_out(&out), out);
    }
}
