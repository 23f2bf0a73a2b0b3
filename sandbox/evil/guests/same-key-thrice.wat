;; Emits the largest allowed value three times under one key: the unit's sum is clipped, not each row.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 1000))
    (call $emit (i32.const 1) (i32.const 0) (f64.const 1000))
    (call $emit (i32.const 2) (i32.const 0) (f64.const 1000))
    (i32.const 3))
)
