//! Who has the data file open. Every open store holds this lock shared; whoever holds it alone knows that nobody else
//! has the file, and may check it, bring it up to date, seal it or set it aside. The OS frees it when a process dies.

use super::open::BUSY_TIMEOUT;
use crate::data_folder::{DataFolder, plain_reason};
use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};
use talkvalue_core::ports::StoreError;

const NAME: &str = "open.lock";
/// Between two looks at a lock that another process holds alone while it opens or closes the file.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Presence {
    file: File,
}

impl Presence {
    /// Comes in: alone (`true`) if nobody has the file open, else beside those who have.
    pub(super) fn enter(folder: &DataFolder) -> Result<(Self, bool), StoreError> {
        let file = folder.open_private(NAME).map_err(|error| unusable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok((Self { file }, true)),
            Err(TryLockError::WouldBlock) => {
                let presence = Self { file };
                presence.join()?;
                Ok((presence, false))
            }
            Err(TryLockError::Error(error)) => Err(unusable(&error)),
        }
    }

    /// Lets others in after having been alone.
    pub(super) fn share(&self) -> Result<(), StoreError> {
        self.let_go();
        self.join()
    }

    /// On the way out: whether nobody else has the file open, and nobody comes in until this is dropped.
    pub(super) fn is_last(&self) -> bool {
        self.let_go();
        self.file.try_lock().is_ok()
    }

    /// A held lock cannot be turned into another one on every system. Should it not have been let go, the next lock
    /// says so; Wine calls the letting go itself a violation, though it is done.
    fn let_go(&self) {
        let _ = self.file.unlock();
    }

    fn join(&self) -> Result<(), StoreError> {
        let since = Instant::now();
        loop {
            match self.file.try_lock_shared() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(unusable(&error)),
                Err(TryLockError::WouldBlock) if since.elapsed() >= BUSY_TIMEOUT => {
                    return Err(StoreError::Unusable(
                        "Another TalkValue Sync is checking the data file and is not done yet. Nothing was changed; \
                         try again in a moment."
                            .to_owned(),
                    ));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }
}

fn unusable(error: &io::Error) -> StoreError {
    StoreError::Unusable(format!(
        "The lock file {NAME} in the data folder cannot be used: {}.",
        plain_reason(error)
    ))
}
