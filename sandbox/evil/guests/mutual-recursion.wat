;; Two functions call each other through a table for ever.
(module
  ;;@abi
  (type $t (func))
  (table 2 2 funcref)
  (elem (i32.const 0) $ping $pong)
  (func $ping (type $t) (call_indirect (type $t) (i32.const 1)))
  (func $pong (type $t) (call_indirect (type $t) (i32.const 0)))
  (func (export "gbx_map") (param $len i32) (result i32)
    (call_indirect (type $t) (i32.const 0))
    (i32.const 0))
)
