;; Exports a name of control characters, line breaks and right-to-left marks, to spoil a report or a log.
(module
  (memory (export "memory") 2 2)
  (func (export "gbx_abi") (result i32) (i32.const 1))
  (func (export "gbx_in") (result i32) (i32.const 1024))
  (func (export "gbx_in_cap") (result i32) (i32.const 4096))
  (func (export "gbx_out") (result i32) (i32.const 8192))
  (func (export "gbx_out_cap") (result i32) (i32.const 1024))
  (func (export "gbx_map\00\0a\1b[2J\e2\80\ae") (result i32) (i32.const 0))
  (func (export "gbx_map") (param i32) (result i32) (i32.const 0))
)
