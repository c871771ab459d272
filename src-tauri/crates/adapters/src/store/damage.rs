//! A damaged data file is set aside, never deleted, and a new one takes its place, with the accounts and lists of the
//! copy beside it. The caller is alone with the file.

use super::open::{self, FILE_NAME};
use super::{local_facts, migrate, seal};
use crate::data_folder::{DataFolder, plain_reason};
use jiff::Timestamp;
use std::path::Path;
use std::{fs, io};
use talkvalue_core::ports::{Locks, StoreError};

const ASIDE: &str = "talkvalue.damaged-";
const NEW: &str = "talkvalue.new.sqlite3";
/// The data file and what SQLite keeps beside it. A journal that stayed would be played back into the new file.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Sets the file aside and puts a new one in its place. Answers with the sentence for the person.
pub(super) fn mend(folder: &DataFolder) -> Result<String, StoreError> {
    // Whoever syncs this folder decides over its file. Alone with the file, we meet nobody but a very odd moment.
    let Some(_turn) = folder.try_sync()? else {
        return Err(is_damaged(&folder.path().join(FILE_NAME)));
    };
    let unusable = |error: io::Error| {
        StoreError::Unusable(format!(
            "The data file in {} is damaged, and no new one could be made: {}. It was left as it is.",
            folder.path().display(),
            plain_reason(&error)
        ))
    };
    // The new file is complete before the old one moves: a kill at any point leaves one of the two, or none and the
    // copy, which the next start begins with again.
    let lists = build_new(folder)?;
    let aside = set_aside(folder).map_err(unusable)?;
    seal::take_off(folder).map_err(unusable)?;
    fs::rename(folder.path().join(NEW), folder.path().join(FILE_NAME)).map_err(unusable)?;
    folder.sync().map_err(unusable)?;
    if let Some(kept) = &aside {
        forget_all_but(folder, Some(kept));
    }
    Ok(sentence(folder, aside.as_deref(), lists))
}

/// What a process that is not alone with the damaged file says.
pub(super) fn is_damaged(path: &Path) -> StoreError {
    StoreError::Unusable(format!(
        "The data file {} is damaged, and another TalkValue Sync has it open. Nothing was changed: close the other one \
         and start again, and the file is set aside and the lists are read anew.",
        path.display()
    ))
}

/// Erases the files that were set aside: they hold people whom somebody has removed since.
pub(super) fn forget_set_aside(folder: &DataFolder) {
    forget_all_but(folder, None);
}

/// How many lists the new file has; `None` if there was no copy to take them from.
fn build_new(folder: &DataFolder) -> Result<Option<usize>, StoreError> {
    let path = folder.path().join(NEW);
    let unusable = |error: io::Error| {
        StoreError::Unusable(format!(
            "A new data file cannot be made in {}: {}. The damaged one was left as it is.",
            folder.path().display(),
            plain_reason(&error)
        ))
    };
    for part in PARTS {
        // What an earlier attempt left.
        let _ = fs::remove_file(folder.path().join(format!("{NEW}{part}")));
    }
    let facts = local_facts::read(folder).map_err(unusable)?;
    let file = folder.open_private(NEW).map_err(unusable)?;
    let build = || -> Result<Option<usize>, open::Trouble> {
        let mut connection = open::connect(&path)?;
        open::set_pragmas(&path, &connection)?;
        migrate::to_latest(folder, &mut connection, open::MIGRATIONS)?;
        let lists = match &facts {
            None => None,
            Some(facts) => {
                let transaction = connection.transaction()?;
                let lists = facts.restore(&transaction, Timestamp::now())?;
                transaction.commit()?;
                Some(lists)
            }
        };
        open::empty_write_ahead_log(&connection, open::PATIENCE_WITH_OTHERS)?;
        Ok(lists)
    };
    let lists = build().map_err(|trouble| trouble.at(&path))?;
    file.sync_all().map_err(unusable)?;
    Ok(lists)
}

/// Moves the data file and what belongs to it. `None`: there was nothing in it to keep.
fn set_aside(folder: &DataFolder) -> io::Result<Option<String>> {
    let name = format!("{ASIDE}{}.sqlite3", Timestamp::now().strftime("%Y%m%dT%H%M%S"));
    let mut kept = None;
    for part in PARTS {
        let from = folder.path().join(format!("{FILE_NAME}{part}"));
        match fs::metadata(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            // An empty file must not push out a copy that holds something.
            Ok(data) if data.len() == 0 => fs::remove_file(&from)?,
            Ok(_) => {
                fs::rename(&from, folder.path().join(format!("{name}{part}")))?;
                // A log whose file went before it (a kill between the two) is no copy that could push out another.
                if part.is_empty() {
                    kept = Some(name.clone());
                }
            }
        }
    }
    Ok(kept)
}

/// One copy is kept: the newest.
fn forget_all_but(folder: &DataFolder, kept: Option<&str>) {
    let Ok(entries) = fs::read_dir(folder.path()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(ASIDE) && kept.is_none_or(|kept| !name.starts_with(kept)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn sentence(folder: &DataFolder, aside: Option<&str>, lists: Option<usize>) -> String {
    let happened = match aside {
        Some(name) => format!(
            "The data file was damaged and was set aside as {}.",
            folder.path().join(name).display()
        ),
        None => "The data file was gone or empty, and a new one was made.".to_owned(),
    };
    let kept = match lists {
        None => {
            "No copy of your accounts and lists was found: connect the accounts and import the lists again."
                .to_owned()
        }
        Some(0) => "Your accounts are kept; there were no lists yet.".to_owned(),
        Some(lists) => format!(
            "Your accounts and {} are kept, and who is in them is read again: leave the window open, or run \
             `tvsync watch`.",
            match lists {
                1 => "your list".to_owned(),
                lists => format!("your {lists} lists"),
            }
        ),
    };
    format!("{happened} {kept}")
}
