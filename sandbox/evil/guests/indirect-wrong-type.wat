;; Calls a function as if it had another type.
(module
  ;;@abi
  (table 1 1 funcref)
  (elem (i32.const 0) $f)
  (func $f (result i32) (i32.const 1))
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (call_indirect (param i64) (result i32) (i64.const 1) (i32.const 0)))
)
