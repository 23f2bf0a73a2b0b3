//! Is released noise what was promised? Statistics over what leaves the gate, and mistakes planted to see that they would be noticed.
//!
//! Two questions. *Mass*: do draws have, number by number, the probabilities of the planned distribution ([`law`], [`fit`],
//! [`draws`])? *Privacy*: can the releases of two neighbouring datasets be told apart better than their loss allows
//! ([`neighbours`])? Every test states how often it is wrong about a sampler that is right ([`fit::FALSE_ALARM`]), and every
//! mistake of [`plants`] is one that some test must see. Nothing here reaches into the product: draws are what
//! `glovebox_privacy::release` gives for a charge, and mistakes are made with its results or with plans that are handed to it.
//!
//! A third, of arithmetic: what does the ledger's sum of losses say beside the true one of a composition ([`compositions`])? That is for an
//! outside accountant to answer, which the program `audit` is asked about.
//!
//! Read [`law`], [`binomial`], [`fit`], then [`bureau`] (a ledger to be charged by), [`draws`], [`plants`], [`neighbours`],
//! [`compositions`].

pub mod binomial;
pub mod bureau;
pub mod compositions;
pub mod draws;
pub mod fit;
pub mod law;
pub mod neighbours;
pub mod plants;
