;; As grow, by 65,535 pages at once. Fuel is charged by the page, before anything is tried.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_s (memory.grow (i32.const 1))))
    (call $emit (i32.const 1) (i32.const 0) (f64.convert_i32_s (memory.grow (i32.const 65535))))
    (call $emit (i32.const 2) (i32.const 1) (f64.convert_i32_s (memory.size)))
    (i32.const 3))
)
