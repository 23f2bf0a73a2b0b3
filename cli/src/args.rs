//! The command line: every command with its arguments.

mod application;
mod job;
mod proof;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use glovebox_policy::{ContractId, DatasetName, OrgId, PersonId, Purpose, Role};
use glovebox_server::limits::TOKEN_DAYS;

use crate::connection::Connection;
use crate::output::{Format, Lang};

pub(crate) use application::Application;
pub(crate) use job::{Job, Offline, Request, Sign};
pub(crate) use proof::{Audit, AuditList, Verify};

/// A differential-privacy sandbox for data about persons: only approved, noised aggregates come out.
#[derive(Debug, Parser)]
#[command(name = "glovebox", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failure, 2 bad usage, 3 refused.")]
pub(crate) struct Cli {
    /// How results are printed; csv gives rows alone
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Language of headings and refusals [default: from LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Lang>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new service: state directory, certificate authority, first officer
    Init(Init),
    /// Serve until stopped by Ctrl-C or SIGTERM; tells `state_dir`/addresses.json where it listens
    Serve(ConfigFile),
    /// The whole product on small defaults and real data, then serve
    Demo {
        /// The folder for its state; must be empty or not there [default: glovebox-demo]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// End after the last step instead of serving
        #[arg(long)]
        exit: bool,
    },
    /// Read the configuration file and say what is wrong with it
    CheckConfig(ConfigFile),
    /// Signing keys of data officers
    #[command(subcommand)]
    OfficerKey(OfficerKey),
    /// Datasets and their synthetic twins
    #[command(subcommand)]
    Dataset(Dataset),
    /// Ask one statement
    Sql(Sql),
    /// Jobs: code that runs over the rows of one unit at a time, once an officer has approved it
    #[command(subcommand)]
    Job(Job),
    /// Jobs that wait for an officer: read, approve, reject
    #[command(subcommand)]
    Request(Request),
    /// Check a result against its certificate and the log; offline
    Verify(Verify),
    /// The log of everything that was promised, charged and released
    #[command(subcommand)]
    Audit(Audit),
    /// Policy decisions: make past ones again
    #[command(subcommand)]
    Policy(Policy),
    /// Contracts: write, sign, hand in, look at
    #[command(subcommand)]
    Contract(Contract),
    /// Apply for data, as a firm; draft a contract from an application, as an officer
    #[command(subcommand)]
    Application(Application),
    /// What is granted, spent and left
    Budget(Connection),
    /// A contract's bill for a month
    Bill(Bill),
    /// Access tokens
    #[command(subcommand)]
    Token(Token),
    /// People with accounts
    #[command(subcommand)]
    People(People),
    /// Stop charges for a dataset, a contract or a person at once, and let them go on
    #[command(subcommand)]
    Freeze(Freeze),
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "glovebox.toml")]
    pub(crate) config: PathBuf,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// Account name of the first officer
    #[arg(long, default_value = "officer")]
    pub(crate) officer: PersonId,
    /// The officer's organisation
    #[arg(long, default_value = "bureau")]
    pub(crate) org: OrgId,
    /// The officer's name for showing
    #[arg(long, default_value = "Data officer")]
    pub(crate) name: String,
    /// Where the officer's new signing key goes [default: officer.key beside the configuration]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How many days the officer's first token is good for
    #[arg(long, default_value_t = 30, value_parser = days())]
    pub(crate) days: u32,
    /// Write the token into a new file that only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) token_out: Option<PathBuf>,
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(TOKEN_DAYS))
}

