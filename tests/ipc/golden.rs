//! What the window may do stands in two golden files. A change of either is a change of the app's walls: read it twice.

use crate::stage::Stage;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn lines(golden: &str) -> Vec<String> {
    read(golden).lines().map(str::to_owned).collect()
}

#[test]
fn content_security_policy_equals_its_golden_file() {
    let config = talkvalue_sync_app::context::<tauri::test::MockRuntime>();
    let security = &config.config().app.security;
    let csp = security.csp.as_ref().expect("a policy").to_string();
    let directives: Vec<String> = csp.split("; ").map(str::to_owned).collect();
    assert_eq!(directives, lines("tests/ipc/golden/csp.txt"));
    assert!(!csp.contains("unsafe"), "nothing unsafe, ever");
    assert!(security.dev_csp.is_none(), "development keeps to the same policy");
    assert!(security.freeze_prototype);
    assert!(!config.config().app.with_global_tauri);
    assert!(!security.asset_protocol.enable);
    assert_eq!(
        format!("{:?}", security.dangerous_disable_asset_csp_modification),
        "Flag(false)"
    );
}

/// What the page is served with, and not only what the configuration says: Tauri adds to the policy while it serves, and
/// what it adds may name our own scripts and nothing else.
#[test]
fn policy_that_the_page_is_served_with_is_the_golden_file_and_the_hashes_of_our_own_scripts() {
    let stage = Stage::open();
    let header = stage
        .serves("index.html")
        .csp_header
        .expect("the page is served with a policy");
    let mut own_scripts: BTreeSet<String> = BTreeSet::new();
    for path in stage.files().iter().filter(|path| path.ends_with(".js")) {
        let hash = digest(&SHA256, &stage.serves(path).bytes);
        own_scripts.insert(format!("'sha256-{}'", BASE64.encode(hash)));
    }
    let mut served = BTreeSet::new();
    for directive in header.split(';').map(str::trim) {
        let added = |source: &&str| directive.starts_with("script-src ") && own_scripts.contains(*source);
        let kept: Vec<&str> = directive.split(' ').filter(|source| !added(source)).collect();
        served.insert(kept.join(" "));
    }
    assert_eq!(served, lines("tests/ipc/golden/csp.txt").into_iter().collect());
}

#[test]
fn capabilities_equal_their_golden_file() {
    let mut files: Vec<String> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/capabilities"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    files.sort();
    assert_eq!(files, ["main.json"], "one capability, for one window");
    let capability: Value = serde_json::from_str(&read("src-tauri/capabilities/main.json")).unwrap();
    assert_eq!(
        capability["windows"],
        serde_json::json!(["main"]),
        "exactly that label"
    );
    assert!(
        capability.get("remote").is_none() && capability.get("webviews").is_none(),
        "no page from elsewhere has any right"
    );
    let granted: Vec<&str> = capability["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| permission.as_str().expect("no permission has a scope of its own"))
        .collect();
    assert_eq!(granted, lines("tests/ipc/golden/permissions.txt"));
}

#[test]
fn released_window_has_no_developer_tools() {
    let manifest = read("Cargo.toml");
    let tauri = manifest
        .lines()
        .find(|line| line.starts_with("tauri = "))
        .expect("the app depends on tauri");
    assert!(
        tauri.contains("default-features = false") && !tauri.contains("devtools"),
        "{tauri}"
    );
}
