//! Simulated Eventbrite and Luma over real HTTP on loopback, with faults on demand.
//!
//! Tests, demos, drills and benchmarks start a [`Sandbox`], fill its worlds through the [`Eventbrite`] and
//! [`Luma`] handles, point a client at `api_url()` and compare what it arrives at with the truth the handles
//! read out as [`ProviderRegistration`]s. The servers run on threads of their own: a test may block, and a paused
//! or current-thread runtime does not stop them.

mod clock;
mod control;
mod demo;
mod dice;
mod door;
mod eventbrite;
mod fault;
mod http;
mod json;
#[cfg(target_os = "linux")]
pub mod keychain;
mod luma;
mod oauth;
mod outage;
mod people;
mod registration;
mod sandbox;
mod spec;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use clock::SandboxClock;
pub use demo::{Demo, DemoEvent};
pub use door::{Door, PausePoint, RequestRecord};
pub use eventbrite::{
    AttendeeOrder, AttendeeProfile, EventSummary, Eventbrite, EventbriteAccount, EventbriteSwitches,
    WalkChange,
};
pub use fault::{Fault, Spoil};
pub use luma::{GuestProfile, Luma, LumaCalendar, LumaSwitches, SortChange};
pub use oauth::{Oauth, OauthApp, OauthDialect, OauthGrant, OauthSwitches, OauthTally};
pub use registration::{Attendance, ProviderRegistration};
pub use sandbox::{Sandbox, SandboxBuilder};
pub use spec::{AttendeeSpec, EventSpec, GuestSpec};

/// Locks; a panic elsewhere while the lock was held is that test's failure, not a reason for another one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
