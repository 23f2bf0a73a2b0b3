;; Its input area holds the frame of a unit of fixed width and no more: a long text does not fit, and that unit is the
;; default.
(module
  ;;@helpers
  (memory (export "memory") 2 2)
  (func (export "gbx_abi") (result i32) (i32.const 1))
  (func (export "gbx_in") (result i32) (i32.const 1024))
  (func (export "gbx_in_cap") (result i32) (i32.const 272))
  (func (export "gbx_out") (result i32) (i32.const 8192))
  (func (export "gbx_out_cap") (result i32) (i32.const 1024))
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 1))
    (i32.const 1))
)
