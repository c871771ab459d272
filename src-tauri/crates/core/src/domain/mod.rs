//! The vocabulary as types, and the pure rules over them. Nothing here waits, reads or writes.

pub mod attendee;
pub mod credential;
pub mod event;
pub mod failure;
pub mod freshness;
pub mod ids;
pub mod integration;
pub mod item;
pub mod job;
pub mod provider;
pub mod status;
pub mod words;
