//! What can happen to one list, as data: proptest draws it, and makes it smaller when it shows a defect.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use talkvalue_core::domain::provider::Provider;
use talkvalue_sandbox::{AttendeeOrder, Fault, Spoil};

/// An answer whose making takes longer than this has timed out.
pub(super) const MOST_SECS_OF_AN_ANSWER: u64 = 5;

/// One list's story, from an account that was just connected.
#[derive(Debug, Clone)]
pub struct Script {
    pub provider: Provider,
    /// A channel, of one event and so many further ones; else a Badge event.
    pub channel: Option<usize>,
    pub rows: usize,
    pub quirks: Quirks,
    pub steps: Vec<Step>,
    /// How long nothing happens before the last read.
    pub calm_secs: u64,
}

/// How this provider happens to serve its lists.
#[derive(Debug, Clone)]
pub struct Quirks {
    pub rows_per_page: usize,
    pub counts: bool,
    pub cursor_on_last_page: bool,
    pub repeats_rows: bool,
    pub empty_page: Option<u64>,
    /// The rest is Eventbrite's alone.
    pub order: AttendeeOrder,
    pub lag_secs: u32,
    pub older_row_once: bool,
    pub continuation_minutes: Option<u32>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Change(Change),
    /// A change while a walk is under way: after so many more of its pages, and so many seconds.
    During {
        pages: u64,
        secs: u64,
        change: Change,
    },
    Trouble {
        after: u64,
        times: u64,
        fault: Fault,
    },
    Calm,
    Pass {
        secs: u64,
    },
    Read {
        how: How,
        killed_at: Option<u64>,
    },
    /// Half a minute or a minute of a list that is kept live: something happens, and what is due is read.
    Minute {
        secs: u64,
        change: Change,
        killed_at: Option<u64>,
    },
}

/// Who asks for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A person: everything.
    Sync,
    /// A person, after a failure: goes on where it stopped.
    Retry,
    /// Nobody: what changed.
    Due,
    /// Nobody: whatever the engine of a window finds due.
    Live,
}

/// What happens at the provider; the number picks one of the registrations there are.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Register,
    Cancel(usize),
    Refund(usize),
    Restore(usize),
    CheckIn(usize),
    UndoCheckIn(usize),
    Rename(usize),
    ChangeEmail(usize),
    HandOver(usize),
    Spoil(usize, Spoil),
    Heal(usize),
    Vanish(usize),
}

pub(super) fn scripts() -> impl Strategy<Value = Script> {
    (
        select(Provider::ALL.to_vec()),
        option::weighted(0.4, 0..4usize),
        0..=30usize,
        quirks(),
        vec(steps(), 1..=14),
        select(vec![1, 61, 700]),
    )
        .prop_map(|(provider, channel, rows, quirks, steps, calm_secs)| Script {
            provider,
            channel,
            rows,
            quirks,
            steps,
            calm_secs,
        })
}

fn quirks() -> impl Strategy<Value = Quirks> {
    let orders = vec![
        AttendeeOrder::ById,
        AttendeeOrder::ByChanged,
        AttendeeOrder::ByCreatedDescending,
    ];
    (
        1..=10usize,
        prop::bool::weighted(0.7),
        any::<bool>(),
        prop::bool::weighted(0.15),
        option::weighted(0.15, 1..4u64),
        select(orders),
        select(vec![0, 0, 0, 20, 290]),
        prop::bool::weighted(0.15),
        option::weighted(0.15, 1..3u32),
    )
        .prop_map(
            |(
                rows_per_page,
                counts,
                cursor_on_last_page,
                repeats_rows,
                empty_page,
                order,
                lag_secs,
                older,
                minutes,
            )| {
                Quirks {
                    rows_per_page,
                    counts,
                    cursor_on_last_page,
                    repeats_rows,
                    empty_page,
                    order,
                    lag_secs,
                    older_row_once: older,
                    continuation_minutes: minutes,
                }
            },
        )
}

