//! What the interface `gbx/1` asks of a compiled guest, as far as it shows without running it.
//!
//! The host has its own, stricter check before it compiles anything; this one tells whoever changes a guest, the SDK or a
//! toolchain what no longer fits.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use wasmparser::{ExternalKind, FunctionBody, MemoryType, Operator, Parser, Payload, Validator};

/// Exports of the form `() -> i32` whose body is one constant.
const CONSTANTS: [&str; 7] = ["gbx_abi", "gbx_in", "gbx_in_cap", "gbx_out", "gbx_out_cap", "gbx_log", "gbx_log_cap"];

/// The constants that a module may leave out, both or neither.
const OPTIONAL: [&str; 2] = ["gbx_log", "gbx_log_cap"];

/// Globals that the Rust linker exports by itself.
const IGNORED: [&str; 2] = ["__data_end", "__heap_base"];

/// Most pages of memory.
const MAX_PAGES: u64 = 16;

/// Bytes of a page.
const PAGE_BYTES: u64 = 65_536;

/// What a module says about itself.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// What does not fit the interface.
    pub problems: Vec<String>,
    /// Bytes of its memory.
    pub memory_bytes: u64,
    /// The constants that it exports.
    pub constants: BTreeMap<String, i32>,
    /// The names of its input columns, from the section `gbx.schema`.
    pub columns: Vec<String>,
}

/// Reads a module.
///
/// # Errors
/// When the bytes are not a valid WebAssembly module.
pub(crate) fn read(bytes: &[u8]) -> Result<Facts> {
    Validator::new().validate_all(bytes).context("not a valid WebAssembly module")?;
    let mut facts = Facts::default();
    let mut exports = Vec::new();
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(section) => {
                facts.problems.push(format!("it has {} imports and may have none", section.count()));
            }
            Payload::StartSection { .. } => facts.problems.push("it has a start function".to_owned()),
            Payload::MemorySection(section) => {
                let memories = section.into_iter().collect::<Result<Vec<_>, _>>()?;
                facts.memory(&memories);
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    exports.push((export.name.to_owned(), export.kind, export.index));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(constant(&body)?),
            Payload::CustomSection(section) if section.name() == "gbx.schema" => {
                facts.columns = schema(section.data())?;
            }
            _ => {}
        }
    }
    facts.exports(&exports, &bodies);
    facts.areas();
    Ok(facts)
}

impl Facts {
    fn memory(&mut self, memories: &[MemoryType]) {
        match memories {
            [one] if !one.memory64 && !one.shared && one.maximum == Some(one.initial) && one.initial <= MAX_PAGES => {
                self.memory_bytes = one.initial * PAGE_BYTES;
            }
            _ => self.problems.push(format!("it needs one memory of a fixed size of at most {MAX_PAGES} pages")),
        }
    }

    /// Without imports, a function's number is its place among the bodies.
    fn exports(&mut self, exports: &[(String, ExternalKind, u32)], bodies: &[Option<i32>]) {
        for (name, kind, index) in exports {
            let known = match kind {
                ExternalKind::Memory => name == "memory",
                ExternalKind::Func => name == "gbx_map" || CONSTANTS.contains(&name.as_str()),
                ExternalKind::Global => IGNORED.contains(&name.as_str()),
                _ => false,
            };
            if !known {
                self.problems.push(format!("the export `{name}` is not of the interface"));
            } else if CONSTANTS.contains(&name.as_str()) {
                match bodies.get(*index as usize).copied().flatten() {
                    Some(value) => drop(self.constants.insert(name.clone(), value)),
                    None => self.problems.push(format!("the body of `{name}` is not one constant")),
                }
            }
        }
        let has = |name: &str| exports.iter().any(|(has, ..)| has == name);
        for name in CONSTANTS.iter().chain(&["gbx_map", "memory"]) {
            if !has(name) && !OPTIONAL.contains(name) {
                self.problems.push(format!("it does not export `{name}`"));
            }
        }
        if has("gbx_log") != has("gbx_log_cap") {
            self.problems.push("it exports one of `gbx_log` and `gbx_log_cap`, not both".to_owned());
        }
    }

    fn areas(&mut self) {
        if self.constants.get("gbx_abi").is_some_and(|abi| *abi != 1) {
            self.problems.push("`gbx_abi` is not 1".to_owned());
        }
        let mut areas: Vec<(i64, i64, &str)> = Vec::new();
        for (start, cap) in [("gbx_in", "gbx_in_cap"), ("gbx_out", "gbx_out_cap"), ("gbx_log", "gbx_log_cap")] {
            let value = |name| self.constants.get(name).map(|value| i64::from(*value));
            let Some((from, bytes)) = value(start).zip(value(cap)) else { continue };
            let end = from + bytes;
            if from <= 0 || from % 8 != 0 || bytes <= 0 || end > i64::try_from(self.memory_bytes).unwrap_or(i64::MAX) {
                self.problems.push(format!("the area at `{start}` does not lie at a multiple of 8 inside the memory"));
            }
            if areas.iter().any(|(other_from, other_end, _)| from < *other_end && *other_from < end) {
                self.problems.push(format!("the area at `{start}` overlaps another"));
            }
            areas.push((from, end, start));
        }
    }
}

