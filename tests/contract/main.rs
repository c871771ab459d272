//! What every implementation of a port must keep, run against each one there is.

mod locks;
mod store;
mod store_facts;
mod store_file;
mod vault;
