;; Measures its own fuel: writes how far it came after each step into its output row, and runs out. If anything of a
;; unit whose fuel ended came back, it would be a clock.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $steps f64)
    (loop $again
      (local.set $steps (f64.add (local.get $steps) (f64.const 1)))
      (call $emit (i32.const 0) (i32.const 0) (local.get $steps))
      (br $again))
    (unreachable))
)
