//! Functions of text, total by construction: each is one pass over its arguments, and none makes more than
//! [`TEXT_MAX_BYTES`]. What would be longer is NULL, as is a longer argument.

use std::borrow::Cow;

use crate::calls::{Class, Form, Gives, Kernel};
use crate::numbers::Within;

/// The longest text that functions take or make, in bytes.
pub(crate) const TEXT_MAX_BYTES: usize = 1_024;

/// An argument that is not NULL.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Whole(i64),
}

/// What a function of text makes.
#[derive(Debug, PartialEq)]
pub(crate) enum Made<'a> {
    Text(Cow<'a, str>),
    Whole(i64),
    Truth(bool),
}

use Cell::{Text, Whole};

type Cells<'a, 'b> = &'b [Option<Cell<'a>>];

const fn form(name: &'static str, params: &'static [Class], needed: usize, gives: Gives, kernel: Kernel) -> Form {
    // How long a text is at most is worked out by `lengths`.
    Form { name, params, needed, more: false, gives, kernel, within: Within::Between(0.0, TEXT_MAX_BYTES as f64) }
}

const fn text(name: &'static str, params: &'static [Class], needed: usize, kernel: TextKernel) -> Form {
    form(name, params, needed, Gives::Text, Kernel::Text(kernel))
}

const fn count(name: &'static str, params: &'static [Class], kernel: TextKernel) -> Form {
    form(name, params, params.len(), Gives::Whole, Kernel::Text(kernel))
}

const fn truth(name: &'static str, params: &'static [Class], kernel: TextKernel) -> Form {
    form(name, params, params.len(), Gives::Truth, Kernel::Text(kernel))
}

/// A function of a row's arguments; `None` is NULL.
pub(crate) type TextKernel = for<'a, 'b> fn(Cells<'a, 'b>) -> Option<Made<'a>>;

const T: Class = Class::Text;
const N: Class = Class::Whole;
/// A literal of few characters, so that looking each character up in it is one pass all the same.
const L: Class = Class::Literal;

/// The functions of text.
pub(crate) static FORMS: &[Form] = &[
    text("lower", &[T], 1, |c| owned(one(c)?.to_lowercase())),
    text("upper", &[T], 1, |c| owned(one(c)?.to_uppercase())),
    text("initcap", &[T], 1, |c| owned(initcap(one(c)?))),
    text("reverse", &[T], 1, |c| owned(one(c)?.chars().rev().collect())),
    text("btrim", &[T, L], 1, |c| trimmed(c, true, true)),
    text("ltrim", &[T, L], 1, |c| trimmed(c, true, false)),
    text("rtrim", &[T, L], 1, |c| trimmed(c, false, true)),
    text("left", &[T, N], 2, |c| match c {
        [Some(Text(t)), Some(Whole(n))] => part(t, 0, if *n < 0 { chars(t).saturating_add(*n) } else { *n }),
        _ => None,
    }),
    text("right", &[T, N], 2, |c| match c {
        [Some(Text(t)), Some(Whole(n))] => {
            part(t, if *n < 0 { n.saturating_neg() } else { chars(t).saturating_sub(*n) }, i64::MAX)
        }
        _ => None,
    }),
    text("substr", &[T, N, N], 2, |c| match c {
        [Some(Text(t)), Some(Whole(start))] => part(t, start.saturating_sub(1), i64::MAX),
        [Some(Text(t)), Some(Whole(start)), Some(Whole(n))] if *n >= 0 => {
            let start = start.saturating_sub(1);
            part(t, start, start.saturating_add(*n))
        }
        _ => None,
    }),
    text("split_part", &[T, T, N], 3, |c| match c {
        [Some(Text(t)), Some(Text(by)), Some(Whole(n))] => split_part(t, by, *n),
        _ => None,
    }),
    text("replace", &[T, T, T], 3, |c| match c {
        [Some(Text(t)), Some(Text(from)), Some(Text(to))] => replaced(t, from, to),
        _ => None,
    }),
    text("translate", &[T, L, L], 3, |c| match c {
        [Some(Text(t)), Some(Text(from)), Some(Text(to))] => translated(t, from, to),
        _ => None,
    }),
    text("lpad", &[T, N, T], 2, |c| padded(c, true)),
    text("rpad", &[T, N, T], 2, |c| padded(c, false)),
    Form {
        name: "concat",
        params: &[Class::Shown],
        needed: 1,
        more: true,
        gives: Gives::Text,
        kernel: Kernel::Lenient(|c| joined("", c)),
        within: Within::Between(0.0, 0.0),
    },
    Form {
        name: "concat_ws",
        params: &[Class::Shown],
        needed: 2,
        more: true,
        gives: Gives::Text,
        kernel: Kernel::Lenient(|c| match c {
            [Some(Text(by)), rest @ ..] => joined(by, rest),
            _ => None,
        }),
        within: Within::Between(0.0, 0.0),
    },
    // The operator: NULL where either side is.
    text("||", &[Class::Shown, Class::Shown], 2, |c| joined("", c)),
    count("character_length", &[T], |c| whole(chars(one(c)?))),
    count("octet_length", &[T], |c| whole(one(c)?.len() as i64)),
    Form {
        within: Within::Between(0.0, 8.0 * TEXT_MAX_BYTES as f64),
        ..count("bit_length", &[T], |c| whole(8 * one(c)?.len() as i64))
    },
    Form {
        within: Within::Between(0.0, char::MAX as u32 as f64),
        ..count("ascii", &[T], |c| whole(one(c)?.chars().next().map_or(0, |c| i64::from(u32::from(c)))))
    },
    count("strpos", &[T, T], |c| {
        let (t, part) = two(c)?;
        whole(t.find(part).map_or(0, |at| chars(t.get(..at).unwrap_or_default()) + 1))
    }),
    truth("starts_with", &[T, T], |c| two(c).map(|(t, part)| Made::Truth(t.starts_with(part)))),
    truth("ends_with", &[T, T], |c| two(c).map(|(t, part)| Made::Truth(t.ends_with(part)))),
    truth("contains", &[T, T], |c| two(c).map(|(t, part)| Made::Truth(t.contains(part)))),
    form("like", &[T, L], 2, Gives::Truth, Kernel::Pattern),
    form("ilike", &[T, L], 2, Gives::Truth, Kernel::Pattern),
    form("regexp_like", &[T, L, L], 2, Gives::Truth, Kernel::Pattern),
];

