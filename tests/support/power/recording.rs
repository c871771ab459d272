//! What a process really asks the disk for, by `strace`: every change of the files in one folder, in its order. The
//! files that SQLite and the locks keep only for processes that run (`-shm`, `.lock`) are left out.
//!
//! Only calls that the store and SQLite make are understood. A change by another call is not missed: what was recorded
//! is held against the folder after every act.

use super::disk::{Image, Operation};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A question mark: not every processor's Linux has the call.
const CALLS: &str = "trace=?open,openat,close,?rename,renameat,renameat2,?unlink,unlinkat,ftruncate,write,pwrite64,\
                     lseek,fsync,fdatasync";
/// Longer than any one write.
const WHOLE: &str = "16777216";

/// Whether this computer can record.
pub(super) fn is_possible() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "true"]);
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    strace.status().is_ok_and(|status| status.success())
}

/// Several processes, one after another, over one folder that began empty.
#[derive(Debug)]
pub(super) struct Recording {
    folder: PathBuf,
    pub(super) operations: Vec<Operation>,
    names: BTreeMap<String, usize>,
    files: usize,
}

/// A file that the recorded process has open.
enum Handle {
    Folder,
    File { file: usize, at: u64 },
}

/// A call, and what it answered.
struct Call<'a> {
    name: &'a str,
    words: Vec<&'a str>,
    answer: i64,
}

impl Recording {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.canonicalize().unwrap(),
            operations: Vec::new(),
            names: BTreeMap::new(),
            files: 0,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets the process run to its end, and takes down what it does.
    pub(super) fn watches(&mut self, process: &Command) -> Result<(), String> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut strace = Command::new("strace");
        strace.args([
            "-f",
            "-qq",
            "-xx",
            "-s",
            WHOLE,
            "-e",
            "signal=none",
            "-e",
            CALLS,
            "-o",
        ]);
        strace
            .arg(log.path())
            .arg(process.get_program())
            .args(process.get_args());
        for (name, value) in process.get_envs() {
            if let Some(value) = value {
                strace.env(name, value);
            }
        }
        let ended = strace.stdin(Stdio::null()).output().unwrap();
        if !ended.status.success() {
            let told =
                String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
            return Err(format!("the recorded process failed: {told}"));
        }
        let log = fs::read_to_string(log.path()).unwrap();
        let mut handles = HashMap::new();
        // A call during which another thread did something stands on two lines.
        let mut unfinished: HashMap<&str, &str> = HashMap::new();
        for line in log.lines() {
            let (thread, line) = line.split_once(' ').ok_or(line)?;
            let line = line.trim_start();
            if let Some(begun) = line.strip_suffix(" <unfinished ...>") {
                // Its number is free for others from here on.
                if let Some(descriptor) = begun.strip_prefix("close(") {
                    handles.remove(descriptor.trim_end_matches(')'));
                }
                unfinished.insert(thread, begun);
            } else if let Some((_, rest)) = line
                .strip_prefix("<... ")
                .and_then(|rest| rest.split_once(" resumed>"))
            {
                let begun = unfinished.remove(thread).ok_or(line)?;
                if !begun.starts_with("close(") {
                    let whole = format!("{begun}{rest}");
                    self.takes_down(&whole, &mut handles)?;
                }
            } else {
                self.takes_down(line, &mut handles)?;
            }
        }
        Ok(())
    }

    fn takes_down(&mut self, line: &str, handles: &mut HashMap<String, Handle>) -> Result<(), String> {
        let Some(call) = Call::parse(line) else {
            return Err(format!(
                "a line that is no call: {}",
                &line[..line.len().min(200)]
            ));
        };
        if call.answer < 0 {
            return Ok(());
        }
        let word = |place: usize| call.words.get(place).copied().ok_or_else(|| line.to_owned());
        match call.name {
            "open" => self.opens(word(0)?, word(1)?, call.answer, handles),
            "openat" => self.opens(word(1)?, word(2)?, call.answer, handles),
            "rename" => self.renames(word(0)?, word(1)?),
            "renameat" | "renameat2" => self.renames(word(1)?, word(3)?),
            "unlink" => self.removes(word(0)?),
            "unlinkat" => self.removes(word(1)?),
            "close" => {
                handles.remove(word(0)?);
            }
            _ => {
                if let Some(handle) = handles.get_mut(word(0)?) {
                    self.changes(&call, line, handle)?;
                }
            }
        }
        Ok(())
    }

    fn changes(&mut self, call: &Call<'_>, line: &str, handle: &mut Handle) -> Result<(), String> {
        let word = |place: usize| call.words.get(place).copied().ok_or_else(|| line.to_owned());
        let number = |place: usize| word(place)?.parse::<u64>().map_err(|_| line.to_owned());
        let answered = call.answer.unsigned_abs();
        let operation = match (call.name, handle) {
            ("fsync" | "fdatasync", Handle::Folder) => Operation::SyncFolder,
            ("fsync" | "fdatasync", Handle::File { file, .. }) => Operation::SyncFile { file: *file },
            ("ftruncate", Handle::File { file, .. }) => Operation::SetLength {
                file: *file,
                length: number(1)?,
            },
            ("lseek", Handle::File { at, .. }) => {
                *at = answered;
                return Ok(());
            }
            (name @ ("write" | "pwrite64"), Handle::File { file, at }) => {
                let mut bytes = unquoted(word(1)?).ok_or_else(|| line.to_owned())?;
                bytes.truncate(usize::try_from(answered).map_err(|_| line.to_owned())?);
                let place = if name == "write" { *at } else { number(3)? };
                if name == "write" {
                    *at += answered;
                }
                Operation::Write {
                    file: *file,
                    at: place,
                    bytes,
                }
            }
            _ => return Err(format!("an unexpected call: {line}")),
        };
        self.operations.push(operation);
        Ok(())
    }

    fn opens(&mut self, path: &str, flags: &str, descriptor: i64, handles: &mut HashMap<String, Handle>) {
        let Some(name) = self.name_of(path) else { return };
        let handle = if name.is_empty() {
            Handle::Folder
        } else if let Some(file) = self.names.get(&name) {
            let file = *file;
            if flags.contains("O_TRUNC") {
                self.operations.push(Operation::SetLength { file, length: 0 });
            }
            Handle::File { file, at: 0 }
        } else {
            let file = self.files;
            self.files += 1;
            self.names.insert(name.clone(), file);
            self.operations.push(Operation::Make { name, file });
            Handle::File { file, at: 0 }
        };
        handles.insert(descriptor.to_string(), handle);
    }

    fn renames(&mut self, from: &str, to: &str) {
        let (Some(from), Some(to)) = (self.name_of(from), self.name_of(to)) else {
            return;
        };
        if let Some(file) = self.names.remove(&from) {
            self.names.insert(to.clone(), file);
            self.operations.push(Operation::Rename { from, to });
        }
    }

    fn removes(&mut self, path: &str) {
        let Some(name) = self.name_of(path) else { return };
        if self.names.remove(&name).is_some() {
            self.operations.push(Operation::Remove { name });
        }
    }

    /// What a path is called within the folder (the folder itself: nothing), if it is in it and is to last.
    fn name_of(&self, path: &str) -> Option<String> {
        let path = String::from_utf8(unquoted(path)?).ok()?;
        let name = Path::new(&path).strip_prefix(&self.folder).ok()?.to_str()?;
        (!name.ends_with("-shm") && !name.ends_with(".lock")).then(|| name.to_owned())
    }

    /// What of `seen` is not what stands in the folder.
    pub(super) fn differs_from(&self, seen: &Image) -> Vec<String> {
        let there: Image = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.to_owned();
                let lasts = !name.ends_with("-shm") && !name.ends_with(".lock");
                lasts.then(|| (name, fs::read(&path).unwrap()))
            })
            .collect();
        let names = there.keys().chain(seen.keys());
        names
            .filter(|name| there.get(*name) != seen.get(*name))
            .cloned()
            .collect()
    }
}

