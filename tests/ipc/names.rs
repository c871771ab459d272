//! One list of commands: in Rust, in the window's ipc.ts, in the permission files and in the capability.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use talkvalue_sync_app::commands::NAMES;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn names() -> BTreeSet<String> {
    NAMES.iter().map(|name| (*name).to_owned()).collect()
}

fn permission_of(command: &str) -> String {
    format!("allow-{}", command.replace('_', "-"))
}

/// The names in `invoke<…>("name"…`.
fn invoked(source: &str) -> BTreeSet<String> {
    source
        .split("invoke<")
        .skip(1)
        .map(|rest| {
            let after = rest.split_once("(\"").map_or("", |(_, after)| after);
            after.split('"').next().unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn window_and_rust_name_the_same_commands() {
    let source = fs::read_to_string(root().join("ui/src/lib/ipc.ts"))
        .expect("the window calls through ui/src/lib/ipc.ts");
    assert_eq!(invoked(&source), names());
}

#[test]
fn what_is_asked_as_the_document_begins_is_taken_by_who_asks_first() {
    let asked = fs::read_to_string(root().join("ui/beginning.js")).unwrap();
    let window = fs::read_to_string(root().join("ui/src/lib/ipc.ts")).unwrap();
    let list = asked
        .split_once("of [")
        .and_then(|(_, rest)| rest.split_once(']'));
    let commands: Vec<&str> = list
        .unwrap()
        .0
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    assert!(commands.len() > 1, "{commands:?}");
    for command in commands {
        assert!(names().contains(command), "{command} is no command");
        assert!(
            window.contains(&format!("(\"{command}\") ?? invoke<")),
            "{command} is asked for nothing"
        );
    }
}

#[test]
fn every_command_has_its_own_permission_file_and_no_other_exists() {
    let folder = root().join("src-tauri/permissions");
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        files.insert(entry.unwrap().file_name().into_string().unwrap());
    }
    let expected: BTreeSet<String> = NAMES
        .iter()
        .map(|name| format!("{}.toml", name.replace('_', "-")))
        .collect();
    assert_eq!(files, expected);
    for name in NAMES {
        let text = fs::read_to_string(folder.join(format!("{}.toml", name.replace('_', "-")))).unwrap();
        assert!(
            text.contains(&format!("identifier = \"{}\"", permission_of(name)))
                && text.contains(&format!("commands.allow = [\"{name}\"]")),
            "the file of {name} grants it and nothing else: {text}"
        );
        assert_eq!(
            text.matches("[[permission]]").count(),
            1,
            "one permission per file: {text}"
        );
    }
}

#[test]
fn capability_grants_every_command_and_only_listening_beside() {
    let text = fs::read_to_string(root().join("src-tauri/capabilities/main.json")).unwrap();
    let capability: serde_json::Value = serde_json::from_str(&text).unwrap();
    let granted: BTreeSet<String> = capability["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| permission.as_str().unwrap().to_owned())
        .collect();
    let mut expected: BTreeSet<String> = names().iter().map(|name| permission_of(name)).collect();
    expected.insert("core:event:allow-listen".to_owned());
    expected.insert("core:event:allow-unlisten".to_owned());
    assert_eq!(granted, expected);
}

#[test]
fn only_ipc_ts_calls_tauri() {
    let mut offenders = Vec::new();
    look(&root().join("ui/src"), &mut offenders);
    assert!(
        offenders.is_empty(),
        "these call Tauri past ipc.ts: {offenders:?}"
    );
}

#[test]
fn only_the_sign_in_window_shows_pages_of_others() {
    let mut met = Vec::new();
    let mut folders = vec![root().join("src-tauri/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path)
                .unwrap_or_default()
                .contains("WebviewUrl::External")
            {
                met.push(path.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    assert_eq!(met, ["src-tauri/src/sign_in/window.rs"]);
}

fn look(folder: &Path, offenders: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, offenders);
            continue;
        }
        let own = path.ends_with("lib/ipc.ts");
        let text = fs::read_to_string(&path).unwrap_or_default();
        if !own && (text.contains("from \"@tauri-apps") || text.contains("__TAURI")) {
            offenders.push(path.display().to_string());
        }
    }
}
