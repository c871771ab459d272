//! The door of one simulated provider: what every request passes before and after it is answered.
//!
//! Owns faults on demand, latency, pause points, hooks between pages, the countdowns ("from the n-th
//! request on …") and the request journal. Does not know what a request means: that is the provider's
//! part. Both handles dereference to [`Door`], so `eventbrite.fails_next(1, Fault::Reset)` reads as it should.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;

use crate::clock::SandboxClock;
use crate::fault::Fault;
use crate::lock;

/// The journal keeps this many requests; older ones are forgotten (the count goes on).
const JOURNAL_LIMIT: usize = 20_000;

/// One request as the server saw it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestRecord {
    /// By the sandbox's clock, on arrival.
    pub at: Timestamp,
    /// `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark, undecoded; empty when there is none.
    pub query: String,
    /// The token or key sent, if any.
    pub credential: Option<String>,
    /// The status answered; 0 while unanswered, and for ever if reset or hung.
    pub status: u16,
    /// `host`, `user-agent`, `accept`, `accept-encoding`, `content-type` and `cookie`, as far as sent.
    pub headers: Vec<(String, String)>,
    #[serde(skip)]
    number: u64,
}

/// For a request that is to be held. Tests that wait for one that never comes end with a reason.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// A request that is held before it is answered, see [`Door::pause_at`].
///
/// Dropping it lets the request go on.
#[must_use = "dropping a pause point releases it"]
#[derive(Debug)]
pub struct PausePoint(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    reached: watch::Sender<bool>,
    released: watch::Sender<bool>,
}

impl PausePoint {
    /// Waits until the request has arrived and is held.
    ///
    /// # Panics
    ///
    /// After two minutes: whoever was to send that request never did.
    pub async fn reached(&self) {
        let mut reached = self.0.reached.subscribe();
        // The sender lives in the gate that `self` holds, so waiting itself cannot fail.
        let held = tokio::time::timeout(LONGEST_WAIT, reached.wait_for(|reached| *reached)).await;
        assert!(
            held.is_ok(),
            "the request that was to be held has not come within {LONGEST_WAIT:?}"
        );
    }

    /// Whether the request is being held (or was, before it was released).
    #[must_use]
    pub fn is_reached(&self) -> bool {
        *self.0.reached.borrow()
    }

    /// Lets the request be answered.
    pub fn release(&self) {
        self.0.released.send_replace(true);
    }
}

impl Drop for PausePoint {
    fn drop(&mut self) {
        self.release();
    }
}

/// A gate that a request has to stop at.
pub(crate) struct Held(Arc<Gate>);

impl Held {
    pub(crate) async fn wait(self) {
        self.0.reached.send_replace(true);
        let _ = self.0.released.subscribe().wait_for(|released| *released).await;
    }
}

struct Rule {
    /// Matching requests to let through first.
    skip: u64,
    /// How often it still strikes; for ever when absent.
    times: Option<u64>,
    path_contains: Option<String>,
    fault: Fault,
}

struct WalkHook {
    pages_left: u64,
    run: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    latency: Duration,
    pauses: Vec<(u64, Arc<Gate>)>,
    hooks: Vec<WalkHook>,
    revoke_after: Option<u64>,
    exhaust_after: Option<u64>,
    unlimited: bool,
    journal: VecDeque<RequestRecord>,
    count: u64,
    next_number: u64,
}

/// What the door decided about a request on its arrival.
pub(crate) struct Admission {
    pub(crate) number: u64,
    pub(crate) fault: Option<Fault>,
    pub(crate) held: Vec<Held>,
    pub(crate) latency: Duration,
    pub(crate) revoke_all: bool,
    pub(crate) exhaust_limiter: bool,
    pub(crate) unlimited: bool,
}

/// What a request looks like to the door.
pub(crate) struct Arrival {
    pub(crate) record: RequestRecord,
    pub(crate) has_cursor: bool,
}

impl Arrival {
    pub(crate) fn new(
        at: Timestamp,
        method: String,
        path: String,
        query: String,
        credential: Option<String>,
        headers: Vec<(String, String)>,
        has_cursor: bool,
    ) -> Self {
        let record = RequestRecord {
            at,
            method,
            path,
            query,
            credential,
            status: 0,
            headers,
            number: 0,
        };
        Self { record, has_cursor }
    }
}

