//! The OS keychain. Calls run one at a time on a worker thread of their own, each with a deadline: a keychain may show
//! a prompt that nobody answers, or hang. A call past its deadline abandons the worker; the next one gets a new worker
//! with a fresh connection, at most [`MOST_ABANDONED`], then the keychain counts as unavailable until one returns.

mod entry;
mod lock_state;
mod native;
mod worker;

use async_trait::async_trait;
use entry::{LARGEST_ENTRY, decode, decode_app, encode, encode_app, without_generation_regress};
use keyring::{CredentialStore, Entry, Error};
use lock_state::LockState;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use talkvalue_core::domain::credential::{Credential, OauthApp};
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::ports::{Patience, Vault, VaultError};
use worker::{CallFailed, Worker};
use zeroize::Zeroizing;

/// Tells a keychain that was emptied from one that holds nothing of ours yet.
const SENTINEL: &str = "sentinel";
const SENTINEL_TEXT: &[u8] = b"TalkValue Sync keeps sign-ins in this keychain.";
const MOST_ABANDONED: usize = 3;

/// Whether the keychain says of itself that it is locked; `None` where that cannot be told. Shows no prompt.
pub type IsLocked = dyn Fn() -> Option<bool> + Send + Sync;

/// Opens a connection to the keychain; called again after an error.
pub type OpenStore = dyn Fn() -> Result<Arc<CredentialStore>, Error> + Send + Sync;

type Modifiers = Option<HashMap<&'static str, &'static str>>;

/// How long calls may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    pub background: Duration,
    pub person_asked: Duration,
    /// How long it may take to say whether it is locked, which comes before the call itself.
    pub lock_state: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            background: Duration::from_secs(3),
            person_asked: Duration::from_secs(120),
            lock_state: Duration::from_secs(2),
        }
    }
}

/// The keychain under one service name.
pub struct KeychainVault {
    service: String,
    worker: Worker,
    /// What every entry is built with.
    modifiers: Modifiers,
    deadlines: Deadlines,
    lock_state: LockState,
}

