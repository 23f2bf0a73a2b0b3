;; Drops a passive element segment for one of the victims. As canary-dropped-data.
(module
  ;;@abi
  (table 1 1 funcref)
  (elem $funcs func $seven)
  (func $seven (result i32) (i32.const 7))
  (func (export "gbx_map") (param $len i32) (result i32)
    (table.init $funcs (i32.const 0) (i32.const 0) (i32.const 1))
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i32_s (call_indirect (result i32) (i32.const 0))))
    (if (i64.eq (call $secret) (i64.const 111)) (then (elem.drop $funcs)))
    (i32.const 1))
)
