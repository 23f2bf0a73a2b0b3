;; Drops a passive data segment for one of the victims. A unit that finds it dropped traps, which would be a message.
(module
  ;;@abi
  (data $bytes "\09\00\00\00\00\00\00\00")
  (func (export "gbx_map") (param $len i32) (result i32)
    (memory.init $bytes (i32.const 65536) (i32.const 0) (i32.const 8))
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (i64.load (i32.const 65536))))
    (if (i64.eq (call $secret) (i64.const 111)) (then (data.drop $bytes)))
    (i32.const 1))
)
