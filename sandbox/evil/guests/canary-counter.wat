;; Counts the units that it has seen, in memory and in a global, and emits the count.
(module
  ;;@abi
  (global $seen (mut i32) (i32.const 0))
  (func (export "gbx_map") (param $len i32) (result i32)
    (i32.store (i32.const 70000) (i32.add (i32.load (i32.const 70000)) (i32.const 1)))
    (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_u (i32.load (i32.const 70000))))
    (call $emit (i32.const 1) (i32.const 1) (f64.convert_i32_u (global.get $seen)))
    (i32.const 2))
)
