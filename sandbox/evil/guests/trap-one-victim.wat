;; Writes a row for everybody and traps for one of the victims only.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (if (i64.eq (call $secret) (i64.const 111)) (then (unreachable)))
    (i32.const 1))
)
