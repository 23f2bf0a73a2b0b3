//! How messages are cut: a `u32` little-endian length, then the body, whose first byte names the kind.
//!
//! Every encoder of this crate appends a whole message, prefix included, to a `Vec<u8>`; every decoder takes a body.

use std::io::{ErrorKind, Read};

/// Most bytes of a message's body.
pub const MAX_MESSAGE_BYTES: usize = 32 << 20;
/// Bytes of the length prefix.
pub const PREFIX_BYTES: usize = 4;

pub(crate) const KIND_START: u8 = 1;
pub(crate) const KIND_READY: u8 = 2;
pub(crate) const KIND_REFUSED: u8 = 3;
pub(crate) const KIND_BATCH: u8 = 4;
pub(crate) const KIND_RESULTS: u8 = 5;
pub(crate) const KIND_TRACED: u8 = 6;

/// Why bytes are not a message of this contract. Holds no bytes of the message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A length is over its cap.
    #[error("`{len}` bytes where at most `{most}` may be")]
    TooLong {
        /// The length found, in bytes.
        len: usize,
        /// Its cap, in bytes.
        most: usize,
    },
    /// The bytes end too early.
    #[error("the message ends too early")]
    Truncated,
    /// Bytes are left after the message's end.
    #[error("`{bytes}` bytes after the message's end")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A message of another kind than is due.
    #[error("message of kind `{found}`, which is not due here")]
    Kind {
        /// The kind's byte.
        found: u8,
    },
    /// A field holds what it may not hold.
    #[error("field `{field}` holds what it may not hold")]
    Field {
        /// Its name in this crate.
        field: &'static str,
    },
    /// The pipe failed.
    #[error("the pipe failed: {0}")]
    Io(#[from] std::io::Error),
}

/// The length of a body, from its prefix.
///
/// # Errors
/// [`WireError::TooLong`] over [`MAX_MESSAGE_BYTES`].
pub fn message_len(prefix: [u8; PREFIX_BYTES]) -> Result<usize, WireError> {
    let len = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(usize::MAX);
    if len > MAX_MESSAGE_BYTES { Err(WireError::TooLong { len, most: MAX_MESSAGE_BYTES }) } else { Ok(len) }
}

/// Reads one message's body into `body`, replacing what it held; `false` at the clean end of the stream.
///
/// # Errors
/// [`WireError::TooLong`] before anything is allocated, [`WireError::Truncated`] when the stream ends within a message,
/// [`WireError::Io`].
pub fn read_message(from: &mut impl Read, body: &mut Vec<u8>) -> Result<bool, WireError> {
    let mut prefix = [0_u8; PREFIX_BYTES];
    // Nothing at all is a clean end; less than a prefix is a cut message.
    let got = loop {
        match from.read(&mut prefix) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    if got == 0 {
        return Ok(false);
    }
    read_exact(from, prefix.get_mut(got..).unwrap_or_default())?;
    let len = message_len(prefix)?;
    body.resize(len, 0);
    read_exact(from, body)?;
    Ok(true)
}

fn read_exact(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), WireError> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => WireError::Truncated,
        _ => WireError::Io(error),
    })
}

/// Begins a message of `kind` at the end of `out`; returns where its prefix stands, for [`finish`].
pub(crate) fn begin(out: &mut Vec<u8>, kind: u8) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind, 0, 0, 0]);
    at
}

/// Writes the prefix of the message that began at `at` and ends where `out` ends.
pub(crate) fn finish(out: &mut [u8], at: usize) -> Result<(), WireError> {
    let message = out.get_mut(at..).ok_or(WireError::Truncated)?;
    let (prefix, body) = message.split_first_chunk_mut::<PREFIX_BYTES>().ok_or(WireError::Truncated)?;
    let len = body.len();
    match u32::try_from(len) {
        Ok(bytes) if len <= MAX_MESSAGE_BYTES => *prefix = bytes.to_le_bytes(),
        _ => return Err(WireError::TooLong { len, most: MAX_MESSAGE_BYTES }),
    }
    Ok(())
}
