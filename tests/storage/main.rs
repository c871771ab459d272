//! Data files that are not what they were when they were closed.
//!
//! A program of their own: a process that another test starts holds our locks for the moment until it runs, and so a
//! file would not be seen to be ours alone.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that failed"
)]

mod damage;
