;; Fills from inside its memory to far beyond its end.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (memory.fill (i32.const 131000) (i32.const 255) (i32.const -1))
    (i32.const 1))
)
