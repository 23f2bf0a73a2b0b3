;; Writes the secret over all of its memory except the areas, and emits the sum of what it finds there first.
(module
  ;;@abi
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $at i32)
    (local $found i64)
    (local.set $at (i32.const 16384))
    (loop $read
      (local.set $found (i64.or (local.get $found) (i64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 512)))
      (br_if $read (i32.lt_u (local.get $at) (i32.const 131072))))
    (memory.fill (i32.const 16384) (i32.wrap_i64 (call $secret)) (i32.const 114688))
    (call $emit (i32.const 0) (i32.const 0) (f64.convert_i64_s (i64.and (local.get $found) (i64.const 255))))
    (i32.const 1))
)
