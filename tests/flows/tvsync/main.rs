//! `tvsync` as it is built, against the sandbox over real HTTP, with a real keychain of its own. Linux only: nowhere
//! else can a test have a keychain to itself.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that failed"
)]

mod aftermath;
mod damaged;
mod folder;
mod input;
mod keychain;
mod kills;
mod oauth;
mod processes;
mod renewals;
mod story;
mod watch;
mod world;
