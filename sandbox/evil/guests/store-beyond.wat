;; Writes across the end of its memory, with an offset that wraps 32 bits.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (i64.store offset=4294967288 (i32.const 4) (i64.const -1))
    (i32.const 1))
)
