//! Every command of Tauri's own, by the manifest that its build writes: a list by hand would miss what a new version brings.
//! Shared by the tests on the mock runtime and those in the real window.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// Where tauri-build leaves what it has found out about permissions.
const MANIFEST: &str = "gen/schemas/acl-manifests.json";

/// The app's own commands stand there too; they have a list of their own.
const THE_APP: &str = "__app-acl__";

static TAURIS_OWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(MANIFEST);
    let text = std::fs::read_to_string(&path).expect("the build has written the manifest of permissions");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    let mut commands = BTreeSet::new();
    for (plugin, of_plugin) in manifest.as_object().expect("plugin by plugin") {
        if plugin == THE_APP {
            continue;
        }
        // "core:window" is called as "plugin:window|create".
        let name = plugin.strip_prefix("core:").unwrap_or(plugin);
        let permissions = of_plugin["permissions"]
            .as_object()
            .expect("permission by permission");
        for permission in permissions.values() {
            for command in permission["commands"]["allow"].as_array().expect("a list") {
                let command = command.as_str().expect("a name");
                commands.insert(format!("plugin:{name}|{command}"));
            }
        }
    }
    for known in [
        "plugin:event|listen",
        "plugin:event|emit_to",
        "plugin:window|create",
        "plugin:window|set_title",
        "plugin:webview|create_webview_window",
        "plugin:webview|internal_toggle_devtools",
        "plugin:path|resolve_directory",
        "plugin:app|version",
        "plugin:resources|close",
        "plugin:image|from_path",
    ] {
        assert!(
            commands.contains(known),
            "the manifest is read as it is written: {known} is a command of Tauri's"
        );
    }
    commands.into_iter().collect()
});

/// Every command of Tauri's own and of its plugins, as a page calls it.
pub(crate) fn tauris_own() -> impl Iterator<Item = &'static str> {
    TAURIS_OWN.iter().map(String::as_str)
}
