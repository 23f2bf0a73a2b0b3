//! Tests of the host side of WASM jobs.
