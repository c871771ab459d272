//! Whole flows over real HTTP: provider page to stored rows to what a person sees.

#![expect(
    clippy::unwrap_used,
    reason = "a test's set-up has nobody to report to: a panic is its report"
)]

mod candidates;
mod canned;
mod channels;
mod connecting;
mod disconnecting;
mod failures;
mod failures_eventbrite;
mod failures_luma;
mod foreign_servers;
mod history;
mod import;
mod import_changes;
mod import_trouble;
mod keychain;
mod lanes;
mod limits;
mod live;
mod live_beside;
mod mapping;
mod model;
mod news;
mod organizations;
mod people;
mod reconnect;
mod reconnect_all;
mod removals;
mod renewal;
mod renewal_at_quit;
mod renewal_held;
mod renewal_refused;
mod resume;
mod shared_feeds;
mod sign_in;
mod sign_in_attacks;
mod signed_in;
mod stage;
mod status;
mod together;
mod troubled_keychain;
mod unreadable;
mod upkeep;
