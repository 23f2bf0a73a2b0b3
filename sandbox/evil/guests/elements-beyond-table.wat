;; An active element segment that does not fit its table: no instance can ever be made.
(module
  ;;@abi
  (table 1 1 funcref)
  (elem (i32.const 1) $f)
  (func $f)
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.const 1))
)
