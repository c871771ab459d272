//! The support file: what a developer needs to see, and nothing about people. No titles, names, e-mails, account
//! labels or credentials; the keychain is not opened.

use crate::terminal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use talkvalue_adapters::Settings;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Ports;
use talkvalue_core::query::{self, IntegrationView, ItemView};

/// Gathers the facts. A data folder that cannot be opened or read is itself one of them.
pub(crate) async fn collect(settings: &Settings, opened: Result<&Ports, &CommandError>) -> Value {
    let kept = match opened {
        Ok(ports) => what_is_kept(ports)
            .await
            .unwrap_or_else(|error| unreadable(&error)),
        Err(error) => unreadable(error),
    };
    json!({
        "program": "tvsync",
        "version": env!("CARGO_PKG_VERSION"),
        "madeAt": jiff::Timestamp::now(),
        "system": system(),
        "dataDir": without_home(&settings.data_dir.display().to_string()),
        "servers": {
            "eventbriteApi": settings.eventbrite.api,
            "eventbriteOauth": settings.eventbrite.oauth,
            "lumaApi": settings.luma.api,
            "lumaOauth": settings.luma.oauth,
        },
        "vaultService": settings.vault_service,
        "kept": kept,
    })
}

fn unreadable(error: &CommandError) -> Value {
    json!({ "error": { "code": error.code, "message": without_home(&error.message) } })
}

async fn what_is_kept(ports: &Ports) -> Result<Value, CommandError> {
    // The stored reasons hold a detail that the views leave out; it is kept free of names for this very file.
    let details: HashMap<ItemId, String> = ports
        .store
        .items()
        .await?
        .into_iter()
        .filter_map(|record| {
            let detail = record.severed.or(record.last_failure)?.detail?;
            Some((record.item.id, detail))
        })
        .collect();
    let items: Vec<Value> = query::items(ports, EngineView::default())
        .await?
        .iter()
        .map(|item| item_facts(item, details.get(&item.id)))
        .collect();
    let integrations: Vec<Value> = query::integrations(ports)
        .await?
        .iter()
        .map(integration_facts)
        .collect();
    Ok(json!({
        "database": ports.store.diagnostics().await?,
        "items": items,
        "integrations": integrations,
    }))
}

fn item_facts(item: &ItemView, detail: Option<&String>) -> Value {
    json!({
        "id": item.id,
        "integrationId": item.integration_id,
        "kind": item.kind,
        "provider": item.provider,
        "syncStatus": item.sync_status,
        "freshness": item.freshness,
        "alert": item.alert,
        "failureCode": item.failure.as_ref().map(|failure| failure.code),
        "failureDetail": detail,
        "waiting": item.waiting,
        "activeJob": item.active_job,
        "counts": item.counts,
        "tickets": item.tickets,
        "unreadable": item.unreadable,
        "archived": item.archived,
        "startsAt": item.starts_at,
        "endsAt": item.ends_at,
        "lastSyncedAt": item.last_synced_at,
        "lastAttemptedAt": item.last_attempted_at,
        "nextAttemptAt": item.next_attempt_at,
    })
}

fn integration_facts(integration: &IntegrationView) -> Value {
    json!({
        "id": integration.id,
        "provider": integration.provider,
        "status": integration.status,
        "signIn": integration.sign_in,
        "connectedAt": integration.connected_at,
        "lastVerifiedAt": integration.last_verified_at,
        "expiresAt": integration.expires_at,
        "failureCode": integration.failure.as_ref().map(|failure| failure.code),
    })
}

fn system() -> Value {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    json!({
        "os": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "name": release_name(),
        "desktop": std::env::var("XDG_CURRENT_DESKTOP").ok(),
        "sessionBus": set("DBUS_SESSION_BUS_ADDRESS"),
        "proxy": set("HTTPS_PROXY") || set("https_proxy") || set("ALL_PROXY") || set("all_proxy"),
        "terminal": terminal::stderr_is_terminal(),
    })
}

/// What a Linux system calls itself; other systems are known by `os`.
fn release_name() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// The home folder's path names its owner.
fn without_home(text: &str) -> String {
    ["HOME", "USERPROFILE"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .filter(|home| home.len() > 1)
        .fold(text.to_owned(), |text, home| text.replace(&home, "~"))
}

/// Writes the file for its owner's eyes. An existing one is replaced only if `force` says so, and then as a whole.
pub(crate) fn save(path: &Path, facts: &Value, force: bool) -> Result<(), CommandError> {
    let mut text = serde_json::to_vec_pretty(facts).unwrap_or_default();
    text.push(b'\n');
    let written = if force {
        replace(path, &text)
    } else {
        create(path, &text)
    };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CommandError::bad_input(format!(
            "{} exists already and was left as it is. Name another file, or replace it with --force.",
            path.display()
        )),
        _ => CommandError::bad_input(format!("{} cannot be written: {error}.", path.display())),
    })
}

fn create(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text)
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A temporary file is its owner's alone, and renaming it replaces a link rather than following it.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::integrations::tests::connected;
    use crate::render::samples::{failure, live_item};
    use talkvalue_core::domain::failure::FailureCode;
    use talkvalue_core::error::ErrorCode;

    #[test]
    fn facts_hold_codes_and_nothing_about_people() {
        let item = ItemView {
            failure: failure(FailureCode::RemoteGone),
            ..live_item()
        };
        let text = format!("{} {}", item_facts(&item, None), integration_facts(&connected()));
        for personal in [
            "Harbour",
            "dockhall",
            "Dock Hall",
            "Something happened",
            "9001",
            "\"1122334455\"",
        ] {
            assert!(!text.contains(personal), "{personal} must not be in {text}");
        }
        assert!(text.contains("REMOTE_GONE"), "{text}");
    }

    #[test]
    fn an_existing_file_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("support.json");
        save(&path, &json!({"n": 1}), false).expect("a new file");
        let refused = save(&path, &json!({"n": 2}), false).expect_err("it exists");
        assert_eq!(refused.code, ErrorCode::BadInput);
        assert!(std::fs::read_to_string(&path).expect("kept").contains('1'));
        save(&path, &json!({"n": 3}), true).expect("forced");
        assert!(std::fs::read_to_string(&path).expect("replaced").contains('3'));
        let nowhere = folder.path().join("missing").join("support.json");
        assert!(save(&nowhere, &json!({}), false).is_err());
        assert!(save(&nowhere, &json!({}), true).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_and_links_are_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (path, target) = (folder.path().join("support.json"), folder.path().join("target"));
        std::fs::write(&target, "precious").expect("a target");
        symlink(&target, &path).expect("a link");
        assert!(
            save(&path, &json!({}), false).is_err(),
            "a link is something that exists"
        );
        save(&path, &json!({}), true).expect("the link is replaced");
        assert_eq!(std::fs::read_to_string(&target).expect("untouched"), "precious");
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let fresh = folder.path().join("fresh.json");
        save(&fresh, &json!({}), false).expect("a new file");
        let mode = std::fs::metadata(&fresh).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
