//! Operating-system randomness under the name that OpenDP draws through.
//!
//! OpenDP has one function that makes random bytes, and with its feature `use-openssl` that function is
//! `openssl::rand::rand_priv_bytes`. This crate is what the workspace gives it under that name: every call is answered by
//! the operating system. It holds no state, no generator, no pool and no seed, it contains nothing of OpenSSL, and it
//! offers nothing else: another crate that wanted OpenSSL would not compile against it.
//!
//! Why so: `docs/decisions/0002-os-randomness.md`. Read [`rand`], then [`error`].

pub mod error;
pub mod rand;
