//! Bringing a feed up to date: what to ask, what an answer means, what changes, when to ask again.

pub mod absence;
pub mod actions;
pub(crate) mod call;
pub mod cancel;
mod channel;
pub mod cost;
pub mod engine;
pub(crate) mod event_list;
pub mod handing;
pub mod live;
mod news;
pub mod opened;
pub mod plan;
mod reading;
pub mod removals;
pub mod retry;
pub mod runner;
pub mod schedule;
mod together;
pub mod turn;
pub mod verdict;
pub mod walk;
