//! The opened data folder, and what works on it while the window is open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use talkvalue_core::connect::keep_signed_in;
use talkvalue_core::ports::{Patience, Ports};
use talkvalue_core::query::ItemView;
use talkvalue_core::query::attendee_list::AttendeeLists;
use talkvalue_core::sync::engine::EngineOptions;
use talkvalue_core::sync::live::keep_live;
use talkvalue_core::sync::opened::Begun;
use talkvalue_core::sync::runner::Runner;
use talkvalue_core::sync::turn::Turn;
use tokio::task::JoinHandle;

/// How long a click waits for a provider's request limit; jobs wait as long as it takes.
const PATIENCE_WITH_LIMITS: Duration = Duration::from_secs(10);

/// One opened data folder.
pub(crate) struct Desk {
    pub(crate) ports: Ports,
    pub(crate) lists: AttendeeLists,
    pub(crate) runner: Arc<Runner>,
    /// What keeps the lists live and the accounts signed in, once it has begun.
    live: Mutex<Option<JoinHandle<()>>>,
}

/// For calls that a person waits for in front of the window.
pub(crate) fn while_waiting() -> EngineOptions {
    EngineOptions {
        wait_limit: Some(PATIENCE_WITH_LIMITS),
        patience: Patience::PersonAsked,
    }
}

/// For calls that nobody asked for in so many words: no prompt is waited for.
pub(crate) fn in_passing() -> EngineOptions {
    EngineOptions {
        wait_limit: Some(Duration::ZERO),
        patience: Patience::Background,
    }
}

/// For jobs that a person started and that go on by themselves.
pub(crate) fn until_done() -> EngineOptions {
    EngineOptions {
        wait_limit: None,
        patience: Patience::PersonAsked,
    }
}

impl Desk {
    pub(crate) fn new(ports: Ports) -> Self {
        ports.sign_ins.keep_without_keychain();
        let runner = Arc::new(Runner::new(ports.clone()));
        Self {
            ports,
            lists: AttendeeLists::default(),
            runner,
            live: Mutex::default(),
        }
    }

    /// Begins to keep the lists live and the accounts signed in, if it has not begun yet.
    pub(crate) fn keep_live(&self) {
        self.live().get_or_insert_with(|| {
            let (lists, accounts) = (keep_live(self.runner.clone()), keep_signed_in(self.ports.clone()));
            tokio::spawn(async move {
                tokio::join!(lists, accounts);
            })
        });
    }

    /// Ends what keeps the lists live: nothing is written by itself any more. What it was reading goes on with the next
    /// start.
    pub(crate) async fn stop(&self) {
        let live = self.live().take();
        if let Some(live) = live {
            live.abort();
            // An error says that it was stopped.
            let _ = live.await;
        }
    }

    fn live(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the job go on after its command has answered, and answers with the item as it is now.
    pub(crate) fn run_in_background(&self, turn: Arc<Turn>, begun: Begun) -> ItemView {
        self.runner.run_in_background(turn, begun, until_done())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(live) = self.live().take() {
            live.abort();
        }
    }
}
