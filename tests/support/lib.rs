//! What the tests share: a desk (the core over the real database, the real HTTP clients, the sandbox and a clock that
//! jumps), and the built `tvsync` run as a person runs it.

#![expect(
    clippy::unwrap_used,
    reason = "a test's set-up has nobody to report to: a panic is its report"
)]

pub mod clock;
pub mod desk;
pub mod filled;
#[cfg(target_os = "linux")]
pub mod kills;
pub mod loopback;
pub mod model;
pub mod oauth;
#[cfg(target_os = "linux")]
pub mod power;
pub mod renewals;
pub mod stored;
pub mod sweep;
#[cfg(target_os = "linux")]
pub mod tvsync;

use jiff::Timestamp;

/// The moment at which most tests begin.
pub fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// How often a test repeats itself: `usual` times, or what a soak asks for in the environment (`TALKVALUE_SOAK_…`).
pub fn rounds(what: &str, usual: usize) -> usize {
    std::env::var(format!("TALKVALUE_SOAK_{what}"))
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(usual)
}
