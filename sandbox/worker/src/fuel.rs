//! What a guest's operators cost in fuel.
//!
//! Fuel is the only thing that ends a call early, so it must mean time well enough that the host can compute, from the
//! declared fuel alone, an instant by which every unit is done. An operator costs 1 unless the processor needs far
//! longer for it than for an addition. With these weights the example `measure` finds at most about 1 ns per unit of
//! fuel for every kind of operator (a load scattered over 1 MiB 0.5, a call 0.5, a division 0.3 to 0.4, a square root
//! 0.8, a saturating conversion 0.8 to 1.0, all on one machine). Once per instance and table element comes on top what
//! making its function reference takes when it is first called: at most 4096 times some 50 ns.
//!
//! Weights are part of a job's meaning: changing one can change which units run out, hence results.

use wasmtime::OperatorCost;

/// The cost table of `gbx/1`.
#[must_use]
pub fn operator_cost() -> OperatorCost {
    let mut cost = OperatorCost::new();
    for (weight, operators) in weights(&mut cost) {
        operators.into_iter().for_each(|operator| *operator = weight);
    }
    // Growth always fails, for the memory is at its maximum; nobody needs to try it often.
    cost.variable.memory_grow_per_page = 255;
    cost.variable.table_grow_per_element = 255;
    // Each element is a function reference to be made.
    cost.variable.table_init_per_element = 64;
    cost
}

fn weights(cost: &mut OperatorCost) -> Vec<(u8, Vec<&mut u8>)> {
    vec![
        // Integer division occupies the divider for tens of cycles; 64-bit longer on older processors.
        (4, vec![&mut cost.I32DivS, &mut cost.I32DivU, &mut cost.I32RemS, &mut cost.I32RemU]),
        (8, vec![&mut cost.I64DivS, &mut cost.I64DivU, &mut cost.I64RemS, &mut cost.I64RemU]),
        (4, vec![&mut cost.F32Div, &mut cost.F64Div, &mut cost.F32Sqrt, &mut cost.F64Sqrt]),
        (8, vec![&mut cost.F32x4Div, &mut cost.F64x2Div, &mut cost.F32x4Sqrt, &mut cost.F64x2Sqrt]),
        // A call saves registers, checks the stack and looks at the fuel; through a table it also checks a type.
        (4, vec![&mut cost.Call]),
        (8, vec![&mut cost.CallIndirect]),
        // A jump through a table is mispredicted more often than not.
        (4, vec![&mut cost.BrTable]),
        // Short ones are a handful of instructions, long ones cost 1 per byte by default.
        (8, vec![&mut cost.MemoryCopy, &mut cost.MemoryFill, &mut cost.MemoryInit, &mut cost.DataDrop]),
        (8, vec![&mut cost.TableCopy, &mut cost.TableFill, &mut cost.TableInit, &mut cost.ElemDrop]),
        (8, vec![&mut cost.TableGet, &mut cost.TableSet]),
        // Makes a function reference in the runtime: about 40 ns.
        (64, vec![&mut cost.RefFunc]),
        (255, vec![&mut cost.MemoryGrow, &mut cost.TableGrow]),
    ]
}
