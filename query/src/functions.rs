//! Every scalar function of DataFusion 55, each allowed with the reason why it is total, or refused with what to write
//! instead. One table, in two parts: `allowed` and `refused`.
//!
//! Total means: on every row whatsoever the function gives a value or NULL, the same one each time, in time and memory
//! that the length of its arguments bounds. An error that one row causes and another does not is a bit of data on its way out.
//! Default deny: what the table does not allow cannot be planned. A test takes DataFusion's own list, so that a function
//! that an upgrade brings must be judged before the tests pass again; `docs/functions.md` is this table, printed.

use std::fmt::Write as _;

mod allowed;
mod refused;

/// One function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The name that DataFusion gives it.
    pub(crate) name: &'static str,
    /// Other names for it.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) verdict: Verdict,
}

/// What the language does about a function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict {
    /// It may be called: how, and why it is total.
    Total { form: &'static str, why: &'static str },
    /// It may not: why, and what to write instead; nothing where there is nothing.
    Refused { why: &'static str, instead: &'static str },
}

const fn total(name: &'static str, aliases: &'static [&'static str], form: &'static str, why: &'static str) -> Entry {
    Entry { name, aliases, verdict: Verdict::Total { form, why } }
}

const fn refused(
    name: &'static str,
    aliases: &'static [&'static str],
    why: &'static str,
    instead: &'static str,
) -> Entry {
    Entry { name, aliases, verdict: Verdict::Refused { why, instead } }
}

/// All functions, those that are allowed first.
pub(crate) fn all() -> impl Iterator<Item = &'static Entry> {
    allowed::TABLE.iter().chain(refused::TABLE)
}

/// What is said of a function of this name; `None` when nobody knows it.
pub(crate) fn entry(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name || entry.aliases.contains(&name))
}

/// The own name of a function that may be called.
pub(crate) fn callable(name: &str) -> Option<&'static str> {
    entry(name).filter(|entry| matches!(entry.verdict, Verdict::Total { .. })).map(|entry| entry.name)
}

/// What a refusal quotes of a function: its name, and after an arrow what to write instead.
pub(crate) fn quoted(name: &str) -> String {
    match entry(name).map(|entry| entry.verdict) {
        Some(Verdict::Refused { instead, .. }) if !instead.is_empty() => format!("{name} → {instead}"),
        _ => name.to_owned(),
    }
}

/// The page `docs/functions.md`: the table in words. A test holds the file to it.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    let names = |entry: &Entry| {
        let all = std::iter::once(&entry.name).chain(entry.aliases).map(|name| format!("`{name}`"));
        all.collect::<Vec<_>>().join(", ")
    };
    for entry in allowed::TABLE {
        if let Verdict::Total { form, why } = entry.verdict {
            // Writing to a String does not fail.
            let _ = writeln!(out, "| {} | `{form}` | {why} |", names(entry));
        }
    }
    out += MIDDLE;
    for entry in refused::TABLE {
        if let Verdict::Refused { why, instead } = entry.verdict {
            let instead = if instead.is_empty() { "–".to_owned() } else { format!("`{instead}`") };
            let _ = writeln!(out, "| {} | {why} | {instead} |", names(entry));
        }
    }
    out
}

const HEAD: &str = "\
<!-- Written by the tests of `query` from `query/src/functions`; BLESS=1 writes it anew. -->

# Functions of DP SQL · DP SQL 的函数

A function may be called when it is total: on every row it gives a value or NULL, always the same one, in time and memory that
the length of its arguments bounds. Where DataFusion's own form of a function fails on some rows, ours gives NULL there:
outside the domain (`SQRT(-1)`, `LN(0)`), where a result is no finite number, or where a whole number does not fit 64 bits.
`/` and `%` give NULL where the divisor is zero; `+`, `-` and `*` of whole numbers wrap. `CAST` is `TRY_CAST`.
Functions of text see at most 1,024 bytes of a text and make at most as many: longer ones are NULL to them.
Patterns (`LIKE`, `ILIKE`, `~`, `~*`, `REGEXP_LIKE`) are literals; they are compiled when the question is
analysed, within a fixed size, by an engine whose time is linear in the text.

只有对任何行都不会出错的函数才可调用：每行得到一个值或 NULL，结果确定，时间与内存以参数长度为界。定义域之外、结果非有限数或
整数超出 64 位时为 NULL；除数为零得 NULL；`CAST` 等同 `TRY_CAST`；文本函数最多处理并产生 1024 字节，更长的文本视为 NULL；模式必须是字面量。

## Allowed · 可用

| function | form | why it is total |
|---|---|---|
";

const MIDDLE: &str = "
## Refused · 不可用

| function | why | instead |
|---|---|---|
";

#[cfg(test)]
#[path = "functions_tests.rs"]
mod tests;
