;; Writes a function into its table for one of the victims, and emits which one it finds there.
(module
  ;;@abi
  (table 1 1 funcref)
  (elem (i32.const 0) $clean)
  (elem declare func $marked)
  (func $clean (result i32) (i32.const 1))
  (func $marked (result i32) (i32.const 2))
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_s (call_indirect (result i32) (i32.const 0))))
    (if (i64.eq (call $secret) (i64.const 111)) (then (table.set (i32.const 0) (ref.func $marked))))
    (i32.const 1))
)
