//! The keychain of each OS: Secret Service (Linux and other Unixes), Credential Manager (Windows), Keychain (macOS).

use keyring::{CredentialStore, Error};
use std::collections::HashMap;
use std::sync::Arc;

#[cfg(target_os = "linux")]
pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "windows")]
pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "macos")]
pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(not(any(target_os = "linux", target_os = "windows", target_os = "macos")))]
pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoDefaultStore)
}

/// What every entry is built with.
pub(super) fn modifiers() -> Option<HashMap<&'static str, &'static str>> {
    if cfg!(target_os = "windows") {
        // The default, Enterprise, would carry sign-ins to other computers of a domain.
        Some(HashMap::from([("persistence", "Local")]))
    } else {
        None
    }
}

/// Whether a refusal of access means that the keychain is locked. A Secret Service that has no collection at all
/// refuses too, after a prompt that could not be shown: it is absent rather than locked.
#[cfg(target_os = "linux")]
pub(super) fn is_refusal(error: &Error) -> bool {
    let Error::NoStorageAccess(cause) = error else {
        return false;
    };
    match cause.downcast_ref::<secret_service::Error>() {
        Some(secret_service::Error::NoResult) => false,
        Some(_) | None => true,
    }
}

/// Elsewhere a refusal of access names a keychain that is not there (Windows: no logon session; macOS: no such keychain).
#[cfg(not(target_os = "linux"))]
pub(super) fn is_refusal(_error: &Error) -> bool {
    false
}

/// Whether the default collection says of itself that it is locked; `None` where that cannot be told. Shows no prompt.
#[cfg(target_os = "linux")]
pub(super) fn is_locked() -> Option<bool> {
    use secret_service::{EncryptionType, blocking::SecretService};
    let service = SecretService::connect(EncryptionType::Plain).ok()?;
    service.get_default_collection().ok()?.is_locked().ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_locked() -> Option<bool> {
    None
}
