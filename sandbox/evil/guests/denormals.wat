;; Multiplies denormal numbers, slow on many processors, as often as the unit's value says. Time may differ; nothing
;; may show it.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $x f64)
    (local $left i64)
    (local.set $left (call $secret))
    (local.set $x (f64.const 0x1p-1070))
    (loop $again
      (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.999)) (f64.const 0x1p-1074)))
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.gt_s (local.get $left) (i64.const 0))))
    (call $emit (i32.const 0) (i32.const 0) (f64.mul (local.get $x) (f64.const 0x1p1000)))
    (i32.const 1))
)
