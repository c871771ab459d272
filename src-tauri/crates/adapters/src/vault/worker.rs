//! The thread that talks to the keychain, and what happens when it does not come back.

use super::OpenStore;
use keyring::{CredentialStore, Error};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::warn;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A connection that is opened when first needed, and anew after it broke.
struct Connection {
    open: Arc<OpenStore>,
    store: Option<Arc<CredentialStore>>,
}

impl Connection {
    fn get(&mut self) -> Result<Arc<CredentialStore>, Error> {
        match &self.store {
            Some(store) => Ok(store.clone()),
            None => {
                let store = (self.open)()?;
                self.store = Some(store.clone());
                Ok(store)
            }
        }
    }
}

pub(super) enum CallFailed {
    Opening(Error),
    TookTooLong,
    /// Earlier calls still hang; no further thread is spent on it.
    AllHang,
}

pub(super) struct Worker {
    open: Arc<OpenStore>,
    most_abandoned: usize,
    /// Threads that a call past its deadline left behind and that have not come back.
    abandoned: Arc<AtomicUsize>,
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    /// One call at a time: keychains misorder parallel calls (keyring's own caveats).
    turn: tokio::sync::Mutex<()>,
}

impl Worker {
    pub(super) fn new(open: Arc<OpenStore>, most_abandoned: usize) -> Self {
        Self {
            open,
            most_abandoned,
            abandoned: Arc::new(AtomicUsize::new(0)),
            queue: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Makes one call within `deadline`, its wait for an earlier one included. `work` answers `Err` when the connection itself failed: then a fresh one is
    /// opened and the call made once more.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl Fn(&CredentialStore) -> Result<T, T> + Send + 'static,
    ) -> Result<T, CallFailed> {
        let end = Instant::now() + deadline;
        // Somebody may be asked for a password at this moment, for much longer than this call has.
        let Ok(_turn) = tokio::time::timeout_at(end, self.turn.lock()).await else {
            return Err(CallFailed::TookTooLong);
        };
        if self.abandoned.load(Ordering::Acquire) >= self.most_abandoned {
            return Err(CallFailed::AllHang);
        }
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(move |connection| {
            // Nobody may listen any more: the deadline passed.
            let _ = reply.send(attempt(connection, &work));
        }));
        match tokio::time::timeout_at(end, answer).await {
            Ok(Ok(result)) => result.map_err(CallFailed::Opening),
            Ok(Err(_)) => {
                // The thread died of a panic in a store; the next call gets a new one.
                self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(CallFailed::TookTooLong)
            }
            Err(_) => {
                warn!(
                    deadline_ms = deadline.as_millis() as u64,
                    "the keychain did not answer in time"
                );
                self.abandon();
                Err(CallFailed::TookTooLong)
            }
        }
    }

    fn send(&self, job: Job) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match queue.as_ref() {
            None => job,
            Some(sender) => match sender.send(job) {
                Ok(()) => return,
                Err(mpsc::SendError(job)) => job,
            },
        };
        let sender = self.start();
        // A new thread listens until its sender is dropped.
        let _ = sender.send(job);
        *queue = Some(sender);
    }

    fn start(&self) -> mpsc::Sender<Job> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let open = self.open.clone();
        let spawned = std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || {
                let mut connection = Connection { open, store: None };
                while let Ok(job) = jobs.recv() {
                    job(&mut connection);
                }
            });
        if spawned.is_err() {
            warn!("no thread could be started for the keychain");
        }
        sender
    }

    /// Leaves the hanging thread to itself; it is counted until its call returns.
    fn abandon(&self) {
        let Some(sender) = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        self.abandoned.fetch_add(1, Ordering::AcqRel);
        let abandoned = self.abandoned.clone();
        let returned: Job = Box::new(move |_| {
            abandoned.fetch_sub(1, Ordering::AcqRel);
        });
        if sender.send(returned).is_err() {
            self.abandoned.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// One call, and once more over a fresh connection where the first one failed.
fn attempt<T>(
    connection: &mut Connection,
    work: &impl Fn(&CredentialStore) -> Result<T, T>,
) -> Result<T, Error> {
    let had_one = connection.store.is_some();
    let store = connection.get()?;
    match work(store.as_ref()) {
        Ok(value) => Ok(value),
        Err(value) => {
            connection.store = None;
            if !had_one {
                return Ok(value);
            }
            let store = connection.get()?;
            match work(store.as_ref()) {
                Ok(value) => Ok(value),
                Err(value) => {
                    connection.store = None;
                    Ok(value)
                }
            }
        }
    }
}
