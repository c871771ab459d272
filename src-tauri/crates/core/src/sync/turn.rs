//! Whose turn it is: one process at a time acts on a data folder, the others wait for it.

use crate::error::CommandError;
use crate::ports::{LockGuard, Notice, Ports, StoreError};
use std::time::Duration;

/// How often a waiting process looks whether the lock is free.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The right to act on a data folder, until dropped.
pub struct Turn {
    _lock: LockGuard,
}

/// Waits for the sync lock, at most `limit`. Jobs that a dead process left open are ended as interrupted.
pub async fn take_turn(ports: &Ports, limit: Option<Duration>) -> Result<Turn, CommandError> {
    let lock = wait_for(ports, limit, || ports.locks.try_sync()).await?;
    ports.store.end_orphaned_jobs(ports.clock.now()).await?;
    Ok(Turn { _lock: lock })
}

/// Waits for the short lock around changes of credentials.
pub(crate) async fn take_credentials_turn(ports: &Ports) -> Result<Turn, CommandError> {
    let lock = wait_for(ports, None, || ports.locks.try_credentials()).await?;
    Ok(Turn { _lock: lock })
}

async fn wait_for(
    ports: &Ports,
    limit: Option<Duration>,
    try_lock: impl Fn() -> Result<Option<LockGuard>, StoreError>,
) -> Result<LockGuard, CommandError> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(lock) = try_lock()? {
            return Ok(lock);
        }
        if waited.is_zero() {
            ports.notices.notify(Notice::WaitingForLock);
        }
        if limit.is_some_and(|limit| waited >= limit) {
            return Err(CommandError::waiting(
                "Another TalkValue Sync works on this data folder and was not done in the time you gave. \
                 Nothing was changed; try again when it is done.",
            ));
        }
        ports.clock.sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
}
