;; As canary-table-size, with a table that may grow.
(module
  ;;@abi
  (table 1 64 funcref)
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_s (table.size)))
    (call $emit (i32.const 1) (i32.const 1) (f64.convert_i32_s (table.grow (ref.null func) (i32.const 3))))
    (i32.const 2))
)
