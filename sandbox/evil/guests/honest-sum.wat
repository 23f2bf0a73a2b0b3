;; No attack: adds the unit's values up row by row, one output row each, and lets the host add them.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $row i32)
    (local $rows i32)
    (local $values i32)
    (local.set $rows (i32.load (i32.const 1028)))
    (if (i32.gt_u (local.get $rows) (i32.const 3)) (then (local.set $rows (i32.const 3))))
    (local.set $values (i32.add (i32.const 1024) (i32.load (i32.const 1068))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
        (call $emit (local.get $row) (i32.const 1)
          (f64.convert_i64_s (i64.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3))))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $next)))
    (local.get $rows))
)
