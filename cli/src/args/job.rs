//! The arguments of `job` and `request`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use glovebox_policy::{ContractId, DatasetName, Digest, JobId, JobName, Purpose};

use crate::connection::Connection;

/// `job`.
#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// Write a new project: a job with its tests and the SDK; offline
    New {
        /// The folder; must be empty or not there
        dir: PathBuf,
        /// The job's name [default: that of the folder]
        #[arg(long)]
        name: Option<JobName>,
        /// The dataset whose rows it reads
        #[arg(long, default_value = "medical.rand_hie")]
        dataset: DatasetName,
        /// The contract that pays
        #[arg(long, default_value = "my-contract")]
        contract: ContractId,
        /// What for
        #[arg(long, default_value = "ai-research")]
        purpose: Purpose,
    },
    /// Show what an officer would see, and what would be refused; offline
    Check(Offline),
    /// Run a job over synthetic rows, with everything that the service hides: exact sums, failures, fuel, logs; offline
    RunLocal {
        #[command(flatten)]
        of: Offline,
        /// How many synthetic rows
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rows: u32,
        /// The same seed gives the same rows
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Show each unit, with what it logged
        #[arg(long)]
        log: bool,
    },
    /// Hand a job in for review
    Submit {
        /// The job, in TOML
        job: PathBuf,
        /// Its module
        module: PathBuf,
        #[command(flatten)]
        at: Connection,
    },
    /// List the jobs that you may see
    List {
        #[command(flatten)]
        at: Connection,
    },
    /// Show where a job stands
    Status {
        /// The job
        id: JobId,
        #[command(flatten)]
        at: Connection,
    },
    /// Run an approved job; it is charged first
    Run {
        /// The job
        id: JobId,
        /// Wait until its result has left
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        at: Connection,
    },
    /// Fetch the result of a job's latest run
    Result {
        /// The job
        id: JobId,
        /// Write it into this folder too, with certificate, log entry, proof and key, for `glovebox verify`
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// Call a job back that was not decided on yet
    Cancel {
        /// The job
        id: JobId,
        #[command(flatten)]
        at: Connection,
    },
}

/// A job on files.
#[derive(Debug, Args)]
pub(crate) struct Offline {
    /// The job, in TOML
    pub(crate) job: PathBuf,
    /// Its module
    pub(crate) module: PathBuf,
    /// The manifest of its dataset
    #[arg(long, value_name = "MANIFEST")]
    pub(crate) dataset: PathBuf,
    /// The executable that runs modules [default: glovebox-worker beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) worker: Option<PathBuf>,
}

/// `request`.
#[derive(Debug, Subcommand)]
pub(crate) enum Request {
    /// List the jobs that wait for an officer
    List {
        #[command(flatten)]
        at: Connection,
    },
    /// Show the page that an officer signs, with the digests of what it is about
    Show {
        /// The job
        id: JobId,
        #[command(flatten)]
        at: Connection,
    },
    /// Approve a job: sign, here, what its page says
    Approve {
        #[command(flatten)]
        sign: Sign,
        /// On how many snapshots it may be run [default: as many as the job asks for]
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        executions: Option<u32>,
        /// For how many days it may be run [default: as long as the service allows]
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: Option<u32>,
    },
    /// Reject a job, saying why
    Reject {
        #[command(flatten)]
        sign: Sign,
        /// Why; the firm reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// What every verdict needs.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The job
    pub(crate) id: JobId,
    /// The officer's key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Sign only if the page is still the one with this digest, as `request show` tells it
    #[arg(long, value_name = "SHA256")]
    pub(crate) page: Option<Digest>,
    /// Write the signed envelope into this new file too
    #[arg(short, long, value_name = "ENVELOPE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) at: Connection,
}
