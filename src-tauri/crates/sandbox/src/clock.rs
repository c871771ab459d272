//! The sandbox's own clock: the `Date` header, rate-limit windows and `changed` stamps all read it.
//!
//! Owns the notion of "now". Does not own latency or pauses: those pass in real time. A test that needs
//! an hour to pass takes [`SandboxClock::fixed`] and calls [`SandboxClock::advance`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::lock;

/// A shared clock; clones read and move the same time.
#[derive(Clone, Debug)]
pub struct SandboxClock(Arc<Mutex<Reading>>);

#[derive(Debug)]
enum Reading {
    /// The machine's time, moved by an offset.
    Real(SignedDuration),
    /// Stands still until told otherwise.
    Fixed(Timestamp),
}

impl SandboxClock {
    /// The machine's time.
    #[must_use]
    pub fn real() -> Self {
        Self(Arc::new(Mutex::new(Reading::Real(SignedDuration::ZERO))))
    }

    /// A clock that stands at `at` until it is moved.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Reading::Fixed(at))))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match *lock(&self.0) {
            Reading::Real(offset) => Timestamp::now() + offset,
            Reading::Fixed(at) => at,
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        match &mut *lock(&self.0) {
            Reading::Real(offset) => *offset += by,
            Reading::Fixed(at) => *at += by,
        }
    }

    /// Moves the clock to `at`; a real clock goes on ticking from there.
    pub fn set(&self, at: Timestamp) {
        match &mut *lock(&self.0) {
            Reading::Real(offset) => *offset = at.duration_since(Timestamp::now()),
            Reading::Fixed(now) => *now = at,
        }
    }
}

impl Default for SandboxClock {
    fn default() -> Self {
        Self::real()
    }
}

/// `at` without its fraction of a second: Eventbrite's resolution.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// `at` cut to milliseconds: Luma's resolution.
pub(crate) fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
