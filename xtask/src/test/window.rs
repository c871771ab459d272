//! The real app in a real web view, on a screen that nobody looks at: it must start, draw its page, and end with 0 when
//! its window is closed.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::Outcome;
use crate::process;
use crate::repository::{Profile, Repository};

/// Much longer than it takes (a second or two), so that only a window that never draws reaches it.
const DEADLINE_SECS: &str = "60";

/// What `timeout` ends with when the deadline passed.
const TIMED_OUT: i32 = 124;

pub(super) fn check(repository: &Repository, fast: bool) -> anyhow::Result<Outcome> {
    if fast {
        return Ok(Outcome::Skipped("--fast: the window"));
    }
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("needs Linux with Xvfb"));
    }
    let home = repository.scratch("window-home");
    fs::create_dir_all(home.join("runtime"))
        .with_context(|| format!("{} could not be made", home.display()))?;

    let mut screen = Command::new("xvfb-run");
    screen.args([
        "-a",
        "-s",
        "-screen 0 1280x900x24 -nolisten tcp",
        "dbus-run-session",
        "--",
    ]);
    screen.args(["timeout", "--kill-after=5", DEADLINE_SECS]);
    screen
        .arg(repository.program("talkvalue-sync", Profile::Debug))
        .arg("--quit-when-painted");
    // Its own home: the web view and the desktop's services write there.
    screen
        .env("HOME", &home)
        .env("XDG_RUNTIME_DIR", home.join("runtime"));
    for (name, folder) in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
    ] {
        screen.env(name, home.join(folder));
    }
    let status = process::status(&mut screen)?;
    if status.success() {
        println!("The window opened, painted its page and quit.");
        return Ok(Outcome::Passed);
    }
    if status.code() == Some(TIMED_OUT) {
        bail!("the window painted nothing within {DEADLINE_SECS} s");
    }
    bail!("the app {}", process::how_it_ended(status))
}
