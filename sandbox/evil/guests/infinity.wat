;; Infinity in one of two rows.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.const 1))
    (call $emit (i32.const 1) (i32.const 1) (f64.const 2))
    (i64.store (i32.const 8216) (i64.const 0x7ff0000000000000))
    (i32.const 2))
)
