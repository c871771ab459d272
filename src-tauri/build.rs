//! Gives Tauri its configuration, with the permissions in our own folders. Owns the empty `ui/dist` that lets tests
//! and checks compile before anybody has built the window's files.

use std::path::Path;
use std::{fs, io};

use tauri_build::{AppManifest, Attributes};

const DIST: &str = "ui/dist";
const PLACEHOLDER: &str = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>TalkValue Sync</title>\n\
    <p>The window is not built yet: run <code>npm run build</code> in <code>ui</code>.</p>\n";

fn main() {
    // With custom patterns Tauri does not watch the folders itself.
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/permissions");
    println!("cargo:rerun-if-changed={DIST}");

    if let Err(error) = lay_placeholder(Path::new(DIST)) {
        panic!("{DIST} could not be made: {error}");
    }
    // The manifest is what closes commands to windows that were not granted them. No command is named here:
    // `AppManifest::commands` would write permission files at the repository's root; ours are hand-written.
    let attributes = Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*"));
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration does not hold: {error:#}");
    }
}

/// Tauri embeds `ui/dist` while compiling and fails without it.
fn lay_placeholder(dist: &Path) -> io::Result<()> {
    let page = dist.join("index.html");
    if page.exists() {
        return Ok(());
    }
    fs::create_dir_all(dist)?;
    fs::write(page, PLACEHOLDER)
}