/// Faults, pace and journal of one provider. All methods are synchronous and take effect at once.
pub struct Door {
    clock: SandboxClock,
    state: Mutex<State>,
}

impl Door {
    pub(crate) fn new(clock: SandboxClock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// The clock of this sandbox.
    #[must_use]
    pub fn clock(&self) -> &SandboxClock {
        &self.clock
    }

    /// The next `times` requests meet `fault`. Several calls queue up.
    pub fn fails_next(&self, times: u64, fault: Fault) {
        self.add_rule(0, Some(times), None, fault);
    }

    /// Every request meets `fault` until [`Self::clears_faults`].
    pub fn fails_always(&self, fault: Fault) {
        self.add_rule(0, None, None, fault);
    }

    /// After `requests_let_through` more requests, every request meets `fault` until cleared.
    pub fn fails_after(&self, requests_let_through: u64, fault: Fault) {
        self.add_rule(requests_let_through, None, None, fault);
    }

    /// After `requests_let_through` more requests, one meets `fault`.
    pub fn fails_once_after(&self, requests_let_through: u64, fault: Fault) {
        self.add_rule(requests_let_through, Some(1), None, fault);
    }

    /// Requests whose path and query contain `path_contains` meet `fault` until cleared.
    pub fn fails_path(&self, path_contains: impl Into<String>, fault: Fault) {
        self.add_rule(0, None, Some(path_contains.into()), fault);
    }

    /// The next `times` requests whose path and query contain `path_contains` meet `fault`.
    pub fn fails_path_next(&self, path_contains: impl Into<String>, times: u64, fault: Fault) {
        self.add_rule(0, Some(times), Some(path_contains.into()), fault);
    }

    /// No faults any more; also ends a pending [`Self::rate_limits_next`]. Latency, pauses and hooks stay.
    pub fn clears_faults(&self) {
        lock(&self.state).rules.clear();
    }

    /// The next `times` requests are answered 429, whatever the real limiter says.
    pub fn rate_limits_next(&self, times: u64, retry_after_secs: Option<u64>) {
        self.fails_next(times, Fault::RateLimited { retry_after_secs });
    }

    /// The real limiter is used up after `requests` more requests: it answers as documented until its
    /// window has passed by the sandbox's clock.
    pub fn rate_limits_after(&self, requests: u64) {
        lock(&self.state).exhaust_after = Some(requests);
    }

    /// No rate limit at all, from now on.
    pub fn unlimited(&self) {
        lock(&self.state).unlimited = true;
    }

    /// Every request takes this much longer, in real time.
    pub fn latency(&self, latency: Duration) {
        lock(&self.state).latency = latency;
    }

    /// Every credential of this provider is revoked once `requests` more requests have been answered.
    pub fn revokes_after(&self, requests: u64) {
        lock(&self.state).revoke_after = Some(requests);
    }

    /// Holds the `further`-th further request (1 = the next) before it is answered.
    pub fn pause_at(&self, further: u64) -> PausePoint {
        let gate = Arc::new(Gate {
            reached: watch::Sender::new(false),
            released: watch::Sender::new(false),
        });
        lock(&self.state).pauses.push((further.max(1), Arc::clone(&gate)));
        PausePoint(gate)
    }

    /// The requests seen since the start or the last [`Self::clears_requests`], oldest first (the latest
    /// 20,000 of them).
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.state).journal.iter().cloned().collect()
    }

    /// The last `limit` requests, newest first.
    #[must_use]
    pub fn recent_requests(&self, limit: usize) -> Vec<RequestRecord> {
        lock(&self.state)
            .journal
            .iter()
            .rev()
            .take(limit)
            .cloned()
            .collect()
    }

    /// How many requests were seen, forgotten ones included.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        lock(&self.state).count
    }

    /// Empties the journal and sets its count to zero.
    pub fn clears_requests(&self) {
        let mut state = lock(&self.state);
        state.journal.clear();
        state.count = 0;
    }

    /// A short list of the faults that are set, for people.
    #[must_use]
    pub fn faults_set(&self) -> Vec<String> {
        let state = lock(&self.state);
        state
            .rules
            .iter()
            .map(|rule| {
                let times = rule
                    .times
                    .map_or("always".to_owned(), |times| format!("{times} times"));
                let place = rule
                    .path_contains
                    .as_ref()
                    .map(|part| format!(" on {part}"))
                    .unwrap_or_default();
                let later = if rule.skip > 0 {
                    format!(" after {} requests", rule.skip)
                } else {
                    String::new()
                };
                format!("{:?} {times}{place}{later}", rule.fault)
            })
            .collect()
    }

    pub(crate) fn after_pages(&self, pages: u64, run: Box<dyn FnOnce() + Send>) {
        lock(&self.state).hooks.push(WalkHook {
            pages_left: pages,
            run,
        });
    }

    fn add_rule(&self, skip: u64, times: Option<u64>, path_contains: Option<String>, fault: Fault) {
        lock(&self.state).rules.push(Rule {
            skip,
            times,
            path_contains,
            fault,
        });
    }

    pub(crate) fn arrives(&self, arrival: Arrival) -> Admission {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let fault = struck_by(&mut state.rules, &arrival);
        let mut held = Vec::new();
        state.pauses.retain_mut(|(left, gate)| {
            *left -= 1;
            if *left == 0 {
                held.push(Held(Arc::clone(gate)));
            }
            *left > 0
        });
        let revoke_all = comes_due(&mut state.revoke_after);
        let exhaust_limiter = comes_due(&mut state.exhaust_after);
        let number = state.next_number;
        state.next_number += 1;
        state.count += 1;
        if state.journal.len() == JOURNAL_LIMIT {
            state.journal.pop_front();
        }
        state.journal.push_back(RequestRecord {
            number,
            ..arrival.record
        });
        Admission {
            number,
            fault,
            held,
            latency: state.latency,
            revoke_all,
            exhaust_limiter,
            unlimited: state.unlimited,
        }
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut state = lock(&self.state);
        if let Some(record) = state
            .journal
            .iter_mut()
            .rev()
            .find(|record| record.number == number)
        {
            record.status = status;
        }
    }

    /// Runs the hooks that wait for no more pages. Called without any lock held: a hook uses the handle.
    pub(crate) fn before_page(&self) {
        self.run_due_hooks(0);
    }

    /// Counts one page of registrations and runs the hooks that waited for it.
    pub(crate) fn after_page(&self) {
        self.run_due_hooks(1);
    }

    fn run_due_hooks(&self, pages: u64) {
        let mut due = Vec::new();
        {
            let mut state = lock(&self.state);
            let waiting = std::mem::take(&mut state.hooks);
            for mut hook in waiting {
                hook.pages_left = hook.pages_left.saturating_sub(pages);
                if hook.pages_left == 0 {
                    due.push(hook.run);
                } else {
                    state.hooks.push(hook);
                }
            }
        }
        for run in due {
            run();
        }
    }
}

