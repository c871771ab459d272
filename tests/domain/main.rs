//! The pure rules: tables over every case that is named, properties over the rest.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that failed"
)]

mod absence;
mod attendees;
mod cost;
mod freshness;
mod pace;
mod plan;
mod provider_answers;
mod schedule;
mod sign_ins;
mod status;
mod walk;
mod words;
