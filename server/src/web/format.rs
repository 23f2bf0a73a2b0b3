//! Numbers and instants as a person reads them.

use chrono::{DateTime, SecondsFormat};
use glovebox_privacy::Scalar;

/// Digits after the point that are shown of a figure.
const DIGITS: usize = 6;

/// A figure: six digits after the point, fewer where they are zeros, and in powers of ten where six would say nothing.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value != 0.0 && value.abs() < 0.0001 {
        let text = format!("{value:.3e}");
        return match text.split_once('e') {
            Some((digits, power)) => format!("{}e{power}", trimmed(digits)),
            None => text,
        };
    }
    let text = format!("{value:.DIGITS$}");
    let text = trimmed(&text);
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(text),
    }
}

fn trimmed(text: &str) -> &str {
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if short == "-0" { "0" } else { short }
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(whole: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value of a table. Years and codes are whole numbers too, so nothing is put between their digits.
pub(crate) fn scalar(value: &Scalar) -> String {
    match value {
        Scalar::Null => "–".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => number(*value),
        Scalar::Text(value) => value.clone(),
    }
}

/// An instant in RFC 3339, to be read: always UTC, and always saying so.
pub(crate) fn instant(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => instant.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Seconds since 1970 in RFC 3339.
pub(crate) fn rfc3339(unix_s: i64) -> String {
    DateTime::from_timestamp(unix_s, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A stretch of time from milliseconds.
pub(crate) fn seconds(milliseconds: u64) -> String {
    let tenths = milliseconds.div_ceil(100);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_instants_are_utc() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.5, "0.5"),
            (1.0, "1"),
            (0.012_345_678, "0.012346"),
            (1e-9, "1e-9"),
            (2.5e-7, "2.5e-7"),
            (1_234_567.25, "1,234,567.25"),
            (-1_234.0, "-1,234"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(grouped("123456"), "123,456");
        assert_eq!(instant("2026-11-25T18:10:20+08:00"), "2026-11-25 10:10:20 UTC");
        assert_eq!(instant("never"), "never");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(seconds(1_201), "1.3 s");
    }
}
