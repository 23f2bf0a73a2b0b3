;; Square roots and divisions of floats that depend on each other, without end.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $x f64)
    (local.set $x (f64.const 3))
    (loop $again
      (local.set $x (f64.div (f64.const 2) (f64.sqrt (f64.add (local.get $x) (f64.const 1)))))
      (br $again))
    (unreachable))
)
