//! Times as a person reads them: how old a list is, and when an event takes place.

use jiff::{SignedDuration, Timestamp, Unit, tz::TimeZone};
use talkvalue_core::domain::words::{Reader, counted};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// "just now", "2 min ago", "2 h ago", "3 days ago".
pub(crate) fn age(at: Timestamp, reader: &Reader) -> String {
    match reader.now.as_second().saturating_sub(at.as_second()) {
        ..MINUTE => "just now".to_owned(),
        secs if secs < HOUR => format!("{} min ago", secs / MINUTE),
        secs if secs < DAY => format!("{} h ago", secs / HOUR),
        secs => format!("{} ago", counted(secs.unsigned_abs() / DAY as u64, "day", "days")),
    }
}

/// "14:02 (2 min ago)".
pub(crate) fn as_of(at: Timestamp, reader: &Reader) -> String {
    format!("{} ({})", reader.moment(at), age(at, reader))
}

/// When an event starts, in words: "in 3 h", "tomorrow 10:00", "on now", "ended 21 Nov".
pub(crate) fn starts(starts_at: Option<Timestamp>, ends_at: Option<Timestamp>, reader: &Reader) -> String {
    let Some(start) = starts_at else {
        return "–".to_owned();
    };
    let until = start.as_second().saturating_sub(reader.now.as_second());
    if until <= 0 {
        // Without a known end an event counts as over a day after its start.
        let end = ends_at.or_else(|| start.checked_add(SignedDuration::from_hours(24)).ok());
        return match end {
            Some(end) if end < reader.now => format!("ended {}", reader.moment(ends_at.unwrap_or(start))),
            _ => "on now".to_owned(),
        };
    }
    let then = start.to_zoned_datetime(reader.zone.clone());
    let today = reader.now.to_zoned_datetime(reader.zone.clone()).date();
    let days = then
        .date()
        .since((Unit::Day, today))
        .map_or(i32::MAX, |span| span.get_days());
    match (until, days) {
        (..HOUR, _) => format!("in {} min", (until / MINUTE).max(1)),
        (_, 0) => format!("in {} h", (until + HOUR / 2) / HOUR),
        (_, 1) => then.strftime("tomorrow %H:%M").to_string(),
        (_, 2..=60) => format!("in {days} days"),
        _ => then.strftime("%-d %b %Y").to_string(),
    }
}

/// The event's own clock, and this computer's where it differs: "Tue 24 Nov 2026 18:00–22:00 GMT (19:00 here)".
pub(crate) fn span(
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    timezone: Option<&str>,
    reader: &Reader,
) -> String {
    let zone = timezone
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or_else(|| reader.zone.clone());
    let start = starts_at.to_zoned_datetime(zone.clone());
    let mut text = start.strftime("%a %-d %b %Y %H:%M").to_string();
    if let Some(end) = ends_at.map(|end| end.to_zoned_datetime(zone)) {
        let form = if end.date() == start.date() {
            "–%H:%M"
        } else {
            " – %a %-d %b %H:%M"
        };
        text.push_str(&end.strftime(form).to_string());
    }
    text.push_str(&start.strftime(" %Z").to_string());
    let here = starts_at.to_zoned_datetime(reader.zone.clone());
    if here.offset() != start.offset() {
        let form = if here.date() == start.date() {
            " (%H:%M here)"
        } else {
            " (%a %H:%M here)"
        };
        text.push_str(&here.strftime(form).to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        Reader {
            now: at("2026-11-23T14:02:00Z"),
            zone: TimeZone::UTC,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn ages_are_rounded_down() {
        let table = [
            ("2026-11-23T14:02:30Z", "just now"),
            ("2026-11-23T14:01:01Z", "just now"),
            ("2026-11-23T14:00:00Z", "2 min ago"),
            ("2026-11-23T11:45:00Z", "2 h ago"),
            ("2026-11-22T13:00:00Z", "1 day ago"),
            ("2026-11-02T14:02:00Z", "21 days ago"),
        ];
        for (then, expected) in table {
            assert_eq!(age(at(then), &reader()), expected, "{then}");
        }
    }

    #[test]
    fn starts_reads_as_one_would_say_it() {
        let table = [
            ("2026-11-23T14:27:00Z", None, "in 25 min"),
            ("2026-11-23T17:30:00Z", None, "in 3 h"),
            ("2026-11-24T10:00:00Z", None, "tomorrow 10:00"),
            ("2026-12-05T10:00:00Z", None, "in 12 days"),
            ("2027-03-03T10:00:00Z", None, "3 Mar 2027"),
            ("2026-11-23T13:00:00Z", Some("2026-11-23T18:00:00Z"), "on now"),
            (
                "2026-11-23T10:00:00Z",
                Some("2026-11-23T12:30:00Z"),
                "ended 12:30",
            ),
            ("2026-11-23T10:00:00Z", None, "on now"),
            ("2026-11-21T10:00:00Z", None, "ended 21 Nov"),
        ];
        for (start, end, expected) in table {
            assert_eq!(
                starts(Some(at(start)), end.map(at), &reader()),
                expected,
                "{start}"
            );
        }
        assert_eq!(starts(None, None, &reader()), "–");
    }

    #[test]
    fn span_gives_the_events_clock_and_ours() {
        let start = at("2026-11-24T18:00:00Z");
        let end = Some(at("2026-11-24T22:00:00Z"));
        assert_eq!(
            span(start, end, Some("Europe/Oslo"), &reader()),
            "Tue 24 Nov 2026 19:00–23:00 CET (18:00 here)"
        );
        assert_eq!(
            span(start, end, Some("Nowhere/Land"), &reader()),
            "Tue 24 Nov 2026 18:00–22:00 UTC"
        );
        assert_eq!(
            span(start, Some(at("2026-11-25T02:00:00Z")), None, &reader()),
            "Tue 24 Nov 2026 18:00 – Wed 25 Nov 02:00 UTC"
        );
    }
}
