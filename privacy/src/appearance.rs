//! How many rows of a video job one appearance can replace.
//!
//! The unit of footage is not a person, whom nobody knows there, but an appearance: at most so many segments, each at most
//! so long. The bureau declares both from what the cameras see; somebody who is in view longer or more often is protected
//! less, in proportion, and the promise says so.

/// The declared privacy unit of footage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appearance {
    /// How long one segment may be, in milliseconds (ρ).
    pub longest_ms: u64,
    /// How many segments one appearance may have over all cameras and the stated horizon (K).
    pub segments: u32,
}

/// Δ_rows: how many rows of a job's table one appearance can replace, `max_rows · K · (1 + ⌈ρ/c⌉)`; `None` when that is
/// beyond 32 bits or the chunk has no length.
///
/// `chunk_ms` is c, the length of a chunk, in milliseconds; `max_rows` is how many rows each chunk emits.
///
/// # Privacy obligation
/// Neighbouring relation: the same footage with one appearance added or removed. Chunks are `[i·c, (i+1)·c)`. A closed segment
/// `[s, s+ρ]` meets those from ⌊s/c⌋ to ⌊(s+ρ)/c⌋, which are at most 1 + ⌈ρ/c⌉. A chunk that no segment meets has the same frames on
/// both sides and, as its guest sees nothing else, the same rows. Whoever runs the job must see to it that every chunk emits
/// exactly `max_rows` rows, filled up with a declared default row, whatever the guest did: then rows are replaced, and none is
/// added or removed. Source: Cangialosi et al., "Privid: practical, privacy-preserving video analytics queries", NSDI 2022.
pub fn rows_replaced(unit: Appearance, chunk_ms: u64, max_rows: u32) -> Option<u32> {
    let chunks = (chunk_ms > 0).then(|| unit.longest_ms.div_ceil(chunk_ms))?.checked_add(1)?;
    let rows = chunks.checked_mul(u64::from(unit.segments))?.checked_mul(u64::from(max_rows))?;
    u32::try_from(rows).ok()
}

/// How far one replaced row can move one sum of a column with values from `low` to `high` (in steps, `low <= high`): a
/// family's `linf` under [`crate::Geometry::Replacement`].
///
/// # Privacy obligation
/// A value in `[low, high]` takes the place of another, so a sum moves by at most `high − low`. Where a row may not count (a
/// condition, a missing value) or may leave one group and enter another, a sum loses or gains a whole value instead: at most
/// max(|low|, |high|). All are at most max(high, 0) − min(low, 0), which is taken whatever the question is.
pub fn span(low: i64, high: i64) -> u64 {
    high.max(0).abs_diff(low.min(0))
}

#[cfg(test)]
#[path = "appearance_tests.rs"]
mod tests;
