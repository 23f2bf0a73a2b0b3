;; Fills 64 KiB at a time in a loop: one instruction that takes long. Fuel must be charged by the byte.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (loop $again
      (memory.fill (i32.const 65536) (i32.const 165) (i32.const 65536))
      (br $again))
    (unreachable))
)
