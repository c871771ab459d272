//! The data folder: made private to its owner, with one lock file that decides who syncs and one around changes of
//! credentials. The OS frees both when their process dies.

use async_trait::async_trait;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use talkvalue_core::ports::{LockGuard, Locks, StoreError};

const SYNC_LOCK: &str = "sync.lock";
const CREDENTIALS_LOCK: &str = "credentials.lock";
const UNSAVED_LOCK: &str = "unsaved.lock";

/// An existing, writable folder that only its owner can read.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// Opens the folder, making it if needed. Chooses no other place when it cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |error: io::Error| {
            StoreError::Unusable(format!(
                "The data folder {} cannot be used: {}. Make it writable for you, or name another with --data-dir.",
                path.display(),
                plain_reason(&error)
            ))
        };
        if path.as_os_str().is_empty() {
            return Err(StoreError::Unusable(
                "The data folder has no name. Name one with --data-dir.".to_owned(),
            ));
        }
        if !path.is_dir() {
            make_private_folder(path).map_err(unusable)?;
        }
        let folder = Self {
            path: path.to_path_buf(),
        };
        // Proves that the folder can be written to before anything depends on it.
        folder.open_private(SYNC_LOCK).map_err(unusable)?;
        folder.open_private(CREDENTIALS_LOCK).map_err(unusable)?;
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens or makes a file in the folder that only the owner can read.
    pub fn open_private(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        options.open(self.path.join(name))
    }

    /// Replaces a file as a whole: whoever reads it, also after a power cut, finds the old bytes or the new ones.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = format!("{name}.new");
        let mut file = self.open_private(&new)?;
        file.set_len(0)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(self.path.join(&new), self.path.join(name))
    }

    /// Makes durable which files the folder has.
    pub(crate) fn sync(&self) -> io::Result<()> {
        // Elsewhere a folder cannot be opened as a file, and its changes are journalled by the file system.
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }

    fn try_lock(&self, name: &str) -> Result<Option<LockGuard>, StoreError> {
        let unusable = |error| self.unusable_lock(name, &error);
        let file = self.open_private(name).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(LockGuard(Box::new(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    fn unusable_lock(&self, name: &str, error: &io::Error) -> StoreError {
        StoreError::Unusable(format!(
            "The lock file {} cannot be used: {}.",
            self.path.join(name).display(),
            plain_reason(error)
        ))
    }
}

#[async_trait]
impl Locks for DataFolder {
    fn try_sync(&self) -> Result<Option<LockGuard>, StoreError> {
        self.try_lock(SYNC_LOCK)
    }

    fn sync_is_held(&self) -> bool {
        // A shared lock is refused only while somebody holds the exclusive one, and several readers may ask at once.
        let Ok(file) = self.open_private(SYNC_LOCK) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    fn try_credentials(&self) -> Result<Option<LockGuard>, StoreError> {
        self.try_lock(CREDENTIALS_LOCK)
    }

    fn say_unsaved(&self) -> Result<LockGuard, StoreError> {
        let unusable = |error| self.unusable_lock(UNSAVED_LOCK, &error);
        let file = self.open_private(UNSAVED_LOCK).map_err(unusable)?;
        // Whoever looks holds it for a moment.
        file.lock_shared().map_err(unusable)?;
        Ok(LockGuard(Box::new(file)))
    }

    fn somebody_has_unsaved(&self) -> bool {
        !matches!(self.try_lock(UNSAVED_LOCK), Ok(Some(_)))
    }
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// The OS's reason without its number.
pub(crate) fn plain_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "it may not be written to".to_owned(),
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "it lies on a read-only disk".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "there is a file of that name".to_owned()
        }
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
