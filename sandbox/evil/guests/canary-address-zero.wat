;; As canary-memory, at address 0, where nothing of the contract lies.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (i64.load (i32.const 0))))
    (i64.store (i32.const 0) (call $secret))
    (i32.const 1))
)
