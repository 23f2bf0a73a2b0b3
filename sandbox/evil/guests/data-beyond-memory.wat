;; An active data segment that does not fit its memory: no instance can ever be made.
(module
  ;;@abi
  (data (i32.const 131070) "beyond")
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.const 1))
)
