//! Frames to a worker: many units in one message, one after the other.

use crate::cursor::Cursor;
use crate::message::{KIND_BATCH, begin, finish};
use crate::{Call, FrameError, WireError};

/// Most units in one batch; [`Call::batch_units`] may allow fewer.
pub const MAX_BATCH_UNITS: usize = 4096;

/// Bytes before the first frame: prefix, kind, number of units.
const HEAD_BYTES: usize = 12;

/// Builds batches in one buffer that is used again and again.
#[derive(Debug)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    units: usize,
    most_units: usize,
    frame_cap: usize,
}

impl BatchBuilder {
    /// An empty batch for units that run as `call` says, of at most [`Call::batch_units`] units.
    #[must_use]
    pub fn new(call: &Call) -> Self {
        let mut new =
            Self { bytes: Vec::new(), units: 0, most_units: call.batch_units(), frame_cap: call.input.cap as usize };
        new.clear();
        new
    }

    /// Takes every unit out again; the buffer stays.
    pub fn clear(&mut self) {
        self.units = 0;
        self.bytes.clear();
        begin(&mut self.bytes, KIND_BATCH);
        self.bytes.extend_from_slice(&[0; 4]);
    }

    /// Units in the batch.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.units
    }

    /// Whether no unit is in the batch.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.units == 0
    }

    /// Whether no further unit may be added.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.units >= self.most_units
    }

    /// Adds the unit whose frame `write` appends to the buffer (a [`crate::FrameBuilder`] does that).
    ///
    /// # Errors
    /// What `write` says, [`FrameError::TooLarge`] over the input area's cap, [`FrameError::BatchFull`]: the batch is
    /// then as before.
    pub fn push_with<E: From<FrameError>>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_full() {
            return Err(FrameError::BatchFull.into());
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        let written = write(&mut self.bytes).and_then(|()| self.close(at).map_err(E::from));
        match written {
            Ok(()) => self.units += 1,
            Err(_) => self.bytes.truncate(at),
        }
        written
    }

    /// Adds a unit whose frame is there already.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] over the input area's cap, [`FrameError::BatchFull`]: the batch is then as before.
    pub fn push(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        self.push_with(|out| {
            out.extend_from_slice(frame);
            Ok(())
        })
    }

    fn close(&mut self, at: usize) -> Result<(), FrameError> {
        let too_large = FrameError::TooLarge { cap: self.frame_cap };
        let Some((prefix, frame)) = self.bytes.get_mut(at..).and_then(<[u8]>::split_first_chunk_mut::<4>) else {
            return Err(too_large);
        };
        match u32::try_from(frame.len()) {
            Ok(len) if frame.len() <= self.frame_cap => *prefix = len.to_le_bytes(),
            _ => return Err(too_large),
        }
        Ok(())
    }

    /// The whole message, prefix included.
    ///
    /// # Errors
    /// None in practice: [`Call::batch_units`] keeps the batch below the cap.
    pub fn message(&mut self) -> Result<&[u8], WireError> {
        let units = u32::try_from(self.units).unwrap_or(u32::MAX);
        if let Some(count) = self.bytes.get_mut(HEAD_BYTES - 4..HEAD_BYTES) {
            count.copy_from_slice(&units.to_le_bytes());
        }
        finish(&mut self.bytes, 0)?;
        Ok(&self.bytes)
    }

    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        frames(self.bytes.get(HEAD_BYTES..).unwrap_or_default())
    }
}

/// A batch as the worker reads it.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    units: usize,
    frames: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Reads the body of a batch whose units run as `call` says.
    ///
    /// # Errors
    /// Any [`WireError`] but `Io`, when the body is not what [`BatchBuilder`] writes: lengths and counts are checked, the
    /// insides of the frames are the guest's matter.
    pub fn decode(body: &'a [u8], call: &Call) -> Result<Self, WireError> {
        let mut from = Cursor::new(body);
        from.kind(KIND_BATCH)?;
        let units = from.u32()? as usize;
        if units > call.batch_units() {
            return Err(WireError::Field { field: "units" });
        }
        let all = from.rest();
        let mut from = Cursor::new(all);
        let most = call.input.cap as usize;
        for _ in 0..units {
            let len = from.u32()? as usize;
            if len > most {
                return Err(WireError::TooLong { len, most });
            }
            from.take(len)?;
        }
        from.end()?;
        Ok(Self { units, frames: all })
    }

    /// How many units.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.units
    }

    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        frames(self.frames)
    }
}

/// Walks `len, bytes` pairs whose lengths are known to fit.
fn frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = Cursor::new(bytes);
    std::iter::from_fn(move || {
        let len = from.u32().ok()? as usize;
        from.take(len).ok()
    })
}
