;; Leaves the secret in memory and traps; whoever finds something there says so and does not trap. A trap must not
;; spare the instance.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (if (i64.ne (i64.load (i32.const 100000)) (i64.const 0)) (then
      (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (i64.load (i32.const 100000))))
      (return (i32.const 1))))
    (i64.store (i32.const 100000) (call $secret))
    (unreachable))
)
