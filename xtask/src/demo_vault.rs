//! Forgetting the demo's credentials in the person's own keychain, also those of a demo that was cut short. They are
//! worth nothing (the sandbox made them up), but a keychain is not ours to leave things in.

use std::process::{Command, Stdio};

/// The demo's name in the keychain: never the one that real credentials stand under.
pub(crate) const SERVICE: &str = "com.talkvalue.sync.demo";

/// Removes every entry of the demo's service, as far as this system has a way to. There may be none; that is fine.
pub(crate) fn forget() {
    if cfg!(target_os = "macos") {
        // It removes one entry a call.
        while quietly("security", &["delete-generic-password", "-s", SERVICE]) {}
    } else if cfg!(windows) {
        for target in windows_targets(&printed("cmdkey", &["/list"])) {
            quietly("cmdkey", &[&format!("/delete:{target}")]);
        }
    } else {
        quietly("secret-tool", &["clear", "service", SERVICE]);
    }
}

fn quietly(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

/// The entries of the demo in what `cmdkey /list` prints. The word before the name is in Windows' language; the part
/// after `target=` is the name.
fn windows_targets(listing: &str) -> Vec<&str> {
    let names = listing
        .lines()
        .filter_map(|line| line.split_once("target="))
        .map(|(_, name)| name.trim());
    names.filter(|name| name.contains(SERVICE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_demo_is_forgotten() {
        let listing = "\n    Target: LegacyGeneric:target=abc.com.talkvalue.sync.demo\n    Type: Generic\n\
                       \n    Target: LegacyGeneric:target=abc.com.talkvalue.sync\n    Ziel: Domain:target=server\n";
        assert_eq!(
            windows_targets(listing),
            ["abc.com.talkvalue.sync.demo"],
            "real credentials stand under a shorter name and must stay"
        );
    }
}
