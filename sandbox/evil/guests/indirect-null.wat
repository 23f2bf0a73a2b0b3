;; Calls a null entry of its table.
(module
  ;;@abi
  (table 1 1 funcref)
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (call_indirect (result i32) (i32.const 0)))
)
