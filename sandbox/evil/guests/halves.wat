;; Values half way between two steps, of both signs: rounded away from zero.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 0.5))
    (call $emit (i32.const 1) (i32.const 1) (f64.const -0.5))
    (call $emit (i32.const 2) (i32.const 1) (f64.const -2.5))
    (i32.const 3))
)
