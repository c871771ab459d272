//! `cargo xtask screenshots`: the pictures of the README, taken anew from the real window on the demo workspace. The
//! end-to-end tests know how to drive the window, so one of them takes the pictures; we say where they go.

use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::install::{self, Need};
use crate::repository::Repository;
use crate::{process, terminal};

/// Below the clone's first level.
const FOLDER: &str = "docs/pictures";

/// Builds the window, and takes the pictures.
pub(crate) fn take(repository: &Repository) -> anyhow::Result<ExitCode> {
    if !cfg!(target_os = "linux") {
        bail!("pictures are taken on Linux, where the window can be driven without a screen");
    }
    install::system(&[
        Need::Compiler,
        Need::WebView,
        Need::Keychain,
        Need::Screen,
        Need::Driver,
    ])?;
    install::node()?;
    install::tauri_driver(repository)?;
    println!("{}", terminal::heading("Building the window."));
    for arguments in [["ci"].as_slice(), &["run", "build"]] {
        let mut npm = Command::new(install::npm_program());
        npm.args(arguments).current_dir(repository.root().join("ui"));
        process::run(&mut npm)?;
    }
    process::run(&mut repository.cargo(&["build", "--locked", "-p", "talkvalue-sync"]))?;
    println!("{}", terminal::heading("Taking the pictures."));
    let folder = repository.root().join(FOLDER);
    let mut pictures = repository.cargo(&[
        "test",
        "--locked",
        "-p",
        "talkvalue-sync",
        "--test",
        "e2e",
        "--",
        "--ignored",
        "pictures_of_the_window",
    ]);
    process::run(pictures.env("TALKVALUE_PICTURES", &folder))?;
    println!("\nThe pictures are in {FOLDER}. Look at each before it is committed.");
    Ok(ExitCode::SUCCESS)
}
