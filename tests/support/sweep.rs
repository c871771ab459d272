//! The leak sweep: recognisable credentials must stand nowhere but in the keychain.

use std::fs;
use std::path::Path;

/// Every credential of the sandbox holds this word.
pub const CANARY: &str = "CANARY";

/// The places below `folder` whose bytes hold a canary, as text or as UTF-16.
pub fn canaries_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(canaries_below(&path));
        } else if let Ok(bytes) = fs::read(&path)
            && holds_canary(&bytes)
        {
            found.push(path.display().to_string());
        }
    }
    found
}

pub fn holds_canary(bytes: &[u8]) -> bool {
    let plain = CANARY.as_bytes();
    let wide: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    holds(plain) || holds(&wide)
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
