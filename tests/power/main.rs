//! Power cuts while the store writes: whatever of the unsynced writes reached the disk, the next start finds the state
//! before a transaction or after it.
//!
//! A program of their own: they start processes, which would hold the locks of other tests for the moment until they run.

#![cfg(target_os = "linux")]

use std::process::Command;
use talkvalue_tests::power;

/// `cargo xtask soak` cuts it four thousand times.
const CUTS: u64 = 60;

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_that_writes() {
    power::plays_if_asked();
}

#[test]
fn a_power_cut_at_any_moment_leaves_the_state_before_a_transaction_or_after_it() {
    if !power::is_possible() {
        println!("skipped: strace, which takes down how a process writes, is not here or may not trace");
        return;
    }
    let figures = power::soak(1, CUTS, || {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "child_that_writes", "--ignored", "--nocapture"]);
        program
    });
    assert!(
        figures.defects.is_empty(),
        "what a disk may hold after a power cut is a good file:\n{}",
        figures.defects.join("\n\n")
    );
    assert!(
        figures.losses > figures.cuts / 3
            && figures.sealed > 0
            && figures.with_log > 0
            && figures.earlier > 0,
        "cuts that lose nothing prove nothing: {figures:?}"
    );
}
