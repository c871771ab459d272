//! The real window, used as a person uses it: WebKit under Xvfb, a real keychain, real HTTP to the sandbox.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on is a test that failed"
)]
#![expect(
    clippy::print_stdout,
    reason = "what a run took is told, not asserted: machines differ"
)]

#[path = "../acl.rs"]
mod acl;
mod attacks;
mod browser;
mod dropped;
mod folder;
mod hostile;
mod idle;
mod journey;
mod keychain;
mod local_server;
mod nobody_comes;
mod other_account;
mod pictures;
mod policy;
mod provider_page;
mod provider_window;
mod repair;
mod screen;
mod scripted_browser;
mod sign_in;
mod stranger;
