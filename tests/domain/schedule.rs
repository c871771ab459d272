//! When an item is read without anybody asking: the whole rule as a table.

use jiff::{SignedDuration, Timestamp};
use talkvalue_core::domain::attendee::{Counts, Tickets};
use talkvalue_core::domain::failure::{Failure, FailureCode, Waiting};
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::{ExternalId, FeedId, IntegrationId, ItemId, JobId};
use talkvalue_core::domain::item::{Item, ItemKind};
use talkvalue_core::domain::job::{JobKind, OpenJob};
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::ports::{FeedReads, ItemRecord};
use talkvalue_core::sync::schedule::{NextRead, next_read};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Seconds from the start of the engine.
fn at(secs: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    start.checked_add(SignedDuration::from_secs(secs)).unwrap()
}

fn engine() -> EngineView {
    EngineView {
        running_since: Some(at(0)),
    }
}

/// A list that was read completely `read` seconds after the engine's start, of an event that begins in two hours.
fn item(read: i64) -> ItemRecord {
    ItemRecord {
        item: Item {
            id: ItemId::from_text("item-1"),
            kind: ItemKind::BadgeEvent,
            provider: Provider::Luma,
            api_origin: Origin::parse("https://public-api.luma.com").unwrap(),
            external_id: ExternalId::from_text("evt-1"),
            integration_id: IntegrationId::from_text("int-1"),
            title: Some("Harbour Makers Night".to_owned()),
            starts_at: Some(at(2 * HOUR)),
            ends_at: Some(at(5 * HOUR)),
            timezone: None,
            archived: false,
            feed: FeedId::from_text("feed-1"),
            created_at: at(-DAY),
        },
        severed: None,
        last_failure: None,
        last_synced_at: Some(at(read)),
        last_attempted_at: Some(at(read)),
        open_job: None,
        counts: Counts::default(),
        tickets: Tickets::default(),
        unreadable: 0,
        held_removals: 0,
        revision: 0,
        new_since: 0,
        organization: None,
        reads: FeedReads {
            checked_at: Some(at(read)),
            ..FeedReads::default()
        },
    }
}

fn never_completed(attempted: i64, code: Option<FailureCode>) -> ItemRecord {
    ItemRecord {
        last_synced_at: None,
        last_attempted_at: Some(at(attempted)),
        last_failure: code.map(|code| Failure::new(code, at(attempted))),
        reads: FeedReads::default(),
        ..item(0)
    }
}

fn failing(since: i64, attempted: i64, code: FailureCode) -> ItemRecord {
    ItemRecord {
        last_failure: Some(Failure::new(code, at(since))),
        last_attempted_at: Some(at(attempted)),
        ..item(-HOUR)
    }
}

fn ending(ends: i64, read: i64) -> ItemRecord {
    let mut record = item(read);
    record.item.starts_at = Some(at(ends - HOUR));
    record.item.ends_at = Some(at(ends));
    record
}

fn job(held: bool, waiting: Option<Waiting>) -> ItemRecord {
    ItemRecord {
        open_job: Some(OpenJob {
            id: JobId::from_text("job-1"),
            item: ItemId::from_text("item-1"),
            kind: JobKind::Import,
            done: 100,
            total: None,
            waiting,
            held,
            handed: false,
            created_at: at(5),
        }),
        ..never_completed(5, None)
    }
}

fn limited(until: Option<i64>) -> Option<Waiting> {
    Some(Waiting {
        code: FailureCode::RateLimited,
        until: until.map(at),
    })
}

#[test]
fn every_item_is_read_when_it_is_due_and_not_before() {
    let check = |secs| {
        Some(NextRead {
            at: at(secs),
            goes_on: None,
        })
    };
    let goes_on = |secs, kind| {
        Some(NextRead {
            at: at(secs),
            goes_on: Some(kind),
        })
    };
    let archived = {
        let mut record = item(5);
        record.item.archived = true;
        record
    };
    let severed = ItemRecord {
        severed: Some(Failure::new(FailureCode::CredentialsRejected, at(5))),
        ..item(5)
    };
    let table = [
        ("read before the start", item(-5), check(0)),
        ("read since", item(5), check(5 + MINUTE)),
        ("an archive", archived, None),
        ("severed: only a person mends it", severed, None),
        ("over since yesterday: daily", ending(-DAY, 5), check(5 + DAY)),
        ("over for a month", ending(-31 * DAY, 5), None),
        (
            "silent for the first time",
            failing(5, 5, FailureCode::ProviderUnreachable),
            check(5 + MINUTE),
        ),
        (
            "silent for ten minutes",
            failing(5, 5 + 10 * MINUTE, FailureCode::ProviderUnreachable),
            check(5 + 20 * MINUTE),
        ),
        (
            "silent for days",
            failing(5, 2 * DAY, FailureCode::ProviderUnreachable),
            check(2 * DAY + 15 * MINUTE),
        ),
        (
            "a right that only a person gives back",
            failing(5, 5, FailureCode::PermissionMissing),
            check(5 + HOUR),
        ),
        (
            "an import that failed waits for its Retry",
            never_completed(-5, Some(FailureCode::ProviderUnreachable)),
            None,
        ),
        (
            "an import that a kill cut off",
            never_completed(-5, None),
            goes_on(0, JobKind::Retry),
        ),
        ("and that was cut off again", never_completed(5, None), None),
        (
            "a reconnect that was cut off",
            failing(-5, -5, FailureCode::Interrupted),
            goes_on(0, JobKind::Retry),
        ),
        ("a job that runs", job(false, None), None),
        (
            "a job that waits while it runs",
            job(false, limited(Some(90))),
            None,
        ),
        (
            "a job that was kept until then",
            job(true, limited(Some(90))),
            goes_on(90, JobKind::Import),
        ),
        (
            "a job that was kept, nobody knows how long",
            job(true, limited(None)),
            goes_on(5 + MINUTE, JobKind::Import),
        ),
        (
            "a job that waits for this computer's keychain, which may be unlocked at any moment",
            job(
                true,
                Some(Waiting {
                    code: FailureCode::VaultLocked,
                    until: None,
                }),
            ),
            goes_on(5 + 15, JobKind::Import),
        ),
    ];
    // Long after all of it.
    let now = at(40 * DAY);
    for (what, record, expected) in table {
        assert_eq!(next_read(&record, engine(), now), expected, "{what}");
        assert_eq!(
            next_read(&record, EngineView::default(), now),
            None,
            "{what}: without an engine nothing is read by itself"
        );
    }
}

#[test]
fn what_a_clock_noted_before_it_was_set_back_keeps_nobody_waiting() {
    let ahead = item(HOUR);
    let read = next_read(&ahead, engine(), at(0)).expect("it is read");
    assert_eq!(read.at, at(0), "not an hour later, when that time comes again");
    let held = ItemRecord {
        last_attempted_at: Some(at(HOUR)),
        ..job(true, limited(None))
    };
    let read = next_read(&held, engine(), at(0)).expect("it goes on");
    assert_eq!(read.at, at(0));
}
