//! Eventbrite's hourly limit: one window per token and one per API key, opened by the first call in it.

use std::collections::HashMap;

use jiff::Timestamp;

const WINDOW_SECS: i64 = 3_600;

#[derive(Clone, Copy, Debug)]
struct Window {
    opened: Timestamp,
    used: u64,
}

#[derive(Debug, Default)]
pub(super) struct Limiter {
    windows: HashMap<String, Window>,
}

/// One counter after a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    pub(super) used: u64,
    pub(super) reset_secs: i64,
}

impl Limiter {
    fn window(&mut self, name: &str, now: Timestamp) -> &mut Window {
        let fresh = Window { opened: now, used: 0 };
        let window = self.windows.entry(name.to_owned()).or_insert(fresh);
        if now.as_second() - window.opened.as_second() >= WINDOW_SECS {
            *window = fresh;
        }
        window
    }

    /// Counts one call; true if it is within the limit.
    pub(super) fn take(&mut self, name: &str, limit: u64, now: Timestamp) -> (bool, Counter) {
        let window = self.window(name, now);
        let allowed = window.used < limit;
        if allowed {
            window.used += 1;
        }
        let reset_secs = WINDOW_SECS - (now.as_second() - window.opened.as_second());
        (
            allowed,
            Counter {
                used: window.used.min(limit),
                reset_secs,
            },
        )
    }

    pub(super) fn exhaust(&mut self, name: &str, now: Timestamp) {
        self.window(name, now).used = u64::MAX;
    }
}
