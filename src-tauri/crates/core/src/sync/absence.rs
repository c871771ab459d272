//! What it means that a complete walk did not list a registration: one pure rule. A missing row is never taken for a
//! cancellation at once, and never in numbers that look like a fault of the answer.

use crate::domain::attendee::{AttendeeStatus, Registration};
use crate::domain::ids::RegistrationId;
use jiff::{SignedDuration, Timestamp};

/// The one `provider_status` that is ours: the provider says nothing of the registration any more.
pub const NO_LONGER_LISTED: &str = "no longer listed";
/// Two walks that miss a row lie at least this far apart.
const APART: SignedDuration = SignedDuration::from_secs(60);
/// More missing rows than this are a person's to decide, whatever the size of the list.
const MOST_BY_ITSELF: usize = 20;
/// More than this many are, too, where they are more than one in ten.
const FEW: usize = 5;

/// What has been decided about a missing registration so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// First missed by the complete walk that began then, by the provider's clock.
    Candidate(Timestamp),
    /// Missed often enough; a person is asked.
    Held,
    /// A person keeps it.
    Kept,
}

/// A stored registration that is expected and that a complete walk did not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub id: RegistrationId,
    /// `None`: this walk is the first to miss it.
    pub known: Option<Absence>,
}

/// What follows from a complete walk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Missed for the first time.
    pub candidates: Vec<RegistrationId>,
    /// No longer registered, as far as the lists can tell.
    pub gone: Vec<RegistrationId>,
    /// To be shown to a person, who decides.
    pub held: Vec<RegistrationId>,
}

/// What a complete walk has not listed, and what it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unlisted {
    pub missing: Vec<Missing>,
    /// All stored registrations that are expected, the missing ones among them.
    pub expected: u64,
    /// Records of the walk, readable or not.
    pub listed: u64,
    /// Those of them that could not even be told apart by an id: each may be anybody's.
    pub nameless: u64,
}

/// Judges the registrations that a complete walk, begun at `as_of`, did not list.
pub fn judge(unlisted: &Unlisted, as_of: Timestamp) -> Judgement {
    // An unreadable record without an id may be that of a missing one: then nothing is known of any of them.
    if unlisted.nameless > 0 {
        return Judgement::default();
    }
    let missing = &unlisted.missing;
    let alarming = unlisted.listed == 0
        || missing.len() > MOST_BY_ITSELF
        || missing.len() > FEW && missing.len() as u64 * 10 > unlisted.expected;
    let is_ripe = |row: &Missing| match row.known {
        Some(Absence::Candidate(since)) => as_of.duration_since(since) >= APART,
        Some(Absence::Held) => true,
        Some(Absence::Kept) | None => false,
    };
    // A set that a person has kept is asked about again, as a whole, only when it has grown.
    let asks = alarming && missing.iter().any(is_ripe);
    let mut judgement = Judgement::default();
    for row in missing {
        let id = row.id.clone();
        match row.known {
            None => judgement.candidates.push(id),
            Some(Absence::Kept) if asks => judgement.held.push(id),
            Some(_) if !is_ripe(row) => {}
            Some(_) if alarming => judgement.held.push(id),
            Some(_) => judgement.gone.push(id),
        }
    }
    judgement
}

/// The registration as it is kept once it is taken to be gone.
pub fn withdrawn(row: Registration) -> Registration {
    Registration {
        status: AttendeeStatus::NotAttending,
        provider_status: NO_LONGER_LISTED.to_owned(),
        ..row
    }
}