/// The value of a body that is `i32.const N`, with or without `return`.
fn constant(body: &FunctionBody<'_>) -> Result<Option<i32>> {
    let mut operators = body.get_operators_reader()?;
    let Operator::I32Const { value } = operators.read()? else { return Ok(None) };
    let mut rest = Vec::new();
    while !operators.eof() && rest.len() < 3 {
        rest.push(operators.read()?);
    }
    Ok(matches!(rest.as_slice(), [Operator::End] | [Operator::Return, Operator::End]).then_some(value))
}

fn schema(data: &[u8]) -> Result<Vec<String>> {
    let text = std::str::from_utf8(data).context("the section `gbx.schema` is not UTF-8")?;
    let mut columns = Vec::new();
    for line in text.lines() {
        match line.rsplit_once(':') {
            Some((name, "i64" | "f64" | "bool" | "text" | "bytes")) => columns.push(name.to_owned()),
            _ => bail!("the line `{line}` of `gbx.schema` is not `name:type`"),
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    /// `(memory 1 1)` with the interface's exports: five functions of one constant, and `gbx_map`.
    fn module(constants: [u8; 5], pages: [u8; 2], names: [&str; 7]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        let mut section = |id: u8, content: &[u8]| {
            bytes.extend([id, u8::try_from(content.len()).unwrap()]);
            bytes.extend(content);
        };
        // Types () -> i32 and (i32) -> i32.
        section(1, &[2, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f]);
        section(3, &[6, 0, 0, 0, 0, 0, 1]);
        section(5, &[1, 1, pages[0], pages[1]]);
        let mut exports = vec![7];
        for (at, name) in (0_u8..).zip(names) {
            exports.push(u8::try_from(name.len()).unwrap());
            exports.extend(name.as_bytes());
            exports.extend(if at == 6 { [2, 0] } else { [0, at] });
        }
        section(7, &exports);
        let mut bodies = vec![6];
        // A body: its length, no locals, `i32.const`, a number of one byte or two, `end`.
        for constant in constants {
            bodies.extend([5, 0, 0x41, 0x80 | (constant & 0x7f), constant >> 7, 0x0b]);
        }
        bodies.extend([4, 0, 0x20, 0, 0x0b]);
        section(10, &bodies);
        bytes
    }

    const NAMES: [&str; 7] = ["gbx_abi", "gbx_in", "gbx_in_cap", "gbx_out", "gbx_out_cap", "gbx_map", "memory"];

    fn problems(module: &[u8]) -> Vec<String> {
        read(module).unwrap().problems
    }

    #[test]
    fn a_module_of_the_interface_passes() {
        let facts = read(&module([1, 8, 64, 72, 16], [1, 1], NAMES)).unwrap();
        assert_eq!(facts.problems, Vec::<String>::new());
        assert_eq!((facts.memory_bytes, facts.constants.get("gbx_in_cap")), (65_536, Some(&64)));
    }

    #[test]
    fn each_fault_is_named_once() {
        assert_eq!(problems(&module([2, 8, 64, 72, 16], [1, 1], NAMES)), ["`gbx_abi` is not 1"]);
        assert_eq!(problems(&module([1, 8, 64, 64, 16], [1, 1], NAMES)), ["the area at `gbx_out` overlaps another"]);
        let odd = "the area at `gbx_in` does not lie at a multiple of 8 inside the memory";
        assert_eq!(problems(&module([1, 4, 64, 72, 16], [1, 1], NAMES)), [odd]);
        let memory = "it needs one memory of a fixed size of at most 16 pages";
        assert!(problems(&module([1, 8, 64, 72, 16], [1, 2], NAMES)).iter().any(|problem| problem == memory));
    }

    #[test]
    fn other_exports_missing_ones_and_bodies_that_compute_are_named() {
        let mut names = NAMES;
        names[4] = "gbx_oops";
        let found = problems(&module([1, 8, 64, 72, 16], [1, 1], names));
        assert_eq!(found, ["the export `gbx_oops` is not of the interface", "it does not export `gbx_out_cap`"]);
        let mut computing = module([1, 8, 64, 72, 16], [1, 1], NAMES);
        let at = computing.windows(4).position(|body| body == [0, 0x41, 0x81, 0]).unwrap();
        // `nop`, `i32.const 1` instead of `i32.const 1` in two bytes.
        computing[at + 1..at + 4].copy_from_slice(&[0x01, 0x41, 1]);
        assert_eq!(problems(&computing), ["the body of `gbx_abi` is not one constant"]);
        assert!(read(b"\0asm").is_err());
    }
}