impl KeychainVault {
    /// This OS's own keychain.
    pub fn native(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            worker: Worker::new(Arc::new(native::open), MOST_ABANDONED),
            modifiers: native::modifiers(),
            deadlines: Deadlines::default(),
            lock_state: LockState::new(Arc::new(native::is_locked)),
        }
    }

    /// Another store, for tests of what this adapter adds.
    pub fn with_store(service: &str, open: Arc<OpenStore>, deadlines: Deadlines) -> Self {
        Self {
            service: service.to_owned(),
            worker: Worker::new(open, MOST_ABANDONED),
            modifiers: None,
            deadlines,
            lock_state: LockState::new(Arc::new(|| None)),
        }
    }

    /// The same, over a store that says whether it is locked.
    pub fn with_lock_state(self, is_locked: Arc<IsLocked>) -> Self {
        Self {
            lock_state: LockState::new(is_locked),
            ..self
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        patience: Patience,
        work: impl Fn(&Drawer<'_>) -> Result<T, VaultError> + Send + Sync + 'static,
    ) -> Result<T, VaultError> {
        // Any call on a locked keychain would show its prompt; in the background nobody asked for one.
        if patience == Patience::Background && self.says_locked().await {
            return Err(VaultError::Locked);
        }
        let deadline = match patience {
            Patience::Background => self.deadlines.background,
            Patience::PersonAsked => self.deadlines.person_asked,
        };
        let (service, modifiers) = (self.service.clone(), self.modifiers.clone());
        let awaited = Awaited::default();
        let is_awaited = awaited.0.clone();
        let result = self
            .worker
            .call(deadline, move |store| {
                let result = work(&Drawer {
                    store,
                    service: &service,
                    modifiers: modifiers.as_ref(),
                    is_awaited: &is_awaited,
                });
                // After a broken connection the worker opens a fresh one and the call is made once more.
                match &result {
                    Err(VaultError::Unavailable { .. }) => Err(result),
                    _ => Ok(result),
                }
            })
            .await;
        drop(awaited);
        match result {
            Ok(Err(VaultError::Unavailable { detail })) => Err(self.named(detail).await),
            Ok(result) => result,
            Err(CallFailed::Opening(error)) => Err(VaultError::Absent {
                detail: kind_of(&error).to_owned(),
            }),
            Err(CallFailed::TookTooLong) => Err(self.named("no answer in time".to_owned()).await),
            Err(CallFailed::AllHang) => Err(VaultError::Unavailable {
                detail: "it has not answered several times".to_owned(),
            }),
        }
    }

    /// Locked, if the keychain says so of itself; unavailable otherwise.
    async fn named(&self, detail: String) -> VaultError {
        if self.says_locked().await {
            VaultError::Locked
        } else {
            VaultError::Unavailable { detail }
        }
    }

    /// Whether the keychain says of itself that it is locked. Asked without a prompt.
    async fn says_locked(&self) -> bool {
        self.lock_state.ask(self.deadlines.lock_state).await == Some(true)
    }
}

#[async_trait]
impl Vault for KeychainVault {
    async fn load(&self, integration: &IntegrationId, patience: Patience) -> Result<Credential, VaultError> {
        let user = integration.as_str().to_owned();
        let loaded = self
            .call(patience, move |drawer| match drawer.read(&user)? {
                Some(bytes) => decode(&bytes).ok_or(VaultError::Unreadable),
                None if drawer.read(SENTINEL)?.is_some() => Err(VaultError::Missing),
                None => Err(VaultError::NotThereYet),
            })
            .await;
        // A locked keychain may show nothing at all: it is locked, not emptied.
        match loaded {
            Err(VaultError::NotThereYet) if self.says_locked().await => Err(VaultError::Locked),
            loaded => loaded,
        }
    }

    async fn save(
        &self,
        integration: &IntegrationId,
        credential: &Credential,
        patience: Patience,
    ) -> Result<(), VaultError> {
        let bytes = encode(credential);
        fits(&bytes)?;
        let user = integration.as_str().to_owned();
        self.call(patience, move |drawer| {
            drawer.write(SENTINEL, SENTINEL_TEXT)?;
            let held = drawer.read(&user)?;
            let bytes = without_generation_regress(held.as_deref().map(Vec::as_slice), &bytes);
            drawer.write(&user, bytes)
        })
        .await
    }

    async fn check_keeps(&self, patience: Patience) -> Result<(), VaultError> {
        self.call(patience, |drawer| drawer.write(SENTINEL, SENTINEL_TEXT))
            .await
    }

    async fn load_app(&self, provider: Provider, patience: Patience) -> Result<Option<OauthApp>, VaultError> {
        self.call(patience, move |drawer| {
            match drawer.read(app_entry(provider))? {
                Some(bytes) => decode_app(&bytes).ok_or(VaultError::Unreadable).map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    async fn save_app(
        &self,
        provider: Provider,
        app: &OauthApp,
        patience: Patience,
    ) -> Result<(), VaultError> {
        let bytes = encode_app(app);
        fits(&bytes)?;
        self.call(patience, move |drawer| {
            drawer.write(SENTINEL, SENTINEL_TEXT)?;
            drawer.write(app_entry(provider), &bytes)
        })
        .await
    }

    async fn erase_app(&self, provider: Provider, patience: Patience) -> Result<(), VaultError> {
        self.call(patience, move |drawer| drawer.erase(app_entry(provider)))
            .await
    }

    async fn erase(&self, integration: &IntegrationId, patience: Patience) -> Result<(), VaultError> {
        let user = integration.as_str().to_owned();
        self.call(patience, move |drawer| drawer.erase(&user)).await
    }

    async fn check(&self, patience: Patience) -> Result<(), VaultError> {
        self.call(patience, |drawer| drawer.read(SENTINEL).map(|_| ()))
            .await
    }
}

/// Refuses what some keychain could not keep, before anything is written.
fn fits(bytes: &[u8]) -> Result<(), VaultError> {
    if bytes.len() <= LARGEST_ENTRY {
        return Ok(());
    }
    Err(VaultError::TooLarge {
        bytes: bytes.len(),
        limit: LARGEST_ENTRY,
    })
}

/// The entry of the workspace's own app. Ids of integrations begin with another word.
fn app_entry(provider: Provider) -> &'static str {
    match provider {
        Provider::Eventbrite => "app-eventbrite",
        Provider::Luma => "app-luma",
    }
}

/// That somebody waits for a call, until dropped.
struct Awaited(Arc<AtomicBool>);

impl Default for Awaited {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Our entries in one open store.
struct Drawer<'a> {
    store: &'a CredentialStore,
    service: &'a str,
    modifiers: Option<&'a HashMap<&'static str, &'static str>>,
    is_awaited: &'a AtomicBool,
}

impl Drawer<'_> {
    /// Whoever asked for a change may have been told long ago that it did not come about: then it must not, when a prompt
    /// is answered at last.
    fn may_change(&self) -> Result<(), VaultError> {
        if self.is_awaited.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(VaultError::Unavailable {
            detail: "nobody waits for it any more".to_owned(),
        })
    }

    fn entry(&self, user: &str) -> Result<Entry, VaultError> {
        self.store
            .build(self.service, user, self.modifiers)
            .map_err(|error| translate(&error))
    }

    fn read(&self, user: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self.entry(user)?.get_secret() {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(translate(&error)),
        }
    }

    /// Writes and reads back: a keychain that says yes and keeps nothing is found out here.
    fn write(&self, user: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.may_change()?;
        self.entry(user)?
            .set_secret(bytes)
            .map_err(|error| match translate(&error) {
                VaultError::Unavailable { detail }
                    if matches!(error, Error::TooLong(..) | Error::Invalid(..)) =>
                {
                    VaultError::WriteFailed { detail }
                }
                other => other,
            })?;
        match self.read(user)? {
            Some(held) if held.as_slice() == bytes => Ok(()),
            _ => Err(VaultError::WriteFailed {
                detail: "it gave back something else".to_owned(),
            }),
        }
    }

    fn erase(&self, user: &str) -> Result<(), VaultError> {
        self.may_change()?;
        match self.entry(user)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(translate(&error)),
        }
    }
}

/// The keychain's error in the core's terms. Its texts are not kept: they come from the OS and may hold anything.
fn translate(error: &Error) -> VaultError {
    match error {
        Error::NoStorageAccess(_) if native::is_refusal(error) => VaultError::Locked,
        _ => VaultError::Unavailable {
            detail: kind_of(error).to_owned(),
        },
    }
}

fn kind_of(error: &Error) -> &'static str {
    match error {
        Error::PlatformFailure(_) => "the keychain service failed",
        Error::NoStorageAccess(_) => "the keychain cannot be accessed",
        Error::NoEntry => "no entry",
        Error::TooLong(..) => "the entry is too long",
        Error::Invalid(..) => "a name is not allowed",
        Error::Ambiguous(_) => "there are several entries of that name",
        Error::NoDefaultStore => "there is no keychain",
        _ => "the keychain gave an unexpected answer",
    }
}
