;; No attack: one row of the unit's own first value under key 0. What every other line is compared with.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.const 1))
)