/// `officer-key`.
#[derive(Debug, Subcommand)]
pub(crate) enum OfficerKey {
    /// Make a new Ed25519 key (PKCS#8, PEM) in a file that only you can read; print its public key
    New {
        /// The new file
        file: PathBuf,
    },
    /// Print the public key of a key file
    Show {
        /// The key file
        file: PathBuf,
    },
    /// Register an officer's public key in the state directory; the server must not be running
    Register {
        /// The officer
        person: PersonId,
        /// The public key, 64 hexadecimal digits
        public_key: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// `dataset`.
#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    /// Draft a manifest from a Parquet or CSV file, to be edited
    Draft {
        /// The data
        file: PathBuf,
        /// Write the manifest into this new file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// Bring a dataset in
    Add {
        /// Its manifest
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
        /// The data, Parquet or CSV
        file: PathBuf,
        #[command(flatten)]
        at: Connection,
    },
    /// List the datasets
    List {
        #[command(flatten)]
        at: Connection,
    },
    /// Show one dataset with its columns
    Show {
        /// The dataset, as SQL writes it
        name: DatasetName,
        #[command(flatten)]
        at: Connection,
    },
    /// Synthetic rows made from the manifest alone; free
    Twin {
        /// The dataset, as SQL writes it
        name: DatasetName,
        /// How many rows
        #[arg(long, default_value_t = 1000)]
        rows: u32,
        /// The same seed gives the same rows
        #[arg(long, default_value_t = 0)]
        seed: u64,
        #[command(flatten)]
        at: Connection,
    },
}

/// Arguments of `sql`.
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// The statement; `-` reads it from standard input
    pub(crate) statement: String,
    /// What for; may be left out when the contract has one purpose
    #[arg(long)]
    pub(crate) purpose: Option<Purpose>,
    /// Privacy loss, for a statement that names none
    #[arg(long)]
    pub(crate) epsilon: Option<f64>,
    /// The contract that pays; may be left out, and is then the firm's first in force on the dataset
    #[arg(long, value_name = "ID")]
    pub(crate) contract: Option<ContractId>,
    /// Write the result, its certificate and its proofs into this folder, for `glovebox verify`
    #[arg(short, long, value_name = "DIR", requires = "contract")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) at: Connection,
}

/// `contract`.
#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Print a commented contract on a dataset, to be edited
    Template {
        /// The dataset, as SQL writes it
        dataset: DatasetName,
        /// The firm
        #[arg(long, default_value = "firm")]
        org: OrgId,
        /// Write it into this new file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// Sign a contract; offline
    Sign {
        /// The contract, in TOML
        file: PathBuf,
        /// The officer's key file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Write the signed envelope into this file
        #[arg(short, long, value_name = "ENVELOPE")]
        out: Option<PathBuf>,
    },
    /// Hand a signed contract in
    Add {
        /// The signed envelope
        envelope: PathBuf,
        #[command(flatten)]
        at: Connection,
    },
    /// List the contracts that you may see
    List {
        #[command(flatten)]
        at: Connection,
    },
    /// Show one contract with its grants
    Show {
        /// The contract
        id: ContractId,
        #[command(flatten)]
        at: Connection,
    },
}

/// `token`.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Issue a token; it is shown this once
    Issue {
        /// For whom
        person: PersonId,
        /// How many days it is good for
        #[arg(long, value_parser = days())]
        days: u32,
        /// Write it into a new file that only you can read, instead of printing it
        #[arg(long, value_name = "FILE")]
        token_out: Option<PathBuf>,
        #[command(flatten)]
        at: Connection,
    },
    /// End the token that this very call is made with
    Revoke {
        #[command(flatten)]
        at: Connection,
    },
}

/// `policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Make the decision behind an entry of the log again, here, from its record, the contract and this program's policies
    Replay {
        /// The entry's number
        leaf: u64,
        #[command(flatten)]
        at: Connection,
    },
}

/// Arguments of `bill`.
#[derive(Debug, Args)]
pub(crate) struct Bill {
    /// The contract
    pub(crate) contract: ContractId,
    /// The month, UTC, like 2026-11 [default: the running one]
    #[arg(long, value_name = "MONTH")]
    pub(crate) month: Option<String>,
    #[command(flatten)]
    pub(crate) at: Connection,
}

/// `freeze`.
#[derive(Debug, Subcommand)]
pub(crate) enum Freeze {
    /// Freeze
    Set(Frozen),
    /// Let go again; lost requests of a person freeze the person no longer
    Lift(Frozen),
    /// List every freeze and every end of one, newest first
    List {
        #[command(flatten)]
        at: Connection,
    },
}

/// What is frozen or let go.
#[derive(Debug, Args)]
pub(crate) struct Frozen {
    /// What it is
    pub(crate) kind: Freezable,
    /// Its name
    pub(crate) name: String,
    /// Why; officers and auditors see it, the log holds its digest
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) at: Connection,
}

/// What can be frozen.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Freezable {
    /// A dataset
    Dataset,
    /// A contract
    Contract,
    /// A person
    Person,
}

/// `people`.
#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// List everybody with an account
    List {
        #[command(flatten)]
        at: Connection,
    },
    /// Make an account
    Add {
        /// Account name
        person: PersonId,
        /// The person's organisation
        #[arg(long)]
        org: OrgId,
        /// analyst, officer or auditor
        #[arg(long)]
        role: Role,
        /// The person's name for showing
        #[arg(long)]
        name: String,
        #[command(flatten)]
        at: Connection,
    },
}
