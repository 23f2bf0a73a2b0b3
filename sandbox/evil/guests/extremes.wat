;; The largest and the smallest finite number under two keys: clipped.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 0x1.fffffffffffffp+1023))
    (call $emit (i32.const 1) (i32.const 1) (f64.const -0x1.fffffffffffffp+1023))
    (i32.const 2))
)
