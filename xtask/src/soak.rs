//! `cargo xtask soak`: what the tests do briefly, for as long as it takes to be sure: random stories of one list held
//! against a model, and `tvsync` killed again and again. On a release build; the figures are printed.

use std::process::{Command, ExitCode};

use crate::install::{self, Need};
use crate::repository::{Profile, Repository};
use crate::{process, terminal};

/// How long the soak is. Where it begins is told, so that what it finds can be found again.
#[derive(clap::Args)]
pub(crate) struct Length {
    /// Stories to play
    #[arg(long, default_value_t = 10_000)]
    stories: u64,
    /// Processes to kill (Linux only)
    #[arg(long, default_value_t = 1_000)]
    kills: u64,
    /// The seed of the first story, and of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds, plays, kills. Fails if anything was found.
pub(crate) fn run(repository: &Repository, length: &Length) -> anyhow::Result<ExitCode> {
    install::system(&[Need::Compiler, Need::Keychain])?;
    println!(
        "{}",
        terminal::heading("Building tvsync and the soak as they are released.")
    );
    process::run(&mut repository.cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "talkvalue-cli",
        "--bin",
        "tvsync",
        "-p",
        "talkvalue-tests",
        "--example",
        "soak",
    ]))?;
    let seed = length.seed.to_string();
    let soak = |what: &str, count: u64| {
        let mut command = Command::new(repository.program("examples/soak", Profile::Release));
        command.args([what, &seed, &count.to_string()]);
        process::status(&mut command)
    };
    println!(
        "\n{}",
        terminal::heading(&format!("Stories of one list, from seed {seed} on."))
    );
    let stories = soak("stories", length.stories)?;
    if !cfg!(target_os = "linux") {
        println!(
            "{}",
            terminal::careful("skipped: kills need a keychain of their own, which only Linux has")
        );
        return Ok(code(stories.success()));
    }
    println!(
        "\n{}",
        terminal::heading("Processes killed over one data folder.")
    );
    let kills = soak("kills", length.kills)?;
    Ok(code(stories.success() && kills.success()))
}

fn code(well: bool) -> ExitCode {
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
