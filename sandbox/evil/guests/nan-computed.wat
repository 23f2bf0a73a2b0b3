;; Makes a NaN and looks at its bits. The sign is the processor's; everything else is laid down, and the same for all.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $bits i64)
    (local.set $bits
      (i64.reinterpret_f64 (f64.div (f64.convert_i32_u (i32.sub (local.get $len) (local.get $len))) (f64.const 0))))
    (call $emit (i32.const 0) (i32.const 0)
      (f64.convert_i32_u (i64.eq (i64.shl (local.get $bits) (i64.const 1)) (i64.const 0xfff0000000000000))))
    (i32.const 1))
)