fn one<'a>(cells: Cells<'a, '_>) -> Option<&'a str> {
    match cells {
        [Some(Text(t))] => Some(t),
        _ => None,
    }
}

fn two<'a>(cells: Cells<'a, '_>) -> Option<(&'a str, &'a str)> {
    match cells {
        [Some(Text(a)), Some(Text(b))] => Some((a, b)),
        _ => None,
    }
}

fn owned<'a>(text: String) -> Option<Made<'a>> {
    Some(Made::Text(Cow::Owned(text)))
}

fn borrowed(text: &str) -> Option<Made<'_>> {
    Some(Made::Text(Cow::Borrowed(text)))
}

fn whole<'a>(n: i64) -> Option<Made<'a>> {
    Some(Made::Whole(n))
}

fn chars(text: &str) -> i64 {
    text.chars().count() as i64
}

/// The characters from one place to before another; places count from 0 and may lie outside.
fn part(text: &str, from: i64, to: i64) -> Option<Made<'_>> {
    let offset = |place: i64| {
        let place = usize::try_from(place).unwrap_or(0);
        text.char_indices().nth(place).map_or(text.len(), |(offset, _)| offset)
    };
    let (from, to) = (offset(from), offset(to));
    borrowed(text.get(from..to).unwrap_or_default())
}

fn initcap(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphanumeric();
    }
    out
}

fn trimmed<'a>(cells: Cells<'a, '_>, start: bool, end: bool) -> Option<Made<'a>> {
    let (mut text, set) = match cells {
        [Some(Text(t))] => (*t, " "),
        [Some(Text(t)), Some(Text(set))] => (*t, *set),
        _ => return None,
    };
    let is_in = |c: char| set.contains(c);
    if start {
        text = text.trim_start_matches(is_in);
    }
    if end {
        text = text.trim_end_matches(is_in);
    }
    borrowed(text)
}

/// The part of this number, from 1, or from the end where it is negative; empty where there is none.
fn split_part<'a>(text: &'a str, by: &str, n: i64) -> Option<Made<'a>> {
    let place = usize::try_from(n.unsigned_abs().checked_sub(1)?).ok()?;
    let found = match (by.is_empty(), n > 0) {
        (true, _) => (place == 0).then_some(text),
        (false, true) => text.split(by).nth(place),
        (false, false) => text.rsplit(by).nth(place),
    };
    borrowed(found.unwrap_or_default())
}

fn replaced<'a>(text: &'a str, from: &str, to: &str) -> Option<Made<'a>> {
    if from.is_empty() {
        return borrowed(text);
    }
    let mut out = String::new();
    for (place, kept) in text.split(from).enumerate() {
        if place > 0 {
            out += to;
        }
        out += kept;
        // Checked on the way: the whole could be a thousand times as long.
        if out.len() > TEXT_MAX_BYTES {
            return None;
        }
    }
    owned(out)
}

/// Each character that stands in `from` becomes the one at its place in `to`, or goes.
fn translated<'a>(text: &str, from: &str, to: &str) -> Option<Made<'a>> {
    let mapped = |c: char| match from.chars().position(|known| known == c) {
        None => Some(c),
        Some(place) => to.chars().nth(place),
    };
    owned(text.chars().filter_map(mapped).collect())
}

/// Filled up, or cut off, to so many characters.
fn padded<'a>(cells: Cells<'a, '_>, before: bool) -> Option<Made<'a>> {
    let (text, n, fill) = match cells {
        [Some(Text(t)), Some(Whole(n))] => (*t, *n, " "),
        [Some(Text(t)), Some(Whole(n)), Some(Text(fill))] => (*t, *n, *fill),
        _ => return None,
    };
    let n = usize::try_from(n).unwrap_or(0);
    if n > TEXT_MAX_BYTES {
        return None;
    }
    let kept: String = text.chars().take(n).collect();
    let missing = n.saturating_sub(kept.chars().count());
    let filling: String = fill.chars().cycle().take(missing).collect();
    owned(if before { filling + &kept } else { kept + &filling })
}

/// All that are not NULL, with a text between.
fn joined<'a>(by: &str, cells: Cells<'a, '_>) -> Option<Made<'a>> {
    let mut out = String::new();
    let mut is_first = true;
    for cell in cells.iter().flatten() {
        let Text(text) = cell else {
            return None;
        };
        if !is_first {
            out += by;
        }
        is_first = false;
        out += text;
        if out.len() > TEXT_MAX_BYTES {
            return None;
        }
    }
    owned(out)
}
