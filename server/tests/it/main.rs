//! The server as a client meets it: TLS, tokens, both faces, refusals, and what its bytes hold.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod application_pages;
mod applications;
mod audit;
mod browse;
mod coverage;
mod doors;
mod fixture;
mod flight_sql;
mod hostile;
mod identity;
mod jobs;
mod mtls;
mod openapi;
mod pages;
mod pages_access;
mod proof;
mod rest;
mod review;
mod schema;
mod seats;
mod session;
mod submission;
mod world;
