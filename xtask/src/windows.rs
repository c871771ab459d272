//! Windows, from elsewhere: everything that ships is compiled for it (`cargo xtask test`), and `cargo xtask
//! check-windows` links it and runs the tests of the keychain and the data file under Wine. That is Wine's credential
//! store and Wine's file system, not Windows' own: it proves our code for them, not them.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};

use crate::install::{self, Need};
use crate::repository::Repository;
use crate::test::Outcome;
use crate::{process, terminal};

const TARGET: &str = "x86_64-pc-windows-gnu";
const SHIPPED: [&str; 4] = [
    "talkvalue-core",
    "talkvalue-adapters",
    "talkvalue-cli",
    "talkvalue-sync",
];
/// What Wine 8 lacks; its source lies in tests/windows.
const SHIM: &str = "bcryptprimitives";
/// Runs by itself only where there is a keychain that is nobody's own.
const REAL_KEYCHAIN: &str = "vault::inside_a_session_the_real_keychain_keeps_its_promises";

/// Compiles what ships, as far as can be told without linking.
pub(crate) fn check(repository: &Repository) -> anyhow::Result<Outcome> {
    if cfg!(windows) {
        return Ok(Outcome::Skipped(
            "this is Windows: the other steps compile for it",
        ));
    }
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped(
            "needs Linux, whose packages have the compiler for it",
        ));
    }
    if !install::rust_target(TARGET)? {
        return Ok(Outcome::Skipped(
            "this Rust has no standard library for Windows and can get none",
        ));
    }
    install::system(&[Need::WindowsCompiler])?;
    process::run(&mut cargo(repository, "check", &[]))?;
    Ok(Outcome::Passed)
}

/// Links everything that ships, and runs the tests of vault and store under Wine.
pub(crate) fn check_windows(repository: &Repository) -> anyhow::Result<ExitCode> {
    ensure!(
        cfg!(target_os = "linux"),
        "this runs the programs of Windows under Wine, on Linux; on Windows `cargo xtask test` is all of it"
    );
    ensure!(
        install::rust_target(TARGET)?,
        "this Rust has no standard library for {TARGET}: `rustup target add {TARGET}`"
    );
    install::system(&[Need::Compiler, Need::WindowsCompiler, Need::Wine])?;

    println!("{}", terminal::heading("Linking tvsync and the app for Windows."));
    process::run(&mut cargo(
        repository,
        "build",
        &["--features", "tauri/custom-protocol"],
    ))?;

    println!(
        "{}",
        terminal::heading("The keychain and the data file, under Wine.")
    );
    let folder = repository.target().join(TARGET).join("debug");
    let prefix = repository.scratch("wine");
    for place in [folder.join("deps"), prefix.clone()] {
        std::fs::create_dir_all(&place).with_context(|| format!("{} cannot be made", place.display()))?;
    }
    let mut shim = Command::new("x86_64-w64-mingw32-gcc");
    shim.args(["-shared", "-o"])
        .arg(folder.join("deps").join(format!("{SHIM}.dll")))
        .arg(repository.root().join("tests/windows").join(format!("{SHIM}.c")))
        .arg("-ladvapi32");
    process::run(&mut shim)?;
    let under_wine = |targets: &[&str], arguments: &[&str]| {
        let mut tests = repository.cargo(&["test", "--locked", "--no-fail-fast", "--target", TARGET]);
        tests.args(["-p", "talkvalue-tests"]).args(targets);
        tests.arg("--").args(arguments);
        tests
            .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine")
            .env("WINEPREFIX", &prefix)
            .env("WINEDEBUG", "-all");
        process::run(&mut tests)
    };
    under_wine(&["--test", "contract", "--test", "storage"], &[])?;
    under_wine(&["--test", "contract"], &["--ignored", "--exact", REAL_KEYCHAIN])?;
    println!(
        "{}",
        terminal::good("Windows: linked, and its tests passed under Wine.")
    );
    Ok(ExitCode::SUCCESS)
}

fn cargo(repository: &Repository, command: &str, more: &[&str]) -> Command {
    let mut cargo = repository.cargo(&[command, "--locked", "--target", TARGET]);
    cargo.args(SHIPPED.iter().flat_map(|package| ["-p", package]));
    cargo.args(more);
    cargo
}
