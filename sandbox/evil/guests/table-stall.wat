;; Fills and copies a table of 4,096 elements in a loop.
(module
  ;;@abi
  (table $t 4096 4096 funcref)
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (loop $again
      (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
      (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 4095))
      (br $again))
    (unreachable))
)
