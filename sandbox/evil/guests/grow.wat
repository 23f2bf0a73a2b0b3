;; Grows its memory and its table, and emits what the machine answered: growth must fail, for everybody alike.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_s (memory.grow (i32.const 1))))
    (call $emit (i32.const 1) (i32.const 0) (f64.convert_i32_s (memory.grow (i32.const 7))))
    (call $emit (i32.const 2) (i32.const 1) (f64.convert_i32_s (memory.size)))
    (i32.const 3))
)
