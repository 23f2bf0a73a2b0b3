;; Works so long that one victim just ends within its fuel and the other does not. The outcome depends on the unit's
;; own value, which is allowed, and on nothing else.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $left i64)
    (local.set $left (i64.mul (i64.sub (call $secret) (i64.const 100)) (i64.const 500)))
    (call $emit (i32.const 0) (i32.const 1) (f64.const 1))
    (loop $again
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.gt_s (local.get $left) (i64.const 0))))
    (i32.const 1))
)
