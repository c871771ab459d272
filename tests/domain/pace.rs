//! How fast a job reads, and how long it still takes.

use std::time::{Duration, Instant};
use talkvalue_core::domain::failure::{FailureCode, Waiting};
use talkvalue_core::domain::ids::{ItemId, JobId};
use talkvalue_core::ports::Notice;
use talkvalue_core::query::pace::{Pace, Paces, Per};

fn job() -> JobId {
    JobId::from_text("job-1")
}

fn item() -> ItemId {
    ItemId::from_text("item-1")
}

fn progressed(done: u64, total: Option<u64>) -> Notice {
    Notice::JobProgressed {
        item: item(),
        job: job(),
        done,
        total,
    }
}

fn waits() -> Notice {
    Notice::JobWaits {
        item: item(),
        job: job(),
        waiting: Waiting {
            code: FailureCode::RateLimited,
            until: None,
        },
    }
}

/// Hears notices at so many milliseconds after the start.
struct Heard {
    paces: Paces,
    start: Instant,
}

impl Heard {
    fn new() -> Self {
        Self {
            paces: Paces::default(),
            start: Instant::now(),
        }
    }

    fn hear(&mut self, at_ms: u64, notice: &Notice) {
        self.paces.hear(notice, self.start + Duration::from_millis(at_ms));
    }

    /// Pages of `rows`, one every `every_ms`, from `from_ms` until before `to_ms`; the number read in the end.
    fn hear_pages(&mut self, from_ms: u64, to_ms: u64, every_ms: u64, rows: u64, mut done: u64) -> u64 {
        for at_ms in (from_ms..to_ms).step_by(usize::try_from(every_ms).unwrap()) {
            done += rows;
            self.hear(at_ms, &progressed(done, Some(3_000)));
        }
        done
    }

    fn pace(&self, at_ms: u64) -> Option<Pace> {
        self.paces.of(&job(), self.start + Duration::from_millis(at_ms))
    }
}

fn pace(count: u64, per: Per, minutes_left: Option<u64>) -> Option<Pace> {
    Some(Pace {
        count,
        per,
        minutes_left,
    })
}

#[test]
fn pages_that_come_steadily_have_a_rate_and_an_end() {
    for (every_ms, rows, count, per, minutes_left) in [
        (500, 92, 180, Per::Second, 0),
        (1_000, 20, 20, Per::Second, 3),
        (1_000, 7, 7, Per::Second, 7),
        (5_000, 3, 36, Per::Minute, 84),
    ] {
        let mut heard = Heard::new();
        heard.hear_pages(0, 11_000, every_ms, rows, 0);
        let told = heard.pace(11_000).unwrap();
        assert_eq!((told.count, told.per), (count, per), "{rows} every {every_ms} ms");
        assert_eq!(
            told.minutes_left,
            Some(minutes_left),
            "{rows} every {every_ms} ms"
        );
    }
}

#[test]
fn nothing_is_told_before_it_is_known() {
    let mut heard = Heard::new();
    assert_eq!(heard.pace(0), None, "a job that nobody heard of");
    heard.hear(0, &progressed(50, None));
    assert_eq!(heard.pace(1_000), None, "one page tells no speed");
    heard.hear(1_900, &progressed(100, None));
    assert_eq!(heard.pace(1_900), None, "nor do two seconds that have not passed");
    heard.hear(2_500, &progressed(150, None));
    assert_eq!(heard.pace(2_500), pace(40, Per::Second, None), "no total, no end");
    assert_eq!(
        heard.pace(13_000),
        None,
        "what brings nothing any more has no speed"
    );
}

#[test]
fn a_wait_is_not_taken_for_slowness() {
    let mut heard = Heard::new();
    let done = heard.hear_pages(0, 10_000, 1_000, 50, 0);
    heard.hear(10_000, &waits());
    assert_eq!(heard.pace(10_000), None, "who waits for a limit reads nothing");
    let resumed = Notice::JobResumed {
        item: item(),
        job: job(),
    };
    heard.hear(610_000, &resumed);
    assert_eq!(heard.pace(610_000), None, "and is measured anew afterwards");
    heard.hear_pages(610_000, 614_000, 1_000, 50, done);
    assert_eq!(heard.pace(614_000), pace(50, Per::Second, Some(0)));
}

#[test]
fn a_gap_that_nobody_announced_counts_until_it_is_long_over() {
    let mut heard = Heard::new();
    let done = heard.hear_pages(0, 10_000, 1_000, 50, 0);
    let done = heard.hear_pages(60_000, 61_000, 1_000, 50, done);
    assert_eq!(
        heard.pace(60_000).map(|pace| (pace.count, pace.per)),
        Some((59, Per::Minute)),
        "the provider has kept us waiting, so the end is far"
    );
    heard.hear_pages(61_000, 85_000, 1_000, 50, done);
    assert_eq!(
        heard.pace(85_000).map(|pace| (pace.count, pace.per)),
        Some((50, Per::Second))
    );
}

#[test]
fn a_walk_that_begins_anew_is_measured_anew() {
    let mut heard = Heard::new();
    heard.hear_pages(0, 10_000, 1_000, 50, 0);
    heard.hear(10_000, &progressed(50, Some(3_000)));
    assert_eq!(heard.pace(10_000), None);
}

#[test]
fn jobs_are_told_apart_and_forgotten_at_their_end() {
    let mut heard = Heard::new();
    heard.hear_pages(0, 10_000, 1_000, 50, 0);
    let other = JobId::from_text("job-2");
    assert_eq!(heard.paces.of(&other, heard.start), None);
    let ended = Notice::JobEnded {
        item: item(),
        job: job(),
    };
    heard.hear(10_000, &ended);
    assert_eq!(heard.pace(10_000), None);
}
