//! What every implementation of a port must keep, run against each one there is.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that failed"
)]

mod locks;
mod loopback;
mod migration;
mod organization_walk;
mod store;
mod store_facts;
mod store_file;
mod vault;
