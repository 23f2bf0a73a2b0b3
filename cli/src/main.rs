//! The binary `glovebox`: the service and its commands.
//!
//! `init`, `serve`, `demo` and the registration of officers' keys work on the state directory, under its lock. All else
//! is a client: it speaks REST with a token to a running server, or works offline on files. This crate decides nothing,
//! opens no dataset or ledger by itself, takes no token as an argument (process lists show arguments), and trusts no
//! certificate authority but the one it is given.
//!
//! Exit codes: 0 done, 1 failure, 2 bad usage, 3 refused.
//!
//! Read in this order: [`args`] (what can be asked), [`failure`] (how it can end), [`output`] and [`grid`] (what is
//! printed), [`connection`] and [`rest`] (the way to the server), [`cards`] (what comes back), then the commands: the
//! local ones ([`local`], [`init`], [`serve`], [`officer_key`], [`demo`]) and the remote ones ([`dataset`], [`sql`],
//! [`application`], [`contract`], [`job`], [`request`], [`audit`], [`policy`], [`budget`], [`bill`], [`people`], [`freeze`]), and [`verify`], which needs no server
//! ([`key_file`]).

mod application;
mod args;
mod audit;
mod bill;
mod budget;
mod cards;
mod connection;
mod contract;
mod dataset;
mod demo;
mod failure;
mod freeze;
mod grid;
mod init;
mod job;
mod key_file;
mod local;
mod multipart;
mod officer_key;
mod output;
mod people;
mod policy;
mod private_file;
mod release_files;
mod request;
mod rest;
mod serve;
mod signals;
mod sql;
mod template;
mod verify;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::View;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" too, with code 0; nothing is left to do if even they cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let view = View::new(cli.format, cli.lang);
    match run(cli.command, &view) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.words(&view));
            failure.exit_code()
        }
    }
}

fn run(command: Command, view: &View) -> Result<(), Failure> {
    match command {
        Command::Init(args) => init::run(&args, view),
        Command::Serve(args) => serve::run(&args, view),
        Command::Demo { dir, exit } => Ok(runtime()?.block_on(demo::run(dir, exit))?),
        Command::CheckConfig(args) => local::check_config(&args, view),
        Command::OfficerKey(action) => officer_key::run(action, view),
        Command::Dataset(action) => dataset::run(action, view),
        Command::Sql(args) => sql::run(&args, view),
        Command::Contract(action) => contract::run(action, view),
        Command::Application(action) => application::run(action, view),
        Command::Job(action) => job::run(action, view),
        Command::Request(action) => request::run(action, view),
        Command::Verify(args) => verify::run(&args, view),
        Command::Audit(action) => audit::run(action, view),
        Command::Budget(at) => budget::run(&at, view),
        Command::Policy(action) => policy::run(action, view),
        Command::Bill(ask) => bill::run(&ask, view),
        Command::Token(action) => people::token(action, view),
        Command::Freeze(action) => freeze::run(action, view),
        Command::People(action) => people::run(action, view),
    }
}

/// The threads of a server.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the server's threads cannot be started")
}