impl<'a> Call<'a> {
    /// `name(word, word) = answer`, with every text in hexadecimal, so that no text holds a comma.
    fn parse(line: &'a str) -> Option<Self> {
        let (call, answer) = line.rsplit_once(" = ")?;
        let (name, words) = call.trim_end().strip_suffix(')')?.split_once('(')?;
        Some(Self {
            name,
            words: words.split(", ").collect(),
            answer: answer.split(' ').next()?.parse().ok()?,
        })
    }
}

/// The bytes of `"\x2f\x61"`; `None` where it was cut short.
fn unquoted(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    // Four signs for a byte, of which two are digits.
    let (bytes, rest) = text.as_chunks::<4>();
    let bytes = bytes.iter().map(|[_, _, high, low]| {
        let byte = digit(*high)? << 4 | digit(*low)?;
        u8::try_from(byte).ok()
    });
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_call_is_read_back() {
        let call = Call::parse(r#"pwrite64(5, "\x00\x2c\x20", 3, 4096) = 3"#).unwrap();
        assert_eq!((call.name, call.answer, call.words[3]), ("pwrite64", 3, "4096"));
        assert_eq!(unquoted(call.words[1]), Some(vec![0, 44, 32]));
        assert_eq!(
            unquoted(r#""\x00\x2c"..."#),
            None,
            "half of it would be a false disk"
        );
        let failed = Call::parse(r#"unlink("\x2f") = -1 ENOENT (No such file or directory)"#).unwrap();
        assert_eq!(failed.answer, -1);
    }
}
