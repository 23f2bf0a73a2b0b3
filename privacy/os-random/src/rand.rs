//! The one function that OpenDP calls.

use crate::error::ErrorStack;

/// Fills `buf` with bytes from the operating system, one request to it for each call.
///
/// # Privacy obligation
/// Neighbouring relation and sensitivity do not matter here. Every mechanism's guarantee assumes that the bits it draws
/// are independent, uniform and unknown to whoever sees its output; this function is where that is made true. So it
/// keeps no bytes between calls and falls back to nothing: no bytes, no noise, no release.
///
/// # Errors
/// [`ErrorStack`] when the operating system gives no randomness. `buf` must then not be used.
///
/// ```
/// let (mut first, mut second) = ([0; 32], [0; 32]);
/// openssl::rand::rand_priv_bytes(&mut first)?;
/// openssl::rand::rand_priv_bytes(&mut second)?;
/// assert_ne!(first, second);
/// # Ok::<(), openssl::error::ErrorStack>(())
/// ```
pub fn rand_priv_bytes(buf: &mut [u8]) -> Result<(), ErrorStack> {
    getrandom::fill(buf).map_err(ErrorStack::new)
}
