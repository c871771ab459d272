//! The stored lists, read while the page is still being loaded: it will ask for them first of all. Good once, until
//! anything happens to them.

use std::sync::{Arc, Mutex, PoisonError};

use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Notice, Notices, Ports};
use talkvalue_core::query::{self, ItemView};
use tokio::task::JoinHandle;

use crate::ipc::notices::Push;

type Reading = JoinHandle<Result<Vec<ItemView>, CommandError>>;

/// Hears every notice before the window does, so that nothing read before it is answered after it.
#[derive(Clone)]
pub(crate) struct FirstList {
    push: Push,
    reading: Arc<Mutex<Option<Reading>>>,
}

impl FirstList {
    pub(crate) fn new(push: Push) -> Self {
        Self {
            push,
            reading: Arc::default(),
        }
    }

    pub(crate) fn begin(&self, ports: Ports, engine: EngineView) {
        let reading = tokio::spawn(async move { query::items(&ports, engine).await });
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    /// The lists, if they were read ahead and nothing has happened since.
    pub(crate) async fn take(&self) -> Option<Vec<ItemView>> {
        let reading = self
            .reading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        reading.await.ok()?.ok()
    }
}

impl Notices for FirstList {
    fn notify(&self, notice: Notice) {
        drop(self.reading.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.push.notify(notice);
    }
}
