//! What a guest's operators cost in fuel.
//!
//! Fuel is the only thing that ends a call early, so it must mean time well enough that the host can compute, from the
//! declared fuel alone, an instant by which every unit is done. An operator costs 1 unless the processor needs far longer
//! for it than for an addition; the weights were fitted with the example `measure` so that no operator takes much more
//! than the time of the dearest cost-1 operator (a load that misses the cache) per unit of fuel.
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
        // These leave compiled code for the runtime before the first byte moves; each byte then costs 1 by default.
        (32, vec![&mut cost.MemoryCopy, &mut cost.MemoryFill, &mut cost.MemoryInit, &mut cost.DataDrop]),
        (32, vec![&mut cost.TableCopy, &mut cost.TableFill, &mut cost.TableInit, &mut cost.ElemDrop]),
        (8, vec![&mut cost.TableGet, &mut cost.TableSet]),
        (255, vec![&mut cost.MemoryGrow, &mut cost.TableGrow]),
    ]
}
