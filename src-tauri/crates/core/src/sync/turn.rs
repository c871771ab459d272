//! Whose turn it is: one process at a time acts on a data folder, the others wait for it.

use crate::domain::ids::{FeedId, ItemId};
use crate::error::CommandError;
use crate::ports::{LockGuard, Notice, Ports, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// How often a waiting process looks whether the lock is free.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A reader that looks at the lock holds it for a moment: that is no reason to speak of waiting, or to give up.
pub(super) const READERS_GRACE: Duration = Duration::from_millis(200);

/// The right to act on a data folder, until dropped. A process that runs several jobs shares one among them.
pub struct Turn {
    /// Never looked at; the mutex lets jobs on several threads share the turn.
    _lock: Mutex<LockGuard>,
    claimed: Arc<Mutex<HashSet<ItemId>>>,
    feeds: FeedLocks,
    queues: FeedLocks,
}

/// One at a time per feed: jobs of several items may want the same one.
#[derive(Clone, Default)]
pub(crate) struct FeedLocks(Arc<Mutex<HashMap<FeedId, Arc<AsyncMutex<()>>>>>);

impl FeedLocks {
    /// Waits until nobody else has the feed, and keeps others waiting until the answer is dropped.
    pub(crate) async fn lock(&self, feed: &FeedId) -> OwnedMutexGuard<()> {
        self.of(feed).lock_owned().await
    }

    /// The same, unless somebody has the feed now.
    pub(crate) fn try_lock(&self, feed: &FeedId) -> Option<OwnedMutexGuard<()>> {
        self.of(feed).try_lock_owned().ok()
    }

    fn of(&self, feed: &FeedId) -> Arc<AsyncMutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(feed.clone()).or_default().clone()
    }
}

impl Turn {
    fn over(lock: LockGuard) -> Self {
        Self {
            _lock: Mutex::new(lock),
            claimed: Arc::default(),
            feeds: FeedLocks::default(),
            queues: FeedLocks::default(),
        }
    }

    /// One walker per feed, among all jobs of this turn.
    pub(crate) fn feeds(&self) -> &FeedLocks {
        &self.feeds
    }

    /// Jobs whose own feed is the same one, before they ask for anything else. Who waits here keeps nobody waiting.
    pub(crate) fn queues(&self) -> &FeedLocks {
        &self.queues
    }

    /// Claims an item for one job. `None` while another job of this turn works on it.
    pub(crate) fn claim(&self, item: &ItemId) -> Option<Claim> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.insert(item.clone()).then(|| Claim {
            item: item.clone(),
            claimed: self.claimed.clone(),
        })
    }
}

/// One job's hold on its item, until dropped.
pub(crate) struct Claim {
    item: ItemId,
    claimed: Arc<Mutex<HashSet<ItemId>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.remove(&self.item);
    }
}

/// Waits for the sync lock, at most `limit`. Jobs that a dead process left open are ended as interrupted.
pub async fn take_turn(ports: &Ports, limit: Option<Duration>) -> Result<Turn, CommandError> {
    let Some(lock) = wait_for(ports, limit, || ports.locks.try_sync()).await? else {
        return Err(CommandError::waiting(
            "Another TalkValue Sync works on this data folder and was not done in the time you gave. \
             Nothing was changed; try again when it is done.",
        ));
    };
    ports.store.end_orphaned_jobs(ports.clock.now()).await?;
    Ok(Turn::over(lock))
}

/// Takes the sync lock if nobody holds it.
pub(crate) async fn try_turn(ports: &Ports) -> Result<Option<Turn>, CommandError> {
    let Some(lock) = ports.locks.try_sync()? else {
        return Ok(None);
    };
    ports.store.end_orphaned_jobs(ports.clock.now()).await?;
    Ok(Some(Turn::over(lock)))
}

/// Waits for the short lock around changes of credentials, however long that takes.
pub(crate) async fn take_credentials_turn(ports: &Ports) -> Result<LockGuard, StoreError> {
    loop {
        if let Some(lock) = wait_for(ports, None, || ports.locks.try_credentials()).await? {
            return Ok(lock);
        }
    }
}

/// `None` when the time is up.
async fn wait_for(
    ports: &Ports,
    limit: Option<Duration>,
    try_lock: impl Fn() -> Result<Option<LockGuard>, StoreError>,
) -> Result<Option<LockGuard>, StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(lock) = try_lock()? {
            return Ok(Some(lock));
        }
        if waited == READERS_GRACE {
            ports.notices.notify(Notice::WaitingForLock);
        }
        if waited >= READERS_GRACE && limit.is_some_and(|limit| waited >= limit) {
            return Ok(None);
        }
        ports.clock.sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
}
