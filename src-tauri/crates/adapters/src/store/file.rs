//! The open data file: when its seal comes off and goes on, what damage means, and that its log is emptied of people who
//! were erased.

use super::presence::Presence;
use super::{open, seal};
use crate::data_folder::DataFolder;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use talkvalue_core::ports::StoreError;

/// The open data file. Its fields end in their order: the connection is closed before others come in alone.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) connection: Mutex<Connection>,
    pub(super) presence: Presence,
    pub(super) folder: DataFolder,
    pub(super) mended: Option<String>,
    /// Set before the first write, when the seal comes off.
    pub(super) written: AtomicBool,
    /// Set when damage was met: the file is not sealed, so that the next start mends it.
    pub(super) damaged: AtomicBool,
    /// Set while people who were erased may still stand in the write-ahead log, because another program reads from it.
    pub(super) log_to_empty: AtomicBool,
}

impl OpenFile {
    pub(super) fn break_seal(&self) -> Result<(), open::Trouble> {
        if !self.written.load(Ordering::Acquire) {
            open::break_seal(&self.folder).map_err(open::Trouble::Store)?;
            self.written.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Runs `work` in one transaction that is committed if it succeeds.
    pub(super) fn write<T>(
        &self,
        connection: &mut Connection,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, open::Trouble> {
        self.break_seal()?;
        // IMMEDIATE: a writer waits for its turn at the start and never fails half-way.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    pub(super) fn met(&self, trouble: open::Trouble) -> StoreError {
        match trouble {
            open::Trouble::Store(error) => error,
            open::Trouble::Sqlite(error) => open::store_error(error),
            open::Trouble::Damaged | open::Trouble::Older => {
                // Nobody may write after this without the next start knowing of the damage.
                self.written.store(true, Ordering::Release);
                if !self.damaged.swap(true, Ordering::AcqRel) {
                    seal::mark_damaged(&self.folder);
                }
                open::damaged_while_open()
            }
        }
    }

    /// Whether nothing stands in the write-ahead log any more. Else it is tried again after whatever is done next.
    pub(super) fn empty_log(&self, connection: &Connection, patience: Duration) -> bool {
        let empty = matches!(open::empty_write_ahead_log(connection, patience), Ok(true));
        self.log_to_empty.store(!empty, Ordering::Release);
        empty
    }

    /// Seals the file if nobody else has it open; nobody comes in until [`Presence::share`] or the end.
    pub(super) fn seal(&self, connection: &Connection) {
        if self.damaged.load(Ordering::Acquire) || !self.presence.is_last() || seal::is_on(&self.folder) {
            return;
        }
        if self.empty_log(connection, open::PATIENCE_WITH_OTHERS) && seal::put_on(&self.folder).is_ok() {
            // Should a write come after all, it takes the seal off again.
            self.written.store(false, Ordering::Release);
        } else {
            tracing::warn!("the data file was closed without a seal: the next start checks all of it");
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.seal(&connection);
    }
}
