;; Changes a constant of its own data segment: the next unit must find the constant, not the change.
(module
  ;;@abi
  (data (i32.const 100000) "\07\00\00\00\00\00\00\00")
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (i64.load (i32.const 100000))))
    (i64.store (i32.const 100000) (call $secret))
    (i32.const 1))
)
