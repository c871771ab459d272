//! The window's commands over the real adapters, without a screen: Tauri's mock runtime carries the calls through the
//! same permissions as the real one, and the sandbox is the provider.

#![expect(
    clippy::unwrap_used,
    reason = "a test's set-up has nobody to report to: a panic is its report"
)]

#[path = "../acl.rs"]
mod acl;
mod answers;
mod arbitrary;
mod attendees;
mod background;
mod generated;
mod golden;
mod history;
mod links;
mod names;
mod quitting;
mod refusals;
mod sign_in;
mod stage;
mod storage;
mod strangers;
