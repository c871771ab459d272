//! The sandbox over real HTTP: what its worlds serve, and what trouble it makes on demand.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall stop where it stands"
)]

mod control;
mod luma;
mod oauth;
mod speed;
mod support;
mod trouble;
mod worlds;
