;; Leaves the secret in a global of 128 bits.
(module
  ;;@abi
  (global $kept (mut v128) (v128.const i64x2 0 0))
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (i64x2.extract_lane 1 (global.get $kept))))
    (global.set $kept (i64x2.splat (call $secret)))
    (i32.const 1))
)
