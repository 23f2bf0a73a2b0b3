//! The sealed process in which guests run: bytes in, bytes out, a fresh instance for every unit.
//!
//! A worker is started by the host with nothing but two pipes. It seals itself, is told one module and how to call it,
//! and from then on turns frames into result slots of fixed size. It knows no key, no bound, no budget and no name of a
//! dataset; it adds no noise and decides nothing about privacy: the host clips and checks whatever comes back, as if
//! this process had been taken over. It never opens a file or a socket, never starts a thread or a process, and never
//! looks at a clock.
//!
//! Read in this order: [`mod@seal`] (what the process can still do), [`config`] (how wasmtime is set, and why), [`fuel`]
//! (what an operator costs), [`guest`] (a compiled module), [`fresh`] (one instance per unit), [`mod@serve`] (the loop).

pub mod config;
pub mod fresh;
pub mod fuel;
pub mod guest;
pub mod seal;
pub mod serve;

pub use fresh::FreshInstances;
pub use guest::Guest;
pub use seal::{SealError, Sealed, seal};
pub use serve::{RunFault, Runner, ServeError, serve};
