//! Bringing a feed up to date: what to ask, what an answer means, what changes, when to ask again.

pub mod absence;
pub mod actions;
pub(crate) mod call;
pub mod cancel;
pub mod engine;
pub mod handing;
pub mod live;
pub mod opened;
pub mod plan;
mod reading;
pub mod removals;
pub mod retry;
pub mod runner;
pub mod schedule;
pub mod turn;
pub mod verdict;
pub mod walk;
