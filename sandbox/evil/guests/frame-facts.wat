;; Emits length of the frame, its reserved words, and its flags: functions of the unit's own rows.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_u (local.get $len)))
    (call $emit (i32.const 1) (i32.const 1)
      (f64.convert_i32_u
        (i32.or (i32.load (i32.const 1044)) (i32.or (i32.load (i32.const 1048)) (i32.load (i32.const 1052))))))
    (call $emit (i32.const 2) (i32.const 2) (f64.convert_i32_u (i32.load (i32.const 1084))))
    (i32.const 3))
)
