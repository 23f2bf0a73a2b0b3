//! The arguments of `verify` and `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use glovebox_policy::{ContractId, PersonId};

use crate::connection::Connection;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The result, for instance result.json
    pub(crate) result: PathBuf,
    /// The service's verifier key; it must come from elsewhere than the result
    #[arg(long, value_name = "VKEYFILE")]
    pub(crate) key: PathBuf,
    /// The certificate [default: result.dsse.json beside result.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// The certificate's entry in the log [default: result.entry.json beside result.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
    /// The proof that the log has the entry [default: result.tlog-proof beside result.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    /// The job's manifest, to be the one that was run
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// The job's module, to be the one that was run
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,
    /// A signed approval, to be one that the certificate lists
    #[arg(long, value_name = "FILE")]
    pub(crate) approval: Option<PathBuf>,
    /// The public key, 64 hexadecimal digits, of the officer who signed the approval
    #[arg(long, value_name = "PUBFILE", requires = "approval")]
    pub(crate) officer_key: Option<PathBuf>,
}

/// `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Check a log that was written out: every entry, every hash, the signed head; offline
    Verify {
        /// The folder
        dir: PathBuf,
        /// The service's verifier key; it must come from elsewhere than the folder
        #[arg(long, value_name = "VKEYFILE")]
        key: PathBuf,
        /// A checkpoint of before, which the log must continue
        #[arg(long, value_name = "CHECKPOINT")]
        earlier: Option<PathBuf>,
    },
    /// List entries of the log
    List(AuditList),
    /// The proof that the log has an entry
    Prove {
        /// The entry's number
        leaf: u64,
        /// Write it into this new file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// Write the whole log into a folder, for `audit verify`
    Export {
        /// The folder; must be empty or not there
        dir: PathBuf,
        /// The verifier key that the log must be of [default: the one that the server tells]
        #[arg(long, value_name = "VKEYFILE")]
        key: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// The service's verifier key
    Key {
        /// Write it into this new file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
}

/// Arguments of `audit list`.
#[derive(Debug, Args)]
pub(crate) struct AuditList {
    /// The first entry
    #[arg(long, default_value_t = 0)]
    pub(crate) start: u64,
    /// How many entries are listed at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: u64,
    /// Entries of this kind alone, for instance `charge`
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Entries about this person alone
    #[arg(long)]
    pub(crate) person: Option<PersonId>,
    /// Entries about this contract alone
    #[arg(long)]
    pub(crate) contract: Option<ContractId>,
    #[command(flatten)]
    pub(crate) at: Connection,
}
