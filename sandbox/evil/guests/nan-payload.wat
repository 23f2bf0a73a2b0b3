;; A NaN whose payload is the unit's secret.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 1))
    (i64.store (i32.const 8200) (i64.or (i64.const 0xfff8000000000000) (call $secret)))
    (i32.const 1))
)
