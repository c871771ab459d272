//! `cargo xtask …`: builds, shows, tests and measures TalkValue Sync. It needs a Rust toolchain and a C linker, installs
//! what else is missing, and depends on none of our other crates: it runs their programs, as a person would.
#![expect(clippy::print_stdout, reason = "a command line talks on stdout")]

mod bench;
mod bench_start;
mod demo_vault;
mod install;
mod process;
mod repository;
mod run;
mod sandbox;
mod screenshots;
mod session;
mod soak;
mod terminal;
mod test;
mod tvsync;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::repository::Repository;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Builds, shows, tests and measures TalkValue Sync"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Says that a private keychain session is already around this process.
    #[arg(long, hide = true, global = true)]
    inside_session: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Show the main job on a simulated Eventbrite and Luma: connect, import, read the list
    Run {
        /// Use your own accounts at the real providers: build, and say what to type next
        #[arg(long)]
        real: bool,
    },
    /// Run everything that continuous integration runs
    Test {
        /// Under a minute: skip, by name, what is slow
        #[arg(long)]
        fast: bool,
    },
    /// The same as `test`, for continuous integration
    Ci,
    /// Measure imports against a bare loop, lists that are here, and the window's start against a blank window
    Bench {
        /// Measure this part only
        #[arg(long)]
        only: Option<BenchPart>,
        /// Says that everything is built and a screen is there
        #[arg(long, hide = true)]
        on_screen: bool,
    },
    /// Play thousands of random stories of one list, kill tvsync a thousand times, cut the power thousands of times
    Soak(soak::Length),
    /// Take the README's pictures anew, from the real window on the demo workspace
    Screenshots,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BenchPart {
    /// Imports beside a bare loop that fetches the same pages
    Imports,
    /// Lists that are here: what changed, all items, a page
    Lists,
    /// The window's start beside a blank Tauri window
    Start,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Repository::find().and_then(|repository| match arguments.command {
        Command::Run { real: true } => run::with_real_providers(&repository),
        Command::Run { real: false } => run::with_sandbox(&repository, arguments.inside_session),
        Command::Test { fast } => test::run(&repository, fast),
        Command::Ci => test::run(&repository, false),
        Command::Bench { on_screen: true, .. } => bench_start::measure(&repository),
        Command::Bench { only, .. } => bench(&repository, only, arguments.inside_session),
        Command::Soak(length) => soak::run(&repository, &length),
        Command::Screenshots => screenshots::take(&repository),
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} {error:#}", terminal::bad("Stopped:"));
            ExitCode::FAILURE
        }
    }
}

/// The imports, possibly inside a private keychain session of their own; the window's start needs none.
fn bench(repository: &Repository, only: Option<BenchPart>, inside_session: bool) -> anyhow::Result<ExitCode> {
    if matches!(only, None | Some(BenchPart::Imports)) {
        let ended = bench::run(repository, inside_session)?;
        if inside_session || ended != ExitCode::SUCCESS {
            return Ok(ended);
        }
    }
    if only == Some(BenchPart::Imports) {
        return Ok(ExitCode::SUCCESS);
    }
    if only != Some(BenchPart::Start) {
        println!("{}", terminal::heading("Lists that are here already. Medians."));
        process::run(&mut repository.cargo(&[
            "run",
            "--release",
            "--locked",
            "-p",
            "talkvalue-tests",
            "--example",
            "measure_lists",
        ]))?;
    }
    if only == Some(BenchPart::Lists) {
        return Ok(ExitCode::SUCCESS);
    }
    bench_start::run(repository)
}
