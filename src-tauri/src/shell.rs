//! What commands find behind them: the opened data folder, or the reason why there is none.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::error::CommandError;
use tokio::sync::Mutex;
use tracing::{error, warn};

use crate::desk::Desk;
use crate::ipc::notices::Push;
use crate::quit::Quitting;
use crate::sign_in::SignInDesk;
use crate::world::World;

/// A person who closed the window waits no longer for it to go.
const LONGEST_SETTLING: Duration = Duration::from_secs(2);

/// Managed by the app, one per process.
pub(crate) struct Shell {
    pub(crate) world: World,
    pub(crate) push: Push,
    pub(crate) sign_ins: Arc<SignInDesk>,
    pub(crate) quitting: Quitting,
    opened: Mutex<Opened>,
    /// The desk, for whoever cannot wait.
    ready: OnceLock<Arc<Desk>>,
}

enum Opened {
    NotYet,
    Ready(Arc<Desk>),
    /// Every command answers with it until opening succeeds.
    Failed(CommandError),
}

impl Shell {
    pub(crate) fn new(world: World, push: Push) -> Self {
        Self {
            world,
            push,
            sign_ins: Arc::default(),
            quitting: Quitting::default(),
            opened: Mutex::new(Opened::NotYet),
            ready: OnceLock::new(),
        }
    }

    /// The desk, opening it if nobody has yet. Commands that come meanwhile wait for the same opening.
    pub(crate) async fn desk(&self) -> Result<Arc<Desk>, CommandError> {
        let mut opened = self.opened.lock().await;
        if let Opened::NotYet = *opened {
            *opened = self.open().await;
        }
        opened.answer()
    }

    /// The desk, trying once more where opening it failed before: a person may have mended the cause.
    pub(crate) async fn desk_again(&self) -> Result<Arc<Desk>, CommandError> {
        let mut opened = self.opened.lock().await;
        if !matches!(*opened, Opened::Ready(_)) {
            *opened = self.open().await;
        }
        opened.answer()
    }

    /// The desk, if it is open already.
    pub(crate) fn opened_desk(&self) -> Option<Arc<Desk>> {
        self.ready.get().cloned()
    }

    /// Leaves the data folder as a clean end does, although work in the background may still hold it. Called once, when
    /// the last window is closed.
    pub(crate) async fn settle(&self) {
        self.sign_ins.settle().await;
        // A folder that is just being opened has nothing to settle.
        let Ok(opened) = self.opened.try_lock() else {
            return;
        };
        let Opened::Ready(desk) = &*opened else {
            return;
        };
        // First, so that it begins no renewal that the end would cut off.
        if tokio::time::timeout(LONGEST_SETTLING, desk.stop()).await.is_err() {
            warn!("the engine did not stop in time");
        }
        connect::settle_sign_ins(&desk.ports).await;
        if tokio::time::timeout(LONGEST_SETTLING, desk.ports.store.settle())
            .await
            .is_err()
        {
            warn!("the data file was still in use at the end: the next start checks all of it");
        }
    }

    async fn open(&self) -> Opened {
        let (open_ports, notices) = (self.world.open_ports.clone(), Arc::new(self.push.clone()));
        let result = tokio::task::spawn_blocking(move || open_ports(notices))
            .await
            .unwrap_or_else(|_| {
                Err(CommandError::failure(
                    FailureCode::StorageFailed,
                    "The data folder could not be opened: this app made a mistake.",
                ))
            });
        match result {
            Ok(ports) => {
                let desk = Arc::new(Desk::new(ports));
                // Opened once: a desk that is ready stays.
                Opened::Ready(self.ready.get_or_init(|| desk).clone())
            }
            Err(failure) => {
                error!(code = failure.code.code(), "the data folder cannot be used");
                Opened::Failed(failure)
            }
        }
    }
}

impl Opened {
    fn answer(&self) -> Result<Arc<Desk>, CommandError> {
        match self {
            Opened::Ready(desk) => Ok(desk.clone()),
            Opened::Failed(failure) => Err(failure.clone()),
            Opened::NotYet => Err(CommandError::failure(
                FailureCode::StorageFailed,
                "The data folder is not open yet.",
            )),
        }
    }
}
