//! How fast a job reads and how long it still takes, from what its notices tell: the one place that works it out, for the
//! command line and the window alike. Owns no clock: the caller says when each notice came, and asks with a time.

use crate::domain::ids::JobId;
use crate::ports::Notice;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// What was read longer ago says little about now.
const LOOKED_BACK: Duration = Duration::from_secs(20);

/// A shorter time says more about one page than about the provider.
const MEASURED_AT_LEAST: Duration = Duration::from_secs(2);

/// A job that has brought nothing for so long has no speed to be told.
const SILENT_AT_MOST: Duration = Duration::from_secs(10);

/// What a person is told: about so many in each second or minute, and how long the rest takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Rounded to two digits: the next page changes the third.
    pub count: u64,
    pub per: Per,
    /// Whole minutes, 0 for less than one; `None` where the provider names no total.
    pub minutes_left: Option<u64>,
}

/// The time that a [`Pace`] counts in: the one in which something arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Second,
    Minute,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    done: u64,
    at: Instant,
}

/// What one job has read lately, without a pause in between.
#[derive(Debug, Default)]
struct Read {
    samples: VecDeque<Sample>,
    total: Option<u64>,
}

impl Read {
    fn take(&mut self, done: u64, total: Option<u64>, at: Instant) {
        // Fewer than before: the walk has begun anew.
        if self.samples.back().is_some_and(|last| done < last.done) {
            self.samples.clear();
        }
        self.total = total;
        self.samples.push_back(Sample { done, at });
        // The newest of those that are too old stays: what came since then is counted from there.
        while self
            .samples
            .get(1)
            .is_some_and(|second| at.saturating_duration_since(second.at) >= LOOKED_BACK)
        {
            self.samples.pop_front();
        }
    }

    fn pace(&self, now: Instant) -> Option<Pace> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let measured = last.at.saturating_duration_since(first.at);
        let read = last.done - first.done;
        let silent = now.saturating_duration_since(last.at);
        if measured < MEASURED_AT_LEAST || silent > SILENT_AT_MOST || read == 0 {
            return None;
        }
        let per_second = read as f64 / measured.as_secs_f64();
        let (rate, per) = if per_second >= 1.0 {
            (per_second, Per::Second)
        } else {
            (per_second * 60.0, Per::Minute)
        };
        let minutes_left = self
            .total
            .filter(|total| *total > last.done)
            .map(|total| minutes((total - last.done) as f64 / per_second));
        Some(Pace {
            count: two_digits(rate),
            per,
            minutes_left,
        })
    }
}

/// The speed of every job that was heard of. One that waits or has ended has none, and after a pause it is measured anew:
/// the wait would count as slowness.
#[derive(Debug, Default)]
pub struct Paces {
    jobs: HashMap<JobId, Read>,
}

impl Paces {
    /// Takes in what a notice tells; `at` is when it came.
    pub fn hear(&mut self, notice: &Notice, at: Instant) {
        match notice {
            Notice::JobProgressed { job, done, total, .. } => {
                self.jobs.entry(job.clone()).or_default().take(*done, *total, at)
            }
            Notice::JobWaits { job, .. }
            | Notice::JobResumed { job, .. }
            | Notice::JobEnded { job, .. }
            | Notice::JobFailed { job, .. } => {
                self.jobs.remove(job);
            }
            Notice::ItemChanged(_)
            | Notice::IntegrationChanged(_)
            | Notice::WaitingForLock
            | Notice::OutOfDate
            | Notice::AskingVault
            | Notice::SignInsHeldChanged => {}
        }
    }

    /// The job's speed as of `now`; `None` while nothing honest can be said.
    pub fn of(&self, job: &JobId, now: Instant) -> Option<Pace> {
        self.jobs.get(job)?.pace(now)
    }
}

/// 183.4 → 180, 12.6 → 13, 7.4 → 7; never 0.
fn two_digits(rate: f64) -> u64 {
    let step = 10_f64.powf((rate.max(1.0).log10().floor() - 1.0).max(0.0));
    ((rate / step).round() * step).max(1.0) as u64
}

/// Rounded up: who plans with it must not be told too little.
fn minutes(secs: f64) -> u64 {
    if secs < 60.0 {
        0
    } else {
        (secs / 60.0).ceil() as u64
    }
}
