;; Answers the smallest integer, whose absolute value does not exist.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.const 0x80000000))
)
