//! `cargo xtask soak`: what the tests do briefly, for as long as it takes to be sure: random stories of one list held
//! against a model, `tvsync` killed again and again, sign-ins renewed in every awkward way, the power cut while the data
//! file is written, and data files damaged. On a release build; the figures are printed.

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
    /// Processes to kill while they renew a sign-in, for each kind of provider (Linux only)
    #[arg(long, default_value_t = 500)]
    renewals: u64,
    /// Power cuts, each at another moment or with other writes lost (Linux only)
    #[arg(long, default_value_t = 4_000)]
    power_cuts: u64,
    /// Bits to flip in the data file
    #[arg(long, default_value_t = 1_000)]
    flips: u64,
    /// Updates of an older data file to kill
    #[arg(long, default_value_t = 100)]
    updates: u64,
    /// The seed of the first story, of the kills and of the power cuts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One part alone
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Stories,
    Kills,
    Renewals,
    PowerCuts,
    Storage,
}

impl Part {
    /// What it needs that only Linux has.
    fn needs_of_linux(self) -> Option<&'static str> {
        match self {
            Part::Stories | Part::Storage => None,
            Part::Kills | Part::Renewals => Some("a keychain of its own"),
            Part::PowerCuts => Some("strace"),
        }
    }

    fn heading(self, seed: u64) -> String {
        match self {
            Part::Stories => format!("Stories of one list, from seed {seed} on."),
            Part::Kills => "Processes killed over one data folder.".to_owned(),
            Part::Renewals => "Sign-ins renewed by several processes, and by some that die.".to_owned(),
            Part::PowerCuts => format!("Power cuts while the data file is written, with seed {seed}."),
            Part::Storage => "Bits flipped in data files, and updates of them killed.".to_owned(),
        }
    }
}

/// Builds, plays, kills. Fails if anything was found.
pub(crate) fn run(repository: &Repository, length: &Length) -> anyhow::Result<ExitCode> {
    install::system(&[Need::Compiler, Need::Keychain, Need::Recorder])?;
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
    let mut well = true;
    for (part, name, count) in [
        (Part::Stories, "stories", length.stories),
        (Part::Kills, "kills", length.kills),
        (Part::Renewals, "renewals", length.renewals),
        (Part::PowerCuts, "power-cuts", length.power_cuts),
    ] {
        if length.only.is_some_and(|only| only != part) {
            continue;
        }
        println!("\n{}", terminal::heading(&part.heading(length.seed)));
        if let Some(need) = part.needs_of_linux().filter(|_| !cfg!(target_os = "linux")) {
            println!(
                "{}",
                terminal::careful(&format!("skipped: it needs {need}, which only Linux has"))
            );
            continue;
        }
        well &= soak(name, count)?.success();
    }
    if length.only.is_none_or(|only| only == Part::Storage) {
        println!("\n{}", terminal::heading(&Part::Storage.heading(length.seed)));
        well &= storage(repository, length)?;
    }
    Ok(code(well))
}

/// The tests of the data file, as often as a soak wants them.
fn storage(repository: &Repository, length: &Length) -> anyhow::Result<bool> {
    let mut tests = repository.cargo(&[
        "test",
        "--release",
        "--locked",
        "-p",
        "talkvalue-tests",
        "--test",
        "storage",
        "--test",
        "contract",
        "--",
        "--nocapture",
        "no_flipped_bit_is_ever_read",
        "a_kill_in_the_middle_leaves",
    ]);
    tests.env("TALKVALUE_SOAK_FLIPS", length.flips.to_string());
    tests.env("TALKVALUE_SOAK_MIGRATION_KILLS", length.updates.to_string());
    Ok(process::status(&mut tests)?.success())
}

fn code(well: bool) -> ExitCode {
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
