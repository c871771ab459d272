//! Taking a whole provider off the network and back. Owns the wait until the port is really closed or open.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::http::Listening;

/// The name of the threads that serve.
pub(crate) const WORKER_NAME: &str = "sandbox-worker";

#[derive(Clone)]
pub(crate) struct Outage {
    wanted: watch::Sender<Listening>,
    actual: watch::Receiver<Listening>,
}

impl Outage {
    pub(crate) fn new(wanted: watch::Sender<Listening>, actual: watch::Receiver<Listening>) -> Self {
        Self { wanted, actual }
    }

    /// Returns once the server has followed. The servers run on threads of their own, so a blocked caller
    /// cannot keep them from following; a stopped sandbox never follows, hence the limit.
    pub(crate) fn set(&self, state: Listening) {
        self.wanted.send_replace(state);
        if std::thread::current().name() == Some(WORKER_NAME) {
            // Called from a hook or the control page: the server may be waiting for this very thread.
            tokio::task::block_in_place(|| self.wait_for(state));
        } else {
            self.wait_for(state);
        }
    }

    fn wait_for(&self, state: Listening) {
        let started = Instant::now();
        while *self.actual.borrow() != state && started.elapsed() < Duration::from_secs(2) {
            std::thread::yield_now();
        }
    }
}
