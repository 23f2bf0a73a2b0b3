//! Arguments of `application`.

use std::path::PathBuf;

use clap::Subcommand;
use glovebox_policy::{ApplicationId, ContractId, DatasetName};

use super::Connection;

/// What to do with applications.
#[derive(Debug, Subcommand)]
pub(crate) enum Application {
    /// Print a commented application for a dataset, to be edited
    New {
        /// The dataset, as SQL writes it
        dataset: DatasetName,
        /// Write it into this new file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// Hand an application in
    Submit {
        /// The application, in TOML
        file: PathBuf,
        #[command(flatten)]
        at: Connection,
    },
    /// List the applications that you may see
    List {
        #[command(flatten)]
        at: Connection,
    },
    /// Show one application with its text
    Show {
        /// The application
        id: ApplicationId,
        #[command(flatten)]
        at: Connection,
    },
    /// Print the contract that would grant an application, for an officer to edit and sign
    Draft {
        /// The application
        id: ApplicationId,
        /// The contract's name; new
        #[arg(long, value_name = "ID")]
        contract: ContractId,
        /// Write it into this new file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// Say no to an application
    Reject {
        /// The application
        id: ApplicationId,
        /// Why; the firm reads it
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        at: Connection,
    },
    /// Take an application of your firm back
    Withdraw {
        /// The application
        id: ApplicationId,
        #[command(flatten)]
        at: Connection,
    },
}
