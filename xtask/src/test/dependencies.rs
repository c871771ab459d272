//! The licences, sources and banned crates of deny.toml, checked by cargo-deny.

use super::Outcome;
use crate::repository::Repository;
use crate::{install, process};

pub(super) fn check(repository: &Repository, fast: bool) -> anyhow::Result<Outcome> {
    if fast {
        return Ok(Outcome::Skipped("--fast: cargo-deny"));
    }
    install::cargo_deny(repository)?;
    // Two versions of one crate are allowed, and Tauri's tree has many: their warnings would bury an error. Plain
    // `cargo deny check bans` lists them.
    process::run(&mut repository.cargo(&[
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "--allow",
        "duplicate",
        "bans",
        "licenses",
        "sources",
    ]))?;
    Ok(Outcome::Passed)
}
