//! The leak sweep: recognisable credentials must stand nowhere but in the keychain.

use std::fs;
use std::path::Path;

/// Every credential of the sandbox holds this word.
pub const CANARY: &str = "CANARY";

/// The places below `folder` whose bytes hold a canary, as text or as UTF-16.
pub fn canaries_below(folder: &Path) -> Vec<String> {
    found_below(folder, &[CANARY])
}

/// The places below `folder` whose bytes hold one of these words, as text or as UTF-16.
pub fn found_below(folder: &Path, words: &[impl AsRef<str>]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_below(&path, words));
        } else if let Ok(bytes) = fs::read(&path)
            && words.iter().any(|word| holds(&bytes, word.as_ref()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

pub fn holds_canary(bytes: &[u8]) -> bool {
    holds(bytes, CANARY)
}

/// Whether the word stands there, as text or as UTF-16.
pub fn holds(bytes: &[u8], word: &str) -> bool {
    let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let stands = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    stands(word.as_bytes()) || stands(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_canary_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/log"), b"token=xxCANARYEB123").unwrap();
        assert_eq!(
            canaries_below(folder.path()).len(),
            1,
            "a sweep that finds nothing ever proves nothing"
        );
    }
}
