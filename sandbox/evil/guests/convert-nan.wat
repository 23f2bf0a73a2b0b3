;; Converts a NaN to an integer, which traps.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.trunc_f64_s (f64.const nan)))
)
