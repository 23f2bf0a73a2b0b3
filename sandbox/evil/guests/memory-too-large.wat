;; A memory of 17 pages.
(module
  (memory (export "memory") 17 17)
  (func (export "gbx_abi") (result i32) (i32.const 1))
  (func (export "gbx_in") (result i32) (i32.const 1024))
  (func (export "gbx_in_cap") (result i32) (i32.const 4096))
  (func (export "gbx_out") (result i32) (i32.const 8192))
  (func (export "gbx_out_cap") (result i32) (i32.const 1024))
  (func (export "gbx_map") (param i32) (result i32) (i32.const 0))
)