fn steps() -> impl Strategy<Value = Step> {
    let ways = vec![How::Sync, How::Sync, How::Retry, How::Due, How::Due, How::Live];
    prop_oneof![
        3 => changes().prop_map(Step::Change),
        4 => (0..6u64, 0..=MOST_SECS_OF_AN_ANSWER, changes())
            .prop_map(|(pages, secs, change)| Step::During { pages, secs, change }),
        3 => (0..8u64, 1..4u64, faults()).prop_map(|(after, times, fault)| Step::Trouble { after, times, fault }),
        1 => Just(Step::Calm),
        2 => select(vec![1, 61, 599, 601, 3_700, 90_000]).prop_map(|secs| Step::Pass { secs }),
        6 => (select(ways), option::weighted(0.35, 1..9u64))
            .prop_map(|(how, killed_at)| Step::Read { how, killed_at }),
        5 => (select(vec![31, 61]), changes(), option::weighted(0.2, 1..5u64))
            .prop_map(|(secs, change, killed_at)| Step::Minute { secs, change, killed_at }),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    let spoils = vec![
        Spoil::NoId,
        Spoil::WrongTypes,
        Spoil::BadTimestamps,
        Spoil::NotAnObject,
        Spoil::UnknownFields,
        Spoil::UnknownStatus,
        Spoil::NullProfile,
    ];
    let one = || any::<proptest::sample::Index>().prop_map(|index| index.index(1 << 16));
    prop_oneof![
        4 => Just(Change::Register),
        2 => one().prop_map(Change::Cancel),
        1 => one().prop_map(Change::Refund),
        1 => one().prop_map(Change::Restore),
        3 => one().prop_map(Change::CheckIn),
        1 => one().prop_map(Change::UndoCheckIn),
        2 => one().prop_map(Change::Rename),
        1 => one().prop_map(Change::ChangeEmail),
        1 => one().prop_map(Change::HandOver),
        2 => (one(), select(spoils)).prop_map(|(one, spoil)| Change::Spoil(one, spoil)),
        1 => one().prop_map(Change::Heal),
        2 => one().prop_map(Change::Vanish),
    ]
}

/// What ends by itself, and leaves the credential alone.
fn faults() -> impl Strategy<Value = Fault> {
    select(vec![
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(500),
        Fault::RateLimited {
            retry_after_secs: None,
        },
        Fault::RateLimited {
            retry_after_secs: Some(30),
        },
        Fault::HtmlGateway(503),
        Fault::NonJsonStatus(401),
        Fault::EmptyBody(503),
        Fault::Html200,
        Fault::TruncatedBody,
        Fault::TruncatedJson,
        Fault::Reset,
        Fault::EmptyList,
        Fault::HalfList,
        Fault::RepeatedCursor,
        Fault::MissingCursor,
        Fault::NotAnEnvelope,
        Fault::BadContinuation,
        Fault::BadContinuation,
    ])
}

impl Script {
    /// Whether the provider tells of fewer people than there are, so that nobody can tell.
    pub fn lies(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(
                step,
                Step::Trouble {
                    fault: Fault::EmptyList | Fault::HalfList,
                    ..
                }
            )
        })
    }

    /// Whether an event of a channel seems to be gone, which nobody can tell from one that is.
    pub fn hides_events(&self) -> bool {
        self.channel.is_some()
            && self.steps.iter().any(|step| {
                matches!(
                    step,
                    Step::Trouble {
                        fault: Fault::Status(403 | 404),
                        ..
                    }
                )
            })
    }

    /// Whether a registration changes without a time of change.
    pub fn changes_silently(&self) -> bool {
        self.changes().any(|change| {
            matches!(
                change,
                Change::Spoil(_, Spoil::UnknownStatus | Spoil::NullProfile)
            )
        })
    }

    /// Whether somebody leaves the list altogether.
    pub fn vanishes(&self) -> bool {
        self.changes().any(|change| matches!(change, Change::Vanish(_)))
    }

    fn changes(&self) -> impl Iterator<Item = Change> {
        self.steps.iter().filter_map(|step| match step {
            Step::Change(change) | Step::During { change, .. } | Step::Minute { change, .. } => Some(*change),
            _ => None,
        })
    }
}
