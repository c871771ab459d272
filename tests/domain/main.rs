//! The pure rules: tables over every case that is named, properties over the rest.

mod attendees;
mod freshness;
mod plan;
mod provider_answers;
mod status;
mod words;
