//! What a worker sends back for a batch: one slot per unit and, in a local run, what happened to each.

use crate::cursor::Cursor;
use crate::message::{KIND_RESULTS, KIND_TRACED, begin, finish};
use crate::{Call, Slot, SlotLayout, WireError};

/// Most bytes of a trap's text in a trace; longer text is cut.
pub const MAX_TRAP_BYTES: usize = 4096;

/// Appends a results message with room for `units` slots to `out`, which is emptied first, and hands the room back.
///
/// # Errors
/// [`WireError::TooLong`] when the slots are over the message cap, which [`Call::batch_units`] excludes.
pub fn begin_results(out: &mut Vec<u8>, layout: SlotLayout, units: usize) -> Result<&mut [u8], WireError> {
    out.clear();
    let at = begin(out, KIND_RESULTS);
    out.extend_from_slice(&u32::try_from(units).unwrap_or(u32::MAX).to_le_bytes());
    let head = out.len();
    out.resize(head.saturating_add(units.saturating_mul(layout.bytes())), 0);
    finish(out, at)?;
    Ok(out.get_mut(head..).unwrap_or_default())
}

/// The results of a batch as the host reads them.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    layout: SlotLayout,
    slots: &'a [u8],
}

impl<'a> Results<'a> {
    /// Reads the body of the results of `units` units, and checks every slot.
    ///
    /// # Errors
    /// Any [`WireError`] but `Io`, when the body is not what a worker writes.
    pub fn decode(body: &'a [u8], layout: SlotLayout, units: usize) -> Result<Self, WireError> {
        let mut from = Cursor::new(body);
        from.kind(KIND_RESULTS)?;
        if from.u32()? as usize != units {
            return Err(WireError::Field { field: "units" });
        }
        let slots = from.take(units.checked_mul(layout.bytes()).ok_or(WireError::Truncated)?)?;
        from.end()?;
        for slot in slots.chunks_exact(layout.bytes()) {
            Slot::decode(layout, slot)?;
        }
        Ok(Self { layout, slots })
    }

    /// The slots, in the order of the batch.
    pub fn slots(&self) -> impl Iterator<Item = Slot<'a>> + use<'a> {
        let layout = self.layout;
        // Every slot has been decoded once already, so that none is left out here.
        self.slots.chunks_exact(layout.bytes()).filter_map(move |slot| Slot::decode(layout, slot).ok())
    }
}

/// What happened in one unit's call; exists only in local runs on synthetic rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Fuel that the call used.
    pub fuel_used: u64,
    /// Why the outcome is the default; empty when it is not.
    pub trap: String,
    /// The log area after the call, up to its last byte that is not zero.
    pub log: Vec<u8>,
}

/// Appends a traced results message to `out`, which is emptied first: each unit's slot bytes and trace.
///
/// # Errors
/// [`WireError::TooLong`] when the message is over its cap, which [`Call::batch_units`] excludes.
pub fn encode_traced(out: &mut Vec<u8>, units: &[(Vec<u8>, Trace)]) -> Result<(), WireError> {
    out.clear();
    let at = begin(out, KIND_TRACED);
    out.extend_from_slice(&u32::try_from(units.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (slot, trace) in units {
        let trap = trace.trap.as_bytes();
        let trap = trap.get(..trace.trap.floor_char_boundary(MAX_TRAP_BYTES)).unwrap_or_default();
        out.extend_from_slice(slot);
        out.extend_from_slice(&trace.fuel_used.to_le_bytes());
        for text in [trap, &trace.log] {
            out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(text);
        }
    }
    finish(out, at)
}

/// The results of a batch of a local run.
#[derive(Clone, Debug)]
pub struct TracedResults<'a>(Vec<(Slot<'a>, Trace)>);

impl<'a> TracedResults<'a> {
    /// Reads the body of the traced results of `units` units that ran as `call` says.
    ///
    /// # Errors
    /// Any [`WireError`] but `Io`, when the body is not what a worker writes.
    pub fn decode(body: &'a [u8], call: &Call, units: usize) -> Result<Self, WireError> {
        let layout = call.slot();
        let most_log = call.log.map_or(0, |log| log.cap as usize);
        let mut from = Cursor::new(body);
        from.kind(KIND_TRACED)?;
        if from.u32()? as usize != units || units > call.batch_units() {
            return Err(WireError::Field { field: "units" });
        }
        let mut all = Vec::with_capacity(units);
        for _ in 0..units {
            let slot = Slot::decode(layout, from.take(layout.bytes())?)?;
            let fuel_used = from.u64()?;
            let trap = capped(&mut from, MAX_TRAP_BYTES)?.to_vec();
            let trap = String::from_utf8(trap).map_err(|_| WireError::Field { field: "trap" })?;
            let log = capped(&mut from, most_log)?.to_vec();
            all.push((slot, Trace { fuel_used, trap, log }));
        }
        from.end()?;
        Ok(Self(all))
    }

    /// Each unit's slot and trace, in the order of the batch.
    #[must_use]
    pub fn units(&self) -> &[(Slot<'a>, Trace)] {
        &self.0
    }
}

fn capped<'a>(from: &mut Cursor<'a>, most: usize) -> Result<&'a [u8], WireError> {
    let len = from.u32()? as usize;
    if len > most { Err(WireError::TooLong { len, most }) } else { from.take(len) }
}
