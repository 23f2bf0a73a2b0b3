//! Hostile SQL against a bureau that is really served, and against its neighbour that lacks one person.
//!
//! A bureau whose rows hold canaries is made twice, with and without the person whose rows differ in everything that SQL can
//! notice; `glovebox serve` serves both, as processes of their own. Every statement of `statements.sql` goes to both over
//! REST and Flight. Refusals must be the same bytes, no answer may hold a canary, the same question must have the same answer,
//! and somebody else's question must go on being answered. Then everything that can leave is fetched and searched.
//!
//! It can fail: with a [`Plant`] a hole is made, and the suite must say so and where.
//!
//! Read in this order: [`canary`] (rows and what to look for), [`bureau`] (made and served), [`statements`], [`rest`] and
//! [`wire`] (the two ways in), [`trial`] (how one statement is judged), [`exits`] (what leaves, and the check that nothing is
//! forgotten), [`job`], [`culprit`] (which statement ended a server), [`report`].

pub mod bureau;
pub mod canary;
pub mod culprit;
pub mod exits;
pub mod job;
pub mod report;
pub mod rest;
pub mod statements;
pub mod trial;
pub mod wire;

/// A hole that is made on purpose: what an officer could declare wrongly, or what a faulty server would do. The product is not
/// changed: the suite does to the served process, or to what came from it, what the fault would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// A direct identifier that is not declared as one, with a list of values taken from rows, and granted.
    IdentifierUndeclared,
    /// A public list that was taken from rows, so that it tells who is there.
    KeysFromRows,
    /// The statement [`PLANTED`] ends the server's process as a crash does.
    EndServer,
    /// One body, that of the answer to [`PLANTED`], holds a cell.
    Canary,
}

/// The statement that faults of the server are planted at.
pub const PLANTED: &str = "an identifier as group";

impl Plant {
    /// All of them, by name.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("identifier-undeclared", Self::IdentifierUndeclared),
        ("keys-from-rows", Self::KeysFromRows),
        ("end-server", Self::EndServer),
        ("canary", Self::Canary),
    ];

    /// What the suite says where this hole was made.
    pub fn sign(self) -> &'static str {
        match self {
            Self::IdentifierUndeclared => "the text left",
            Self::KeysFromRows => "another outcome without one person",
            Self::EndServer => "an identifier as group: alone it ends a server",
            Self::Canary => "an identifier as group: REST: the text left the bureau",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, plant)| *plant)
    }
}
