//! A keychain to try things with. A person's own desktop has one; a server, a container or a continuous integration
//! machine has none, and gets a private message bus and keychain that end with the command.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::install::{self, Need};
use crate::process;
use crate::repository::{Profile, Repository};

/// Whether the programs we start will find a keychain that answers without anybody there to unlock it.
pub(crate) fn has_keychain() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    // A bus without a screen is a server's: a locked keychain would ask a prompt that nobody can see.
    let has_bus = env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty());
    has_bus && install::has_display() && keychain_is_running()
}

fn keychain_is_running() -> bool {
    let mut ask = Command::new("gdbus");
    ask.args([
        "call",
        "--session",
        "--dest",
        "org.freedesktop.DBus",
        "--object-path",
        "/org/freedesktop/DBus",
    ]);
    ask.args([
        "--method",
        "org.freedesktop.DBus.NameHasOwner",
        "org.freedesktop.secrets",
    ]);
    process::is_on_path("gdbus") && process::capture(&mut ask).is_ok_and(|answer| answer.contains("true"))
}

/// Runs this same command again with a private keychain around it, and gives the code it ended with.
pub(crate) fn run_again_inside(repository: &Repository, profile: Profile) -> anyhow::Result<ExitCode> {
    install::system(&[Need::Keychain])?;
    let ourselves = env::current_exe().context("this program does not know where it lies")?;
    let mut session = Command::new(repository.program("talkvalue-sandbox", profile));
    session
        .arg("session")
        // With a screen the window opens, and a locked keychain may ask.
        .args(install::has_display().then_some("--with-display"))
        .arg("--")
        .arg(ourselves)
        .arg("--inside-session")
        .args(env::args_os().skip(1));
    // A private session has its own home: cargo's settings there, and with them its target folder, are others.
    session.env("CARGO_TARGET_DIR", repository.target());
    Ok(exit_code(process::status(&mut session)?.code()))
}

/// Our own exit code for one that another program ended with.
pub(crate) fn exit_code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}
