;; A NaN out of arithmetic, with the sign that the processor gave it, turned into a number: bits of a NaN must be the
;; same for all.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $bits i64)
    (local.set $bits
      (i64.reinterpret_f64 (f64.div (f64.convert_i32_u (i32.sub (local.get $len) (local.get $len))) (f64.const 0))))
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_u (i64.shr_u (local.get $bits) (i64.const 63))))
    (i32.const 1))
)
