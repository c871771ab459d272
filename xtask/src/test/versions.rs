//! The lowest versions that we ship, read from the lock file. An advisory database knows more, but not every machine can
//! reach one, and some faults that concern us (Tauri's, SQLite's) are in none of them.

use std::fs;

use anyhow::{Context as _, bail};

use super::Outcome;
use crate::repository::Repository;

/// The first version of a crate that has a fault mended.
struct Floor {
    package: &'static str,
    lowest: &'static str,
    /// What an older one brings.
    fault: &'static str,
}

const FLOORS: [Floor; 8] = [
    Floor {
        package: "tauri",
        lowest: "2.11.1",
        fault: "a remote page could call commands it was not granted",
    },
    Floor {
        package: "libsqlite3-sys",
        lowest: "0.37.0",
        fault: "bundles an SQLite before 3.51.3, whose WAL reset loses data",
    },
    Floor {
        package: "rustls",
        lowest: "0.23.5",
        fault: "a server could hold a connection in an endless loop",
    },
    Floor {
        package: "rustls-webpki",
        lowest: "0.103.10",
        fault: "certificate revocation was matched too narrowly",
    },
    Floor {
        package: "ring",
        lowest: "0.17.12",
        fault: "some AES functions panic on long input",
    },
    Floor {
        package: "tokio",
        lowest: "1.44.2",
        fault: "broadcast channels cloned without a lock",
    },
    Floor {
        package: "crossbeam-channel",
        lowest: "0.5.15",
        fault: "a channel could free its memory twice",
    },
    Floor {
        package: "bytes",
        lowest: "1.11.1",
        fault: "reserving memory could overflow",
    },
];

/// Crates that must not be in the lock file at all, and why.
const ABSENT: [(&str, &str); 4] = [
    (
        "tauri-plugin-shell",
        "the window must have no way to start a program",
    ),
    ("openssl-sys", "rustls is the one TLS of this program"),
    ("native-tls", "rustls is the one TLS of this program"),
    (
        "sqlx-sqlite",
        "two SQLite libraries in one program corrupt each other's locks",
    ),
];

pub(super) fn check(repository: &Repository) -> anyhow::Result<Outcome> {
    let path = repository.root().join("Cargo.lock");
    let lock = fs::read_to_string(&path).with_context(|| format!("{} could not be read", path.display()))?;
    let packages = packages(&lock);
    if packages.is_empty() {
        bail!(
            "{} lists no package: its form has changed, and this check must learn it",
            path.display()
        );
    }
    let complaints = complaints(&packages);
    if complaints.is_empty() {
        println!(
            "{} packages: none below its lowest version, none that must be absent.",
            packages.len()
        );
        return Ok(Outcome::Passed);
    }
    bail!(
        "the lock file holds what we do not ship:\n  {}",
        complaints.join("\n  ")
    )
}

/// Name and version of each package of a lock file.
fn packages(lock: &str) -> Vec<(&str, &str)> {
    let mut packages = Vec::new();
    for entry in lock.split("[[package]]").skip(1) {
        if let (Some(name), Some(version)) = (value_of(entry, "name"), value_of(entry, "version")) {
            packages.push((name, version));
        }
    }
    packages
}

/// The text of the line `key = "text"`. Cargo writes one key a line, without escapes in names and versions.
fn value_of<'a>(entry: &'a str, key: &str) -> Option<&'a str> {
    entry
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

/// One sentence for each package that is too old or must not be there.
fn complaints(packages: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, version) in packages {
        for floor in FLOORS.iter().filter(|floor| floor.package == *name) {
            if is_below(version, floor.lowest) {
                complaints.push(format!(
                    "{name} {version}: {}. At least {} is needed.",
                    floor.fault, floor.lowest
                ));
            }
        }
        for (_, reason) in ABSENT.iter().filter(|(absent, _)| absent == name) {
            complaints.push(format!("{name} {version} must not be there: {reason}."));
        }
    }
    complaints
}

/// By semantic versioning's order. A pre-release comes before its release; an unreadable number counts as below.
fn is_below(version: &str, lowest: &str) -> bool {
    order(version) < order(lowest)
}

fn order(version: &str) -> (Vec<u64>, bool) {
    let version = version.split('+').next().unwrap_or_default();
    let (numbers, is_release) = match version.split_once('-') {
        Some((numbers, _)) => (numbers, false),
        None => (version, true),
    };
    (
        numbers
            .split('.')
            .map(|number| number.parse().unwrap_or(0))
            .collect(),
        is_release,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN_BAD: &str = include_str!("../../fixtures/known-bad.lock");

    #[test]
    fn lock_file_with_a_faulty_tauri_is_red() {
        let complaints = complaints(&packages(KNOWN_BAD));
        assert!(
            complaints
                .iter()
                .any(|complaint| complaint.starts_with("tauri 2.10.3:")),
            "the known-bad lock file must be refused, or the check checks nothing: {complaints:?}"
        );
    }

    #[test]
    fn old_sqlite_shell_plugin_and_openssl_are_red() {
        let complaints = complaints(&packages(KNOWN_BAD));
        for name in [
            "libsqlite3-sys 0.36.0",
            "tauri-plugin-shell 2.3.0",
            "openssl-sys 0.9.109",
        ] {
            assert!(
                complaints.iter().any(|complaint| complaint.starts_with(name)),
                "{name} in {complaints:?}"
            );
        }
    }

    #[test]
    fn what_is_new_enough_is_not_complained_about() {
        let complaints = complaints(&packages(KNOWN_BAD));
        assert_eq!(
            complaints.len(),
            4,
            "tokio of the fixture is new enough: {complaints:?}"
        );
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        for (version, lowest, below) in [
            ("2.10.3", "2.11.1", true),
            ("2.11.1", "2.11.1", false),
            ("2.12.5", "2.11.1", false),
            ("2.9.9", "2.11.1", true),
            ("3.0.0-alpha.5", "2.11.1", false),
            ("2.11.1-rc.1", "2.11.1", true),
            ("0.40.0+3.54.1", "0.37.0", false),
        ] {
            assert_eq!(is_below(version, lowest), below, "{version} against {lowest}");
        }
    }
}
