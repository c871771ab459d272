//! A data folder that cannot be used: the window is there all the same, and every answer says why.

use crate::stage::{Stage, refused};
use serde_json::{Value, json};
use std::fs;

/// A folder whose database cannot be opened.
fn spoiled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // A folder where the lock file should be, so that it fails for root as well.
    fs::create_dir(folder.path().join("sync.lock")).unwrap();
    folder
}

#[test]
fn unusable_folder_is_told_by_every_command() {
    let stage = Stage::open_in(spoiled());
    let status = stage.calls("app_status", json!({})).unwrap();
    assert_eq!(status["schema"], Value::Null);
    assert_eq!(status["problem"]["code"], "STORAGE_FAILED");
    assert_eq!(status["problem"]["recovery"], "CHECK_STORAGE");
    let path = stage.folder.path().display().to_string();
    assert!(
        status["problem"]["message"].as_str().unwrap().contains(&path),
        "it names the folder: {status}"
    );
    for command in ["list_items", "list_integrations"] {
        let message = refused(stage.calls(command, json!({})), "STORAGE_FAILED");
        assert!(message.contains(&path), "{message}");
    }
    refused(
        stage.calls("show_item", json!({ "itemId": "item-1" })),
        "STORAGE_FAILED",
    );
    refused(stage.calls("show_item", json!({ "itemId": "" })), "BAD_INPUT");
}

#[test]
fn mended_folder_is_taken_without_a_restart() {
    let stage = Stage::open_in(spoiled());
    refused(stage.calls("list_items", json!({})), "STORAGE_FAILED");
    fs::remove_dir(stage.folder.path().join("sync.lock")).unwrap();
    let status = stage.calls("app_status", json!({})).unwrap();
    assert_eq!(status["problem"], Value::Null);
    assert_eq!(stage.calls("list_items", json!({})).unwrap(), json!([]));
}

#[test]
fn starting_the_window_touches_neither_network_nor_keychain() {
    let (stage, _, _, _) = Stage::with_item(3);
    let luma = stage.sandbox.luma();
    luma.clears_requests();
    stage.heard_so_far();
    for command in ["app_status", "list_items", "list_integrations"] {
        stage.calls(command, json!({})).unwrap();
    }
    assert_eq!(luma.requests().len(), 0, "reading asks nobody");
    let asked = stage
        .heard_so_far()
        .iter()
        .any(|notice| notice["type"] == "VAULT_ASKED");
    assert!(!asked, "reading opens no keychain");
}

#[test]
#[should_panic(expected = "credentials belong into the keychain only")]
fn a_credential_left_in_the_data_folder_fails_any_test_here() {
    let stage = Stage::open();
    fs::write(stage.folder.path().join("left"), "token=xxCANARYEB123").unwrap();
}
