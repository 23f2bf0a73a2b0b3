;; Copies 64 KiB onto themselves, shifted by one, in a loop. As fill-stall.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (loop $again
      (memory.copy (i32.const 65536) (i32.const 65535) (i32.const 65536))
      (br $again))
    (unreachable))
)
