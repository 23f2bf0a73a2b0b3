//! `cargo xtask`: what the repository checks about itself.
//!
//! `check` is all that CI runs, as named steps; `clients` lets clients that we did not write talk to a served demo and
//! verify what it released; `browser` has Chromium visit its pages; `attack` runs hostile suites, also against a planted bug, and changes what proves a release
//! byte by byte; `audit` looks at released noise by statistics and at sums of losses by an outside accountant; `bench` measures beside a floor; `guests` rebuilds the committed WebAssembly modules; `guide` does what
//! the guide to jobs says. Each ends with one line of JSON and exits with 0 when everything held, 1 when something did not,
//! 2 on bad usage; `guests` and `guide` exit with 3 when they had nothing to build modules with.
//!
//! This crate depends on no crate of the product and none depends on it: it reads their sources, their manifests and
//! what `cargo metadata` says, and runs cargo. Only `guests --write` changes files of the repository.
//!
//! Read [`step`] (what a step is), [`check`] (the list of steps), [`workspace`] and [`source`] (what steps look at),
//! then the steps: [`graph`], [`lock`], [`rules`], [`expose`], [`licences`], [`docs`]; then [`clients`], [`browser`] and [`demo`], [`attack`],
//! [`tamper`], [`audit`] and [`mod@bench`]; then [`guests`], [`guest`], [`guest_module`], [`guest_toolchain`]; last [`guide`] and
//! [`guide_script`].

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod architecture;
mod attack;
mod audit;
mod bench;
mod browser;
mod check;
mod clients;
mod demo;
mod docs;
mod expose;
mod graph;
mod guest;
mod guest_module;
mod guest_toolchain;
mod guests;
mod guide;
mod guide_script;
mod licences;
mod lock;
mod markdown;
mod rules;
mod source;
mod step;
mod tamper;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask check [--only STEP,STEP…] [--list]   all that CI runs, or the named steps
       cargo xtask clients                              ADBC, pyarrow and a DSSE verifier, at a served demo
       cargo xtask browser                              Debian's Chromium at the pages of a served demo
       cargo xtask guests [--write] [--toolchain NAME]  rebuilds every guest (NAME: rustup or debian) and compares
       cargo xtask guide [--binary PATH]                runs every command of docs/guide/jobs.md against a served demo
       cargo xtask attack guests [--plant NAME]         hostile guests; a planted bug must turn it red
       cargo xtask attack sql [--plant NAME]            hostile SQL at two served bureaus; a planted mistake must turn it red
       cargo xtask attack tamper [--quick] [--binary FILE] [--dir DEMO_DIR]
                                                        one changed byte of what proves a release must be found
       cargo xtask audit noise [--quick|--samples N]    released noise against the promised probabilities and the declared loss
       cargo xtask audit accountant                     composed losses against Google's accountant
       cargo xtask bench sandbox                        fresh instances beside reused ones and native code
       cargo xtask bench sql [--rows N]                 DP SQL beside DataFusion and DuckDB without privacy";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["check"] => check::run(None),
        ["check", "--list"] => check::list(),
        ["check", "--only", names] => check::run(Some(names)),
        ["clients"] => clients::run(),
        ["browser"] => browser::run(),
        ["guests", options @ ..] => return ended(guests::run(options)),
        ["guide", options @ ..] => return ended(guide::run(options)),
        ["attack", "guests"] => attack::guests(None),
        ["attack", "guests", "--plant", name] => attack::guests(Some(name)),
        ["attack", "sql"] => attack::sql(None),
        ["attack", "sql", "--plant", name] => attack::sql(Some(name)),
        ["attack", "tamper", options @ ..] => return ended(tamper::run(options)),
        ["audit", "noise", options @ ..] => audit::noise(options),
        ["audit", "accountant"] => audit::accountant(),
        ["bench", "sandbox"] => bench::sandbox(),
        ["bench", "sql"] => bench::sql(&[]),
        ["bench", "sql", "--rows", rows] => bench::sql(&["--rows", rows]),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    ended(done.map(|pass| if pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

fn ended(done: anyhow::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        println!("xtask could not run: {error:#}");
        ExitCode::FAILURE
    })
}
