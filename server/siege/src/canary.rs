//! Rows that would be recognised anywhere, and what to look for.
//!
//! Every text, identifier and unit holds [`CANARY`]; numbers, fractions and instants share a rare run of bits; the day of birth
//! is nobody's today. The person that one of two neighbouring bureaus lacks is the only one with a zero divisor, a number
//! that overflows, and a third year; their texts begin with [`LEAVER_TEXT`] instead, so that a statement may aim at them
//! without holding a canary itself.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// In every text, identifier and unit.
pub const CANARY: &str = "CANARY-7f3a";
/// What the texts of the person who is aimed at begin with.
pub const LEAVER_TEXT: &str = "the-only";
/// How many persons there are.
pub const PERSONS: i64 = 150;
/// The person whom one of the two bureaus lacks.
pub const LEAVER: i64 = PERSONS - 1;

/// The bits that numbers, fractions and instants share: all but the lowest 16.
const CODE: i64 = 0x5EED_CAFE_F00D_0000;
const RARE: u64 = 0x4044_CAFE_F00D_0000;
const AT_MICROS: i64 = 0x0003_CAFE_F00D_0000;
/// A day of birth.
const BORN: &str = "1907-03-11";

/// The table as CSV, with or without the leaver.
pub fn csv(with_leaver: bool) -> String {
    let mut text = String::from("person,phone,note,plan,year,cost,zero,huge,code,rare,born,at\n");
    for person in (0..PERSONS).filter(|person| with_leaver || *person != LEAVER) {
        let leaver = person == LEAVER;
        for year in 1..=if leaver { 3 } else { 2 } {
            let plan = if person % 3 == 0 { "east" } else { "west" };
            let cost = person % 90;
            let (zero, huge) = if leaver { (0, i64::MAX) } else { (1, 2) };
            let (code, rare) = (CODE + person, f64::from_bits(RARE + person.unsigned_abs()));
            let at = instant(AT_MICROS + person);
            let [unit, phone, note] = ["unit", "phone", "note"]
                .map(|kind| if leaver { format!("{LEAVER_TEXT}-{kind}") } else { format!("{CANARY}-{kind}-{person}") });
            // Writing into a String cannot fail.
            let _ =
                writeln!(text, "{unit},{phone},{note},{plan},{year},{cost}.25,{zero},{huge},{code},{rare},{BORN},{at}");
        }
    }
    text
}

fn instant(micros: i64) -> String {
    let at = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// What a canary looks like on its way out.
#[derive(Debug)]
pub struct Patterns(Vec<(&'static str, Vec<u8>)>);

impl Default for Patterns {
    fn default() -> Self {
        let mut all: Vec<(&'static str, Vec<u8>)> = Vec::new();
        let text = CANARY.as_bytes();
        all.push(("the text", text.to_vec()));
        all.push(("the text in hexadecimal", hex::encode(text).into_bytes()));
        all.push(("the text in capital hexadecimal", hex::encode_upper(text).into_bytes()));
        all.push(("the text in 16-bit letters", text.iter().flat_map(|byte| [*byte, 0]).collect()));
        for shift in 0..3 {
            all.push(("the text in base64", base64_core(text, shift)));
        }
        let bits = [
            ("the bits of a number", CODE.unsigned_abs()),
            ("the bits of a fraction", RARE),
            ("the bits of an instant", AT_MICROS.unsigned_abs()),
        ];
        for (name, bits) in bits {
            let shared: Vec<u8> = bits.to_be_bytes().into_iter().take(6).collect();
            all.push((name, shared.iter().rev().copied().collect()));
            all.push((name, shared.clone()));
            all.push((name, hex::encode(&shared).into_bytes()));
        }
        // As many digits as all persons share.
        all.push(("the digits of a number", shared(&CODE.to_string(), &(CODE + LEAVER).to_string())));
        let fraction = |person: u64| f64::from_bits(RARE + person).to_string();
        all.push(("the digits of a fraction", shared(&fraction(0), &fraction(LEAVER.unsigned_abs()))));
        all.push(("an instant", shared(&instant(AT_MICROS), &instant(AT_MICROS + LEAVER))));
        all.push(("a day", BORN.as_bytes().to_vec()));
        Self(all)
    }
}

/// What the encodings of a text have in common wherever in a group of three bytes it begins.
fn base64_core(text: &[u8], shift: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(text.iter().copied()).collect();
    let whole = padded.len() / 3 * 3;
    let encoded = STANDARD_NO_PAD.encode(padded.get(..whole).unwrap_or_default());
    // The first group holds bytes of what stands before.
    encoded.bytes().skip(if shift == 0 { 0 } else { 4 }).collect()
}

fn shared(a: &str, b: &str) -> Vec<u8> {
    a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).map(|(x, _)| x).collect()
}

impl Patterns {
    /// The first canary in some bytes, by name.
    pub fn found(&self, bytes: &[u8]) -> Option<&'static str> {
        let held = |pattern: &[u8]| bytes.windows(pattern.len()).any(|window| window == pattern);
        self.0.iter().find(|(_, pattern)| held(pattern)).map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn every_form_of_every_cell_is_found_and_public_text_is_not() {
        let patterns = Patterns::default();
        let row = csv(true).lines().nth(77).unwrap().to_owned();
        let fields: Vec<&str> = row.split(',').collect();
        for (column, field) in fields.iter().enumerate() {
            let public = [3, 4, 5, 6, 7].contains(&column);
            assert_eq!(patterns.found(format!("x{field}y").as_bytes()).is_some(), !public, "{field}");
        }
        let (code, rare): (i64, f64) = (fields[8].parse().unwrap(), fields[9].parse().unwrap());
        for bytes in [code.to_le_bytes(), code.to_be_bytes(), rare.to_le_bytes(), rare.to_be_bytes()] {
            assert!(patterns.found(&bytes).is_some());
        }
        for prefix in ["", "a", "ab", "abc"] {
            let text = format!("{prefix}{}", fields[0]);
            for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text), hex::encode(&text)] {
                assert!(patterns.found(encoded.as_bytes()).is_some(), "{encoded}");
            }
        }
        for pattern in &patterns.0 {
            assert!(pattern.1.len() >= 6, "{pattern:?}");
        }
        assert_eq!(patterns.found(include_bytes!("manifest.toml")), None);
        assert_eq!(patterns.found(include_bytes!("statements.sql")), None);
    }

    #[test]
    fn neighbours_differ_in_one_person() {
        let (with, without) = (csv(true), csv(false));
        let missing: Vec<&str> = with.lines().filter(|line| !without.contains(*line)).collect();
        assert_eq!(missing.len(), 3);
        assert!(missing.iter().all(|line| line.starts_with(&format!("{LEAVER_TEXT}-unit,"))));
    }
}
