//! Decides everything TalkValue Sync decides: what a sync status is, what an answer of a provider means, which rows
//! change, when to ask again, and what a person is told.
//!
//! The core knows no window, no SQL, no HTTP and no keychain: it reaches the world through the traits in [`ports`].
//! Its callers (the shell and the command line) parse input, call one use case and convert the answer.

pub mod connect;
pub mod domain;
pub mod error;
pub mod ports;
pub mod query;
pub mod sync;
