//! What every file of the repository keeps to, whatever its language. Long files are a warning; the rest is refused.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::Outcome;
use crate::repository::Repository;
use crate::{process, terminal};

/// Past this a file is worth splitting.
const LONG_FILE_LINES: usize = 600;

/// Files that people write, by the end of their name.
const WRITTEN: [&str; 8] = [".rs", ".ts", ".svelte", ".js", ".css", ".html", ".sql", ".sh"];

/// Marks of unfinished or silenced work, with what to do instead. They are put together here, so that this file does
/// not find itself.
const MARKS: [(&str, &str); 4] = [
    (
        concat!("todo", "!("),
        "finish it, or open an issue and leave the code out",
    ),
    (concat!("FIX", "ME"), "finish it, or open an issue"),
    (concat!("#[", "allow"), "use #[expect(…, reason = \"…\")]"),
    (concat!("#![", "allow"), "use #![expect(…, reason = \"…\")]"),
];

/// What would turn text into elements: in the window everything that providers say stays text.
const MARKUP: [&str; 6] = [
    "{@html",
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "document.write",
];

/// The files that run in the window.
const WINDOW: &str = "ui/src/";

/// Beginnings of paths that exist on one machine only.
const HOMES: [&str; 4] = ["/home/", "/Users/", "/root/", "C:\\Users\\"];

pub(super) fn check(repository: &Repository) -> anyhow::Result<Outcome> {
    let root = repository.root();
    let mut listing = Command::new("git");
    // With what is new and not ignored: a mistake shows before it is committed. A path with a NUL after it needs no
    // quoting.
    listing
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root);
    let listing = process::capture(&mut listing).context("the repository's files are listed with git")?;
    let clone = root.to_string_lossy();

    let mut complaints = Vec::new();
    let mut seen = 0_usize;
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        // Pictures are not text, and a file that was deleted but not yet committed is still listed.
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        seen += 1;
        complaints.extend(complaints_about(path, &text, &clone));
        complaints.extend(super::statements::complaints_about(path, &text));
        let lines = text.lines().count();
        if is_written(path) && lines > LONG_FILE_LINES {
            println!(
                "{} {path} has {lines} lines: worth splitting",
                terminal::careful("warning:")
            );
        }
    }
    if complaints.is_empty() {
        println!("{seen} text files are in order.");
        return Ok(Outcome::Passed);
    }
    bail!(
        "{} found:\n  {}",
        counted(complaints.len()),
        complaints.join("\n  ")
    )
}

fn counted(mistakes: usize) -> String {
    if mistakes == 1 {
        "1 mistake".to_owned()
    } else {
        format!("{mistakes} mistakes")
    }
}

fn is_written(path: &str) -> bool {
    WRITTEN.iter().any(|ending| path.ends_with(ending))
}

/// `clone` is where this clone lies: its path in a file would work here only.
fn complaints_about(path: &str, text: &str, clone: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if Path::new(path)
        .file_name()
        .is_some_and(|name| name == "package-lock.json")
        && text.contains("\"resolved\":")
    {
        complaints.push(format!(
            "{path} names the server that packages came from. Run `npm install --omit-lockfile-registry-resolved`."
        ));
    }
    for (index, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", index + 1);
        if is_written(path) {
            let marks = MARKS.iter().filter(|(mark, _)| line.contains(mark));
            complaints.extend(marks.map(|(mark, instead)| format!("{place} has {mark}: {instead}.")));
        }
        if path.starts_with(WINDOW) {
            let marks = MARKUP.iter().filter(|mark| line.contains(**mark));
            complaints.extend(
                marks.map(|mark| format!("{place} has {mark}: show text as text, and never as markup.")),
            );
        }
        if names_a_machine(line, clone) {
            complaints.push(format!("{place} names a path of one machine."));
        }
    }
    complaints
}

/// Whether a line holds this clone's own place, or a path in somebody's home.
fn names_a_machine(line: &str, clone: &str) -> bool {
    let in_a_home = |home: &str| {
        line.match_indices(home).any(|(start, _)| {
            let before = line[..start].chars().next_back();
            let after = line[start + home.len()..].chars().next();
            // The beginning of a path, and with a name behind it: "page/home/index" and "/home/" alone are none.
            !before.is_some_and(|letter| letter.is_alphanumeric() || "._-/}".contains(letter))
                && after.is_some_and(|letter| letter.is_alphanumeric() || letter == '.')
        })
    };
    // A clone right under the root would be found in every path.
    let clone_is_telling = clone.matches(['/', '\\']).count() > 1;
    (clone_is_telling && line.contains(clone)) || HOMES.into_iter().any(in_a_home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_and_silenced_work_is_refused() {
        for (mark, _) in MARKS {
            let complaints = complaints_about(
                "src/lib.rs",
                &format!("fn main() {{}}\n{mark}dead_code)]"),
                "/srv/a/b",
            );
            assert_eq!(complaints.len(), 1, "{mark}: {complaints:?}");
            assert!(
                complaints[0].starts_with("src/lib.rs:2 "),
                "the place must be named: {complaints:?}"
            );
        }
        assert!(
            complaints_about("docs/STYLE.md", MARKS[1].0, "/srv/a/b").is_empty(),
            "a document may speak about the marks"
        );
    }

    #[test]
    fn text_that_would_become_markup_is_refused_in_the_window_alone() {
        for mark in MARKUP {
            let line = format!("const one = 1;\nuse({mark} = title)");
            let complaints = complaints_about("ui/src/screens/Detail.svelte", &line, "/srv/a/b");
            assert_eq!(complaints.len(), 1, "{mark}: {complaints:?}");
            assert!(
                complaints[0].starts_with("ui/src/screens/Detail.svelte:2 "),
                "the place must be named: {complaints:?}"
            );
            assert!(
                complaints_about("ui/tests/hostile.test.ts", &line, "/srv/a/b").is_empty(),
                "a test may look at what an element holds"
            );
        }
    }

    #[test]
    fn lock_file_that_names_a_server_is_refused() {
        let lock = "{\"resolved\": \"https://packages.example/svelte.tgz\"}";
        assert_eq!(
            complaints_about("ui/package-lock.json", lock, "/srv/a/b").len(),
            1,
            "others may not reach it"
        );
    }

    #[test]
    fn paths_of_one_machine_are_found_and_others_left_alone() {
        let home = |rest: &str| format!("{}{rest}", HOMES[0]);
        for line in [
            home("ada/sync"),
            format!("cp {} .", home("ada/x")),
            "cd /srv/clones/sync/ui".to_owned(),
        ] {
            assert!(names_a_machine(&line, "/srv/clones/sync"), "{line}");
        }
        for line in [
            "https://example.org/home/ada",
            "src/home/page.ts",
            "/usr/bin/env",
            &home("<you>/sync"),
        ] {
            assert!(!names_a_machine(line, "/srv/clones/sync"), "{line}");
        }
    }
}
