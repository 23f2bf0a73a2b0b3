//! The check of a module: each rule with a module that keeps it and one that breaks it.

use glovebox_sandbox::{ColumnType, Module, ModuleFault};

use proptest::prelude::*;

use crate::support::ECHO;

/// A module in parts, so that a case changes one.
struct Parts {
    memory: &'static str,
    functions: &'static str,
    more: String,
}

const FUNCTIONS: &str = r#"
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 64)
  (func (export "gbx_out") (result i32) i32.const 2048)
  (func (export "gbx_out_cap") (result i32) i32.const 8)
  (func (export "gbx_map") (param i32) (result i32) i32.const 0)"#;

const GOOD: Parts = Parts { memory: r#"(memory (export "memory") 1 1)"#, functions: FUNCTIONS, more: String::new() };

fn check(parts: &Parts) -> Result<Module, ModuleFault> {
    check_text(&format!("(module {} {} {})", parts.memory, parts.functions, parts.more))
}

fn check_text(text: &str) -> Result<Module, ModuleFault> {
    Module::check(&wat::parse_str(text).unwrap())
}

fn memory(memory: &'static str) -> Result<Module, ModuleFault> {
    check(&Parts { memory, ..GOOD })
}

fn with(more: &str) -> Result<Module, ModuleFault> {
    check(&Parts { more: more.to_owned(), ..GOOD })
}

/// The good module with one text in place of another.
fn changed(from: &str, to: &str) -> Result<Module, ModuleFault> {
    let text = format!("(module {} {FUNCTIONS})", GOOD.memory);
    assert!(text.contains(from), "{from}");
    check_text(&text.replacen(from, to, 1))
}

fn is_invalid(result: Result<Module, ModuleFault>) -> bool {
    matches!(result, Err(ModuleFault::Invalid { .. }))
}

#[test]
fn the_facts_are_those_of_the_module() {
    let bytes = wat::parse_str(ECHO).unwrap();
    let module = Module::check(&bytes).unwrap();
    let facts = module.facts();
    assert_eq!(module.bytes(), bytes);
    assert_eq!((facts.bytes, facts.memory_bytes, facts.functions), (bytes.len() as u64, 65_536, 6));
    assert_eq!((facts.in_cap, facts.out_cap, facts.log_cap), (2_048, 2_048, None));
    assert_eq!(facts.exports, ["memory", "gbx_abi", "gbx_in", "gbx_in_cap", "gbx_out", "gbx_out_cap", "gbx_map"]);
    assert_eq!(facts.schema, None);
}

#[test]
fn there_is_one_fixed_memory() {
    assert!(memory(r#"(memory (export "memory") 16 16)"#).is_ok());
    let refused = [
        "",
        r#"(memory (export "memory") 1)"#,
        r#"(memory (export "memory") 1 2)"#,
        r#"(memory (export "memory") 0 0)"#,
        r#"(memory (export "memory") 17 17)"#,
        r#"(memory (export "memory") i64 1 1)"#,
        r#"(memory (export "memory") 1 1 shared)"#,
        r#"(memory (export "memory") 1 1) (memory 1 1)"#,
        r#"(memory (export "memory") 65536 65536 (pagesize 1))"#,
    ];
    for text in refused {
        assert_eq!(memory(text).err(), Some(ModuleFault::Memory), "{text}");
    }
    assert_eq!(memory("(memory 1 1)").err(), Some(ModuleFault::MissingExport("memory")));
}

#[test]
fn nothing_is_imported_and_nothing_runs_by_itself() {
    let imports = [
        (r#"(import "env" "f" (func))"#, "function env.f"),
        (r#"(import "env" "g" (global i32))"#, "global env.g"),
        (r#"(import "env" "t" (table 1 funcref))"#, "table env.t"),
    ];
    for (import, name) in imports {
        let text = format!("(module {import} {} {FUNCTIONS})", GOOD.memory);
        assert_eq!(check_text(&text).err(), Some(ModuleFault::Import(name.to_owned())));
    }
    let text = format!(r#"(module (import "env" "memory" (memory 1 1)) {FUNCTIONS})"#);
    assert_eq!(check_text(&text).err(), Some(ModuleFault::Import("memory env.memory".to_owned())));
    assert!(with("(func $f)").is_ok());
    assert_eq!(with("(func $f) (start $f)").err(), Some(ModuleFault::Start));
    assert_eq!(with("(tag)").err(), Some(ModuleFault::Tags));
    let import = r#"(module (import "\1b[2J" "x" (func)))"#;
    assert_eq!(check_text(import).err(), Some(ModuleFault::Import(r"function \u{1b}[2J.x".to_owned())));
}

#[test]
fn there_is_at_most_one_table_of_functions() {
    assert!(with("(table 0 0 funcref)").is_ok());
    assert!(with("(table 4096 4096 funcref)").is_ok());
    for text in [
        "(table 1 funcref)",
        "(table 1 2 funcref)",
        "(table 4097 4097 funcref)",
        "(table 1 1 funcref) (table 1 1 funcref)",
    ] {
        assert_eq!(with(text).err(), Some(ModuleFault::Table), "{text}");
    }
    assert_eq!(with("(table 1 1 externref)").err(), Some(ModuleFault::Table));
    assert_eq!(with("(table i64 1 1 funcref)").err(), Some(ModuleFault::Table));
}

#[test]
fn exports_are_from_a_closed_list() {
    assert!(
        with(r#"(global (export "__data_end") i32 i32.const 0) (global (export "__heap_base") i32 i32.const 0)"#)
            .is_ok()
    );
    let unknown = |name: &str| Some(ModuleFault::UnknownExport(name.to_owned()));
    assert_eq!(with(r#"(func (export "_start"))"#).err(), unknown("_start"));
    assert_eq!(with(r#"(global (export "__stack_pointer") i32 i32.const 0)"#).err(), unknown("__stack_pointer"));
    assert_eq!(with(r#"(func (export "gbx_init"))"#).err(), unknown("gbx_init"));
    let typed = |name: &str| Some(ModuleFault::ExportType(name.to_owned()));
    assert_eq!(with(r#"(func (export "__data_end"))"#).err(), typed("__data_end"));
    assert_eq!(changed(r#""gbx_map") (param i32)"#, r#""gbx_map") (param i64)"#).err(), typed("gbx_map"));
    assert_eq!(
        changed(
            r#"(func (export "gbx_in") (result i32) i32.const 1024)"#,
            r#"(global (export "gbx_in") i32 (i32.const 1024))"#
        )
        .err(),
        typed("gbx_in")
    );
    assert_eq!(changed(r#""gbx_abi") (result i32)"#, r#""gbx_abi") (param i32) (result i32)"#).err(), typed("gbx_abi"));
    for name in ["gbx_abi", "gbx_in", "gbx_in_cap", "gbx_out", "gbx_out_cap", "gbx_map"] {
        let missing = changed(&format!(r#"(export "{name}")"#), "").err();
        assert!(matches!(missing, Some(ModuleFault::MissingExport(missing)) if missing == name), "{name}");
    }
}

#[test]
fn the_layout_is_read_from_constants() {
    let constant = |body: &str| changed("i32.const 1024)", body).err();
    assert_eq!(constant("i32.const 1024 return)"), None);
    let refused = Some(ModuleFault::NotConstant("gbx_in"));
    let bodies = [
        "i32.const 1000 i32.const 24 i32.add)",
        "(local i32) i32.const 1024)",
        "i32.const 0 i32.load)",
        "nop i32.const 1024)",
        "i32.const 1024 nop)",
        "block (result i32) i32.const 1024 end)",
        "i32.const 1024 return unreachable)",
        "unreachable)",
    ];
    for body in bodies {
        assert_eq!(constant(body), refused, "{body}");
    }
}

#[test]
fn the_areas_lie_in_the_memory_and_apart() {
    let input = |at: i64| changed("i32.const 1024", &format!("i32.const {at}")).err();
    assert_eq!(input(8), None);
    assert_eq!(input(1_984), None, "ends where the output begins");
    assert_eq!(input(2_056), None, "begins where the output ends");
    assert_eq!(input(65_472), None, "ends where the memory ends");
    for at in [0, 4, 1_025, 65_480, 65_536, -8] {
        assert_eq!(input(at), Some(ModuleFault::Area("gbx_in")), "{at}");
    }
    assert_eq!(input(1_992), Some(ModuleFault::Overlap("gbx_in", "gbx_out")));
    assert_eq!(input(2_048), Some(ModuleFault::Overlap("gbx_in", "gbx_out")));
    assert_eq!(changed("i32.const 64", "i32.const 63").err(), Some(ModuleFault::Area("gbx_in")));
    assert_eq!(changed("i32.const 64", "i32.const -1").err(), Some(ModuleFault::Area("gbx_in")));
    assert_eq!(changed("i32.const 8)", "i32.const 7)").err(), Some(ModuleFault::Area("gbx_out")));
    assert_eq!(changed("i32.const 2048", "i32.const 65536").err(), Some(ModuleFault::Area("gbx_out")));
    assert_eq!(changed("i32.const 1)", "i32.const 2)").err(), Some(ModuleFault::AbiVersion(2)));
}

#[test]
fn a_log_is_an_area_like_the_others() {
    let log = |at: i32, cap: i32| {
        with(&format!(
            r#"(func (export "gbx_log") (result i32) i32.const {at})
               (func (export "gbx_log_cap") (result i32) i32.const {cap})"#
        ))
    };
    assert_eq!(log(4_096, 100).unwrap().facts().log_cap, Some(100));
    assert_eq!(log(4_095, 100).err(), Some(ModuleFault::Area("gbx_log")));
    assert_eq!(log(4_096, 0).err(), Some(ModuleFault::Area("gbx_log")));
    assert_eq!(log(1_032, 8).err(), Some(ModuleFault::Overlap("gbx_in", "gbx_log")));
    let half = with(r#"(func (export "gbx_log") (result i32) i32.const 4096)"#);
    assert_eq!(half.err(), Some(ModuleFault::MissingExport("gbx_log_cap")));
}

#[test]
fn instructions_are_of_the_permitted_extensions() {
    let body = |body: &str| with(&format!("(table 1 1 funcref) (func $f {body})"));
    let permitted = [
        "(drop (i32.extend8_s (i32.const 1)))",
        "(drop (i32.trunc_sat_f64_s (f64.const 1)))",
        "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))",
        "(memory.copy (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4)))",
        "(call_indirect (i32.const 0))",
        "(block (result i32 i32) (i32.const 1) (i32.const 2)) drop drop",
        "(drop (memory.grow (i32.const 1)))",
    ];
    for text in permitted {
        assert!(body(text).is_ok(), "{text}");
    }
    let refused = [
        "(return_call $f)",
        "(drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 1 2 3 4)))",
        "(drop (i32.atomic.load (i32.const 0)))",
        "(atomic.fence)",
        "(local externref)",
        "(local anyref)",
        "(local (ref func)) unreachable",
        "(try_table)",
        "(drop (i31.get_s (ref.i31 (i32.const 1))))",
        "(drop (i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1))) drop",
    ];
    for text in refused {
        assert!(is_invalid(body(text)), "{text}");
    }
    assert!(is_invalid(with("(type (struct))")));
    assert!(is_invalid(with("(global i32 (i32.add (i32.const 1) (i32.const 1)))")));
}

#[test]
fn files_that_are_no_module_are_refused() {
    assert!(is_invalid(Module::check(b"")));
    assert!(is_invalid(Module::check(b"\0asm\x01\0\0")));
    assert!(is_invalid(Module::check(b"not wasm at all")));
    assert_eq!(Module::check(&wat::parse_str("(component)").unwrap()).err(), Some(ModuleFault::Component));
    let mut bytes = wat::parse_str(ECHO).unwrap();
    bytes.pop();
    assert!(is_invalid(Module::check(&bytes)));
    // A custom section fills the file up to the limit and one byte further.
    let sized = |size: usize| {
        let mut bytes = wat::parse_str(ECHO).unwrap();
        let content = size - bytes.len() - 4;
        bytes.push(0);
        bytes.extend([content as u8 | 0x80, (content >> 7) as u8 | 0x80, (content >> 14) as u8]);
        bytes.extend(std::iter::once(1).chain(std::iter::repeat_n(b'x', content - 1)));
        assert_eq!(bytes.len(), size);
        Module::check(&bytes).err()
    };
    assert_eq!(sized(1 << 20), None);
    assert_eq!(sized((1 << 20) + 1), Some(ModuleFault::TooLarge));
}

#[test]
fn there_are_not_endless_functions_and_sections() {
    assert!(with(&"(func)".repeat(10_000 - 6)).is_ok());
    assert_eq!(with(&"(func)".repeat(10_001 - 6)).err(), Some(ModuleFault::TooManyFunctions));
    assert!(with(&r#"(@custom "x" "")"#.repeat(64)).is_ok());
    assert_eq!(with(&r#"(@custom "x" "")"#.repeat(65)).err(), Some(ModuleFault::TooManySections));
}

#[test]
fn functions_do_not_nest_endlessly() {
    let nested = |head: &str, times: usize, tail: &str| {
        let (heads, tails) = (format!("{head} ").repeat(times), format!("{tail} ").repeat(times));
        with(&format!("(func {heads} {tails})")).map(|_| ())
    };
    // The seventh function; six come from the template.
    let too_deep = Err(ModuleFault::TooDeep(6));
    for (most, head, tail) in [
        (1_000, "block", "end"),
        (1_000, "i32.const 0 if", "end"),
        (1_000, "i32.const 0 if nop else", "end"),
        (64, "loop", "end"),
    ] {
        assert!(nested(head, most, tail).is_ok(), "{head}");
        assert_eq!(nested(head, most + 1, tail), too_deep, "{head}");
    }
    // What stands behind each other is not inside each other; kinds count together.
    assert!(nested("loop end block end", 5_000, "").is_ok());
    assert_eq!(nested("loop block", 64, "end end"), Ok(()));
    assert_eq!(
        with(&format!("(func {} loop end {})", "block ".repeat(1_000), "end ".repeat(1_000))).err(),
        too_deep.err()
    );
}

#[test]
fn a_schema_is_a_list_of_names_and_types() {
    let schema = |text: &str| with(&format!(r#"(@custom "gbx.schema" "{text}")"#)).map(|m| m.facts().schema.clone());
    let columns =
        [("year", ColumnType::I64), ("a:b", ColumnType::F64), ("x", ColumnType::Bool), ("年", ColumnType::Text)];
    let columns: Vec<_> = columns.into_iter().map(|(name, of)| (name.to_owned(), of)).collect();
    assert_eq!(schema(r"year:i64\0aa:b:f64\0ax:bool\0a年:text\0a"), Ok(Some(columns)));
    for text in ["year", "year:int", ":i64", r"year:i64\0a\0ax:i64", r"\ff:i64", "year: i64"] {
        assert_eq!(schema(text), Err(ModuleFault::Schema), "{text}");
    }
    let twice = r#"(@custom "gbx.schema" "x:i64")(@custom "gbx.schema" "x:i64")"#;
    assert_eq!(with(twice).err(), Some(ModuleFault::Schema));
}

#[test]
fn digests_show_which_function_changed() {
    let sections = |body: &str| with(&format!("(func {body}) (func nop)")).unwrap().facts().sections.clone();
    let (before, after) = (sections("nop"), sections("nop nop"));
    assert_eq!(before.len(), after.len());
    let changed: Vec<_> =
        before.iter().zip(&after).filter(|(left, right)| left != right).map(|((name, _), _)| name.as_str()).collect();
    assert_eq!(changed, ["code", "code[6]"]);
    let names: Vec<_> = before.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..6], ["type", "function", "memory", "export", "code", "code[0]"]);
    // SHA-256 of the body `no locals, nop, end`.
    let digest = hex(&before.iter().find(|(name, _)| name == "code[7]").unwrap().1);
    assert_eq!(digest, "bca917d32b52f0d854ac1a4575be15e556c78b2e04a2a2ea5f0b4fd1d97a9cd9");
}

proptest! {
    #[test]
    fn no_file_is_too_odd_to_be_judged(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = wat::parse_str(ECHO).unwrap();
        let short = bytes[..cut.index(bytes.len())].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let noisy = [b"\0asm\x01\0\0\0".as_slice(), &noise].concat();
        for file in [bytes, short, noisy, noise] {
            if let Ok(module) = Module::check(&file) {
                let facts = module.facts();
                prop_assert!(facts.in_cap >= 64 && u64::from(facts.in_cap) + u64::from(facts.out_cap) < facts.memory_bytes);
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
