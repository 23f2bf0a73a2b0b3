;; Divides the smallest integer by minus one.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i32.div_s (i32.const 0x80000000) (i32.sub (i32.const 0) (i32.ne (local.get $len) (i32.const 0)))))
)
