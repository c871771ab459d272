//! Which way of reading is the cheaper one: both rules as tables.

use jiff::{SignedDuration, Timestamp};
use talkvalue_core::domain::freshness::{Span, longest_live_age_secs};
use talkvalue_core::sync::cost::{LumaList, LumaWay, luma_way, organization_walk};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Seconds from now.
fn at(secs: i64) -> Timestamp {
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    now.checked_add(SignedDuration::from_secs(secs)).unwrap()
}

fn begins_in(secs: i64) -> Span {
    Span {
        starts_at: Some(at(secs)),
        ends_at: Some(at(secs + 3 * HOUR)),
        standing: false,
    }
}

const CHANNEL: Span = Span {
    starts_at: None,
    ends_at: None,
    standing: true,
};

/// A list of so many pages whose last walk began so many seconds ago.
fn list(spans: &[Span], pages: u64, age: i64) -> LumaList<'_> {
    LumaList {
        spans,
        pages: Some(pages),
        complete_as_of: Some(at(-age)),
        checked_at: Some(at(-age)),
        watched_since: Some(at(-DAY)),
        in_doubt: false,
        pages_of_account: pages,
    }
}

#[test]
fn a_luma_list_is_walked_when_that_is_cheap_or_due_and_looked_at_between() {
    use LumaWay::{Everything, News};
    let (doors, month, later, over) = (
        [begins_in(HOUR)],
        [begins_in(10 * DAY)],
        [begins_in(90 * DAY)],
        [begins_in(-2 * DAY)],
    );
    let of_channel = [begins_in(90 * DAY), CHANNEL];
    let table = [
        ("short: always walked", list(&doors, 3, 60), Everything),
        ("long, a minute ago", list(&doors, 4, 60), News),
        (
            "long, the planned interval ago",
            list(&doors, 4, 2 * MINUTE),
            Everything,
        ),
        (
            "this month, within the interval",
            list(&month, 20, 9 * MINUTE),
            News,
        ),
        ("this month, due", list(&month, 20, 10 * MINUTE), Everything),
        ("in three months, an hour ago", list(&later, 20, HOUR), News),
        (
            "in three months, but of a channel",
            list(&of_channel, 20, 15 * MINUTE),
            Everything,
        ),
        ("of a channel, lately", list(&of_channel, 20, 14 * MINUTE), News),
        (
            "over: its daily read reads everything",
            list(&over, 20, DAY),
            Everything,
        ),
        (
            "so long that half of the limit does not allow the planned interval",
            list(&doors, 300, 2 * MINUTE + 59),
            News,
        ),
        (
            "but before it goes stale",
            list(&doors, 300, 3 * MINUTE),
            Everything,
        ),
        (
            "one of many that share a limit",
            LumaList {
                pages_of_account: 1_200,
                ..list(&month, 20, 11 * MINUTE)
            },
            News,
        ),
        (
            "one of many, when its turn comes",
            LumaList {
                pages_of_account: 1_200,
                ..list(&month, 20, 12 * MINUTE)
            },
            Everything,
        ),
        (
            "never walked",
            LumaList {
                pages: None,
                ..list(&doors, 4, 60)
            },
            Everything,
        ),
        (
            "never complete",
            LumaList {
                complete_as_of: None,
                ..list(&doors, 4, 60)
            },
            Everything,
        ),
        (
            "not since somebody watches",
            LumaList {
                watched_since: Some(at(-30)),
                ..list(&doors, 4, 60)
            },
            Everything,
        ),
        (
            "nobody watches, somebody asks",
            LumaList {
                watched_since: None,
                ..list(&doors, 4, 60)
            },
            News,
        ),
        (
            "in doubt",
            LumaList {
                in_doubt: true,
                ..list(&doors, 4, 60)
            },
            Everything,
        ),
        ("read in the future", list(&doors, 4, -60), Everything),
    ];
    for (what, list, expected) in table {
        assert_eq!(luma_way(&list, at(0)), expected, "{what}");
    }
}

#[test]
fn no_look_for_news_lets_a_list_go_stale() {
    for starts_in in [0, HOUR, 2 * DAY, 20 * DAY, 90 * DAY] {
        for pages in [4, 20, 100, 1_000, 100_000] {
            let spans = [begins_in(starts_in)];
            let longest = longest_live_age_secs(spans[0], at(0)).unwrap();
            let late = list(&spans, pages, longest / 2);
            assert_eq!(
                luma_way(&late, at(0)),
                LumaWay::Everything,
                "{pages} pages, {starts_in} s ahead: half of the time is left for the walk"
            );
        }
    }
}

#[test]
fn one_walk_over_an_organization_is_made_where_it_spares_requests() {
    let minutes = |count: i64| at(-count * MINUTE);
    let many = |count: usize, at: Timestamp| vec![at; count];
    type Row = (&'static str, Vec<Timestamp>, Vec<Timestamp>, Option<Timestamp>);
    let table: [Row; 8] = [
        ("nothing is due", vec![], vec![], None),
        ("one list", vec![minutes(10)], vec![], None),
        (
            "two lists, one page",
            vec![minutes(10), minutes(12)],
            vec![],
            Some(minutes(12)),
        ),
        (
            "two lists, two pages: no gain",
            vec![minutes(10), minutes(12)],
            many(51, minutes(5)),
            None,
        ),
        (
            "three lists, two pages",
            vec![minutes(10), minutes(12), minutes(11)],
            many(51, minutes(5)),
            Some(minutes(12)),
        ),
        (
            "one that has not changed for long is read by itself",
            vec![minutes(10), minutes(11), minutes(90_000)],
            [many(3, minutes(5)), many(147, minutes(60_000))].concat(),
            Some(minutes(11)),
        ),
        (
            "unless it costs nothing more",
            vec![minutes(10), minutes(11), minutes(90_000)],
            many(3, minutes(5)),
            Some(minutes(90_000)),
        ),
        (
            "what changed before counts for nothing",
            vec![minutes(10), minutes(12)],
            many(100, minutes(13)),
            Some(minutes(12)),
        ),
    ];
    for (what, since, changes, expected) in table {
        assert_eq!(organization_walk(&since, &changes), expected, "{what}");
    }
}
