;; A chain of 64-bit divisions that depend on each other: the dearest integer work for one unit of fuel.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $x i64)
    (local.set $x (i64.const -1))
    (loop $again
      (local.set $x (i64.div_u (i64.const -1) (i64.or (local.get $x) (i64.const 3))))
      (local.set $x (i64.div_u (i64.const -1) (i64.or (local.get $x) (i64.const 1))))
      (br $again))
    (unreachable))
)
