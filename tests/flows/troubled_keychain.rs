//! Keychains that misbehave, over a real one in memory.

use keyring::api::{CredentialApi, CredentialStoreApi};
use keyring::{Credential, CredentialStore, Entry, Error};
use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use talkvalue_sandbox::SandboxClock;

/// A keychain that is ready late: empty until `ready_at`, by the sandbox's clock.
pub(crate) struct LateKeychain {
    pub(crate) inner: Arc<CredentialStore>,
    pub(crate) clock: SandboxClock,
    pub(crate) ready_at: jiff::Timestamp,
}

impl std::fmt::Debug for LateKeychain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LateKeychain")
    }
}

impl CredentialStoreApi for LateKeychain {
    fn vendor(&self) -> String {
        "test".to_owned()
    }

    fn id(&self) -> String {
        "late".to_owned()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> keyring::Result<Entry> {
        let ready = self.clock.now() >= self.ready_at;
        let service = if ready { service } else { "not ready yet" };
        self.inner.build(service, user, modifiers)
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[derive(Clone)]
pub(crate) enum Trouble {
    /// No call returns until the gate's other end is dropped.
    Hangs(Arc<Mutex<Receiver<()>>>),
    /// Says yes to every write and keeps none.
    KeepsNothing,
    /// Refuses what is longer than a sentence.
    TakesShortOnesOnly,
    /// As the mood is at the moment.
    Moody(Arc<Mutex<Mood>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Serves,
    Locked,
    /// Shows what it holds, and takes nothing.
    ReadOnly,
    /// Takes what is short, and no sign-in.
    TakesNoSignIn,
}

impl Mood {
    fn allows(self, written: Option<&[u8]>) -> keyring::Result<()> {
        match (self, written) {
            (Mood::Locked, _) => Err(Error::NoStorageAccess("locked".into())),
            (Mood::ReadOnly, Some(_)) => Err(Error::PlatformFailure("read-only".into())),
            (Mood::TakesNoSignIn, Some(secret)) if secret.len() > 80 => {
                Err(Error::PlatformFailure("no room".into()))
            }
            _ => Ok(()),
        }
    }
}

/// A keychain whose entries are in trouble.
pub(crate) struct TroubledKeychain {
    pub(crate) inner: Arc<CredentialStore>,
    pub(crate) trouble: Trouble,
}

struct TroubledEntry {
    inner: Entry,
    trouble: Trouble,
}

impl std::fmt::Debug for TroubledKeychain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TroubledKeychain")
    }
}

impl std::fmt::Debug for TroubledEntry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TroubledEntry")
    }
}

impl CredentialStoreApi for TroubledKeychain {
    fn vendor(&self) -> String {
        "test".to_owned()
    }

    fn id(&self) -> String {
        "troubled".to_owned()
    }

    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> keyring::Result<Entry> {
        let entry = TroubledEntry {
            inner: self.inner.build(service, user, modifiers)?,
            trouble: self.trouble.clone(),
        };
        Ok(Entry::new_with_credential(Arc::new(entry)))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl TroubledEntry {
    fn may_refuse(&self, written: Option<&[u8]>) -> keyring::Result<()> {
        match &self.trouble {
            Trouble::Moody(mood) => mood.lock().unwrap().allows(written),
            _ => Ok(()),
        }
    }

    fn may_hang(&self) {
        if let Trouble::Hangs(gate) = &self.trouble {
            // An error means that the other end was dropped: the gate is open.
            let _ = gate.lock().unwrap().recv();
        }
    }
}

impl CredentialApi for TroubledEntry {
    fn set_secret(&self, secret: &[u8]) -> keyring::Result<()> {
        self.may_hang();
        self.may_refuse(Some(secret))?;
        match self.trouble {
            Trouble::KeepsNothing => Ok(()),
            Trouble::TakesShortOnesOnly if secret.len() > 80 => Err(Error::TooLong("secret".to_owned(), 80)),
            _ => self.inner.set_secret(secret),
        }
    }

    fn get_secret(&self) -> keyring::Result<Vec<u8>> {
        self.may_hang();
        self.may_refuse(None)?;
        self.inner.get_secret()
    }

    fn delete_credential(&self) -> keyring::Result<()> {
        self.may_hang();
        self.may_refuse(None)?;
        self.inner.delete_credential()
    }

    fn get_credential(&self) -> keyring::Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        self.inner.get_specifiers()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
