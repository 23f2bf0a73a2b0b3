;; Minus zero: a number like any other, and no sign may survive.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const -0.0))
    (i32.const 1))
)
