;; Writes a row and never returns: the row must not count, or the end of fuel would be a message.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (call $secret)))
    (loop $again (br $again))
    (unreachable))
)
