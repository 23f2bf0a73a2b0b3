;; Uses a relaxed instruction, whose result may differ between processors.
(module
  (memory (export "memory") 2 2)
  (func (export "gbx_abi") (result i32) (i32.const 1))
  (func (export "gbx_in") (result i32) (i32.const 1024))
  (func (export "gbx_in_cap") (result i32) (i32.const 4096))
  (func (export "gbx_out") (result i32) (i32.const 8192))
  (func (export "gbx_out_cap") (result i32) (i32.const 1024))
  (func (result v128) (f32x4.relaxed_madd (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)))
  (func (export "gbx_map") (param i32) (result i32) (i32.const 0))
)
