//! What a refusal may quote.

use glovebox_policy::public::{QUOTE_MAX_CHARS, quote};
use proptest::prelude::*;

#[test]
fn a_quotation_is_cut_by_characters() {
    let fits = "数".repeat(QUOTE_MAX_CHARS);
    assert_eq!(quote(&fits).get(), &fits);
    assert_eq!(quote(&format!("{fits}据")).get(), &format!("{fits}…"));
    assert_eq!(quote("").get(), "");
}

#[test]
fn what_controls_or_hides_other_text_becomes_a_space() {
    let dirty = "a\nb\r\tc\0d\x1b[31me\u{7f}f\u{85}g\u{202e}h\u{2066}i\u{200b}j\u{feff}k\u{2028}l";
    assert_eq!(quote(dirty).get(), "a b  c d [31me f g h i j k l");
}

proptest! {
    #[test]
    fn a_quotation_is_short_and_on_one_line(text in any::<String>()) {
        let quoted = quote(&text).into_inner();
        prop_assert!(quoted.chars().count() <= QUOTE_MAX_CHARS + 1);
        prop_assert!(!quoted.chars().any(char::is_control));
    }
}
