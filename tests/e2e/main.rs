//! The real window, used as a person uses it: WebKit under Xvfb, a real keychain, real HTTP to the sandbox.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on is a test that failed"
)]

mod journey;
mod screen;
