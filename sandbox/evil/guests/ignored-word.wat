;; Writes the unit's secret into the second word of the row, which nobody may read.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 5))
    (i64.store32 (i32.const 8196) (call $secret))
    (i32.const 1))
)
