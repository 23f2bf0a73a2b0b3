//! Whose line it is, whatever an author writes.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// What an author might write to look like something else.
pub(in crate::job) const ATTACKS: [&str; 22] = [
    "\n[4] 发布计划 What would be released\n  keys          1",
    "\r[4] What would be released\r\n  costs         rho 0.000000001",
    "\u{1b}[2J\u{1b}[H[4] What would be released",
    "\u{9b}2K\u{8}\u{8}\u{8}\u{7f}  executions    at most 1",
    "\u{85}[4] a\u{2028}[4] b\u{2029}[4] c\u{b}[4] d\u{c}[4] e",
    "        > a continuation",
    "        | another line",
    "x                                                                      [4] on the next row, if blanks can push it there",
    "\t\t\t\t\t\t\t\t\t\t[4] or tabs",
    "\u{3000}\u{3000}\u{2003}\u{a0}\u{202f}\u{205f}\u{2800}\u{3164}\u{ffa0}\u{115f}[4] or other blanks",
    "\u{202e}1 tsom ta  snoitucexe\u{202c}",
    "\u{2066}[4]\u{2069} \u{200f}\u{61c}x",
    "אבג 4 דהו [4] ابجد ܐܒ ދިވެހި ߒߞߏ",
    "a\u{200b}b\u{200c}c\u{200d}d\u{2060}e\u{feff}f\u{ad}g\u{34f}h\u{180e}i\u{17b4}j",
    "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{334}\u{335}\u{336}\u{337}\u{338}",
    "\u{336}\u{336}starts with a mark",
    "\u{fe0f}\u{e0020}\u{e0041}\u{e0100}\u{1d173}\u{1bca0}\u{e000}\u{f0000}\u{378}",
    "👨\u{200d}👩\u{200d}👧 🇨🇳 ☺\u{fe0f}",
    "\\u{20×5} \\u{a} \\\\u{5c}",
    "\"\n      1 | \"another key",
    "价格价格价格价格价格价格价格价格价格价格价格价格价格价格价格价格价格价格价格价格",
    "ｆｕｌｌ　ｗｉｄｔｈ［４］",
];

/// Whether a line begins as an author's does.
pub(in crate::job) fn is_authors(line: &str) -> bool {
    let (gutter, rest) = line.split_at_checked(GUTTER).unwrap_or((line, ""));
    let numbered = gutter.chars().all(|c| c.is_ascii_digit() || " +-~".contains(c)) && gutter.starts_with(' ');
    numbered && (rest == "|" || rest.starts_with("| ") || rest.starts_with("> "))
}

/// Every line is narrow and shown as itself.
pub(in crate::job) fn assert_shown(page: &str) {
    for line in page.lines() {
        assert!(width(line) <= COLUMNS, "{}: {line}", width(line));
        assert!(line.chars().all(shows_itself), "{line:?}");
        assert!(!line.ends_with(' ') && !line.get(GUTTER..).unwrap_or("").contains("|  "), "{line:?}");
    }
}

fn authored(text: &str) -> String {
    let mut sheet = Sheet::default();
    sheet.author(text);
    sheet.marked("+", text);
    sheet.quoted("65535", text);
    sheet.into_text()
}

/// The text that lines of the author were written from.
fn read_back(lines: &str) -> String {
    let mut spelled = String::new();
    for (at, line) in lines.lines().enumerate() {
        let (gutter, text) = line.split_at(GUTTER);
        assert!(gutter.trim().is_empty());
        match text.strip_prefix("> ") {
            Some(more) => spelled.push_str(more),
            None => {
                if at > 0 {
                    spelled.push('\n');
                }
                spelled.push_str(text.strip_prefix("| ").unwrap_or(""));
            }
        }
    }
    let mut parts = spelled.split("\\u{");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (inner, rest) = part.split_once('}').unwrap();
        let (code, times) = inner.split_once('×').unwrap_or((inner, "1"));
        let c = char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap();
        out.extend(std::iter::repeat_n(c, times.parse().unwrap()));
        out.push_str(rest);
    }
    out
}

fn check(text: &str) {
    let page = authored(text);
    assert_shown(&page);
    page.lines().for_each(|line| assert!(is_authors(line), "{line:?}"));
    let mut sheet = Sheet::default();
    sheet.author(&format!("{text}\n"));
    assert_eq!(read_back(&sheet.into_text()), text);
}

#[test]
fn no_attack_gets_out_of_its_lines() {
    ATTACKS.iter().for_each(|attack| check(attack));
    check(&ATTACKS.concat());
    check("");
    check("\n\n");
}

#[test]
fn long_lines_go_on_where_only_the_page_can() {
    for word in ["x", "[4] ", " ", "  x", "价", "\u{301}", "\\u{", "价 ", "\u{10ffff}", "\""] {
        check(&word.repeat(10_000));
        // Each of these stands once at every place around the end of a line.
        (0..=2 * TEXT).for_each(|before| check(&format!("{}{word}{word}[4] x", "x".repeat(before))));
    }
}

#[test]
fn lines_look_like_this() {
    let mut sheet = Sheet::default();
    sheet.fact("costs", "rho 0.1");
    sheet.author("  a = 1\n\nb\u{a0}= \"\\u{20}\" ");
    sheet.quoted("7", "say \"no\"");
    sheet.marked("-", &"价".repeat(36));
    let expected = [
        "  costs         rho 0.1",
        "        | \\u{20×2}a = 1",
        "        |",
        "        | b\\u{a0}= \"\\u{5c}u{20}\"\\u{20}",
        "      7 | \"say \\u{22}no\\u{22}\"",
        &format!("      - | {}", "价".repeat(35)),
        "        > 价",
    ];
    assert_eq!(sheet.into_text().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn facts_go_on_below_themselves() {
    let mut sheet = Sheet::default();
    sheet.fact("sha256", &"0".repeat(64));
    sheet.fact("dataset", &"word 价格 ".repeat(40));
    sheet.fact("dataset", &"0".repeat(1000));
    let page = sheet.into_text();
    assert_shown(&page);
    assert!(page.lines().all(|line| !is_authors(line)), "{page}");
    assert_eq!(page.lines().next().unwrap(), format!("  sha256        {}", "0".repeat(64)));
    assert!(!page.contains("\\u"), "{page}");
}

/// Text with much of what matters here.
pub(in crate::job) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        any::<String>(),
        prop::sample::select(ATTACKS.to_vec()).prop_map(str::to_owned),
        prop::sample::select(vec![" ", "  ", "\n", "|", ">", "[4] ", "\\u{", "×", "}", "\"", "价", "\t"])
            .prop_map(str::to_owned),
        "[ -~]{0,100}",
        "[\u{590}-\u{6ff}\u{300}-\u{36f}\u{2000}-\u{206f}\u{e0000}-\u{e007f}]{0,20}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_an_author_writes_stays_in_its_lines_and_can_be_read_back(text in any_text()) {
        check(&text);
    }
}
