;; Writes a row and claims none: it must not count, and the unit is counted nowhere.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.const 0))
)
