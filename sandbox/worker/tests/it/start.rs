//! The start message: what is refused, and by which code.

use glovebox_wire::{Call, Reply, StartRefusal};

use crate::support::{call, echo, serve_bytes, start_message};

fn reply(module: &[u8], call: Call) -> Reply {
    let (bodies, ended) = serve_bytes(&start_message(module, call));
    ended.unwrap();
    assert_eq!(bodies.len(), 1);
    Reply::decode(&bodies[0]).unwrap()
}

fn reply_to_text(text: &str) -> Reply {
    reply(&wat::parse_str(text).unwrap(), call())
}

const MAP: &str = r#"(func (export "gbx_map") (param i32) (result i32) (i32.const 0))"#;

#[test]
fn what_cannot_be_compiled_is_refused() {
    let refused = Reply::Refused(StartRefusal::Compile);
    assert_eq!(reply(&echo(), call()), Reply::Ready);
    assert_eq!(reply(b"", call()), refused);
    assert_eq!(reply(b"(module)", call()), refused);
    assert_eq!(reply(b"\0asm\x01\0\0\0\xff", call()), refused);
    assert_eq!(reply(&echo()[..60], call()), refused);
    // Damage anywhere must never bring the worker down.
    for at in 0..echo().len() {
        let mut module = echo();
        module[at] ^= 0x55;
        reply(&module, call());
    }
}

#[test]
fn proposals_outside_of_the_abi_do_not_compile() {
    let fields = [
        "(memory i64 1 1)",
        "(memory 1 1) (memory 1 1)",
        "(memory 1 1 shared)",
        "(memory 1 1 (pagesize 1))",
        "(memory 1 1) (func $f (result i32) (return_call $f))",
        "(memory 1 1) (tag $t)",
        "(memory 1 1) (type (struct (field i32)))",
        "(memory 1 1) (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))",
        "(memory 1 1) (func (param externref))",
        "(memory 1 1) (func (drop (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))) drop)",
        "(memory 1 1) (func (drop (i32.atomic.load (i32.const 0))))",
    ];
    for fields in fields {
        let text = format!(r#"(module {fields} (export "memory" (memory 0)) {MAP})"#);
        let module = wat::parse_str(&text).or_else(|_| wat::parse_str(text.replace("$t", ""))).unwrap();
        assert_eq!(reply(&module, call()), Reply::Refused(StartRefusal::Compile), "{fields}");
    }
}

#[test]
fn a_module_of_another_shape_than_told_is_refused() {
    let texts = [
        format!(r#"(module (import "env" "f" (func)) (memory (export "memory") 1 1) {MAP})"#),
        format!(r#"(module (import "env" "m" (memory 1 1)) (export "memory" (memory 0)) {MAP})"#),
        format!(r#"(module (memory (export "memory") 1) {MAP})"#),
        format!(r#"(module (memory (export "memory") 1 2) {MAP})"#),
        format!(r#"(module (memory (export "memory") 2 2) {MAP})"#),
        format!(r#"(module (memory 1 1) {MAP})"#),
        r#"(module (memory (export "memory") 1 1))"#.to_owned(),
        r#"(module (memory (export "memory") 1 1) (func (export "gbx_map")))"#.to_owned(),
        r#"(module (memory (export "memory") 1 1) (func (export "gbx_map") (param i64) (result i32) (i32.const 0)))"#
            .to_owned(),
        r#"(module (memory (export "memory") 1 1) (global (export "gbx_map") i32 (i32.const 0)))"#.to_owned(),
    ];
    for text in texts {
        assert_eq!(reply_to_text(&text), Reply::Refused(StartRefusal::Shape), "{text}");
    }
}

#[test]
fn a_module_that_cannot_be_instantiated_is_refused() {
    let fields = [
        r#"(data (i32.const 65536) "x")"#,
        "(table 1 1 funcref) (elem (i32.const 1) 0)",
        "(func $f unreachable) (start $f)",
        "(func $f (loop $l (br $l))) (start $f)",
    ];
    for fields in fields {
        let text = format!(r#"(module (memory (export "memory") 1 1) {MAP} {fields})"#);
        assert_eq!(reply_to_text(&text), Reply::Refused(StartRefusal::Instantiate), "{fields}");
    }
    // Over what the pool gives: told when the module is compiled.
    let fields = ["(table 4097 4097 funcref)", "(table 1 1 funcref) (table 1 1 funcref)"];
    for fields in fields {
        let text = format!(r#"(module (memory (export "memory") 1 1) {MAP} {fields})"#);
        assert!(matches!(reply_to_text(&text), Reply::Refused(_)), "{fields}");
    }
}