/// True once, when the countdown stands at zero.
fn comes_due(countdown: &mut Option<u64>) -> bool {
    match countdown {
        Some(0) => {
            *countdown = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

/// The rule that strikes this request: counted ones in the order they were set, then standing ones, newest
/// first. Every rule that matches counts the request down, whichever strikes.
fn struck_by(rules: &mut Vec<Rule>, arrival: &Arrival) -> Option<Fault> {
    let place = format!("{}?{}", arrival.record.path, arrival.record.query);
    let mut ready = Vec::new();
    for (index, rule) in rules.iter_mut().enumerate() {
        let matches = rule
            .path_contains
            .as_ref()
            .is_none_or(|part| place.contains(part.as_str()))
            && (arrival.has_cursor || rule.fault != Fault::BadContinuation);
        if !matches {
            continue;
        }
        if rule.skip > 0 {
            rule.skip -= 1;
        } else if rule.times != Some(0) {
            ready.push(index);
        }
    }
    let counted = ready.iter().copied().find(|index| rules[*index].times.is_some());
    let index = counted.or_else(|| ready.last().copied())?;
    let fault = rules[index].fault.clone();
    if let Some(times) = &mut rules[index].times {
        *times -= 1;
        if *times == 0 {
            rules.remove(index);
        }
    }
    Some(fault)
}
