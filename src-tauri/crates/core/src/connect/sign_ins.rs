//! The sign-ins of one process: taking a credential out of the keychain, fresh, and what the keychain did not take.
//!
//! A credential that could not be saved is kept in memory as long as the process lives, and offered to the keychain
//! again (see [`super::upkeep`]). Where no keychain exists at all, that is where sign-ins live, in processes that say
//! that they keep them.

use super::renewal::{self, Flight};
use crate::domain::credential::{Credential, Generation, Need, OauthApp};
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::domain::provider::Provider;
use crate::ports::{LockGuard, Notice, Patience, Ports, ProviderError, StoreError, VaultError};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::{debug, warn};

/// A keychain that holds neither our entry nor our sentinel may still be starting; after this long it is taken for
/// emptied.
const EMPTY_VAULT_PATIENCE: Duration = Duration::from_secs(60);
const EMPTY_VAULT_STEP: Duration = Duration::from_secs(3);

/// Why there is no credential to go on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The provider refused to renew it, and that has severed the integration; or it was severed meanwhile.
    #[error("the sign-in has ended")]
    Severed,
    /// The provider refuses the workspace's own app.
    #[error("the app is refused")]
    AppRejected,
    /// It has lapsed, and the provider did not renew it just now.
    #[error("the sign-in could not be renewed: {0}")]
    Provider(ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CredentialError {
    /// The failure table's row, for whoever judges a call that needed the credential.
    pub(crate) fn failure(&self, at: Timestamp) -> Failure {
        match self {
            CredentialError::Vault(error) => error.failure(at),
            CredentialError::Severed => Failure::new(FailureCode::CredentialsRejected, at),
            CredentialError::AppRejected => Failure::new(FailureCode::AppRejected, at),
            CredentialError::Provider(error) => Failure {
                code: renewal::code_of(error),
                at,
                detail: Some(error.to_string()),
            },
            CredentialError::Store(_) => Failure::new(FailureCode::StorageFailed, at),
        }
    }
}

/// What one process knows of its sign-ins. One per process, in [`Ports`].
#[derive(Default)]
pub struct SignIns {
    state: Mutex<State>,
    keeps_without_keychain: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    /// Renewals under way.
    pub(super) flights: HashMap<IntegrationId, Flight>,
    /// Renewals that failed, and until when nobody tries again.
    pub(super) resting: HashMap<IntegrationId, (Timestamp, CredentialError)>,
    /// Credentials that were renewed because the one before was refused, and that nothing was done with yet: if one of
    /// these is refused too, a renewal does not help.
    pub(super) after_refusal: HashMap<IntegrationId, Generation>,
    /// Credentials that the keychain did not take, with its reason.
    held: HashMap<IntegrationId, (Credential, VaultError)>,
    /// Says so to other processes, while there are any.
    says_unsaved: Option<LockGuard>,
    /// Apps that were entered where there is no keychain.
    apps: HashMap<Provider, OauthApp>,
}

impl State {
    /// Whether there was one.
    fn let_go(&mut self, id: &IntegrationId) -> bool {
        let was_held = self.held.remove(id).is_some();
        if self.held.is_empty() {
            self.says_unsaved = None;
        }
        was_held
    }
}

impl SignIns {
    /// This process lives long enough to keep sign-ins in memory where there is no keychain.
    pub fn keep_without_keychain(&self) {
        self.keeps_without_keychain.store(true, Ordering::Release);
    }

    /// Whether what the keychain refuses with `error` lives in memory in this process.
    pub(super) fn keeps_despite(&self, error: &VaultError) -> bool {
        matches!(error, VaultError::Absent { .. }) && self.keeps_without_keychain.load(Ordering::Acquire)
    }

    pub(super) fn app_in_memory(&self, provider: Provider) -> Option<OauthApp> {
        self.state().apps.get(&provider).cloned()
    }

    /// Whether that is news.
    pub(super) fn hold_app(&self, provider: Provider, app: &OauthApp) -> bool {
        self.state().apps.insert(provider, app.clone()).is_none()
    }

    /// Whether there was one.
    pub(super) fn forget_app(&self, provider: Provider) -> bool {
        self.state().apps.remove(&provider).is_some()
    }

    /// At which providers the app is in memory only.
    pub(super) fn held_apps(&self) -> Vec<Provider> {
        self.state().apps.keys().copied().collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn in_memory(&self, id: &IntegrationId) -> Option<Credential> {
        self.state()
            .held
            .get(id)
            .map(|(credential, _)| credential.clone())
    }

    /// Whose credentials the keychain did not take.
    pub(super) fn held_ids(&self) -> Vec<IntegrationId> {
        self.state().held.keys().cloned().collect()
    }

    /// The provider took the account's credential: if one is refused after this, renewing it may help again.
    pub(crate) fn accepted(&self, id: &IntegrationId) {
        self.state().after_refusal.remove(id);
    }

    pub(super) fn forget(&self, id: &IntegrationId) -> bool {
        let mut state = self.state();
        state.resting.remove(id);
        state.after_refusal.remove(id);
        state.let_go(id)
    }

    /// Nobody has to rest any more: what they failed over was changed by a person.
    pub(super) fn rest_no_longer(&self) {
        self.state().resting.clear();
    }

    /// What a person must know of sign-ins that are in memory only.
    pub fn unsaved(&self) -> Option<String> {
        let state = self.state();
        let sentence = match state.held.values().next() {
            Some((_, VaultError::Absent { .. })) => {
                "This computer offers no keychain. The sign-in is kept in memory until you quit."
            }
            Some(_) => "A renewed sign-in could not be saved. It works until you quit.",
            None if state.apps.is_empty() => return None,
            None => "This computer offers no keychain. Your app's data is kept in memory until you quit.",
        };
        Some(sentence.to_owned())
    }
}

/// Where a credential is kept now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    InKeychain,
    InMemory,
}

/// The caller holds the credentials lock. Saves a credential, or keeps it in memory: a renewed one always, because its
/// predecessor may be worth nothing now; a new one where there is no keychain and the process says that it keeps them.
pub(super) async fn save_or_hold(
    ports: &Ports,
    id: &IntegrationId,
    credential: &Credential,
    patience: Patience,
    is_renewal: bool,
) -> Result<Kept, VaultError> {
    let saved = ports.vault.save(id, credential, patience).await;
    let may_hold = |error: &VaultError| is_renewal || ports.sign_ins.keeps_despite(error);
    let (kept, changed) = match saved {
        Ok(()) => (Kept::InKeychain, ports.sign_ins.state().let_go(id)),
        Err(error) if may_hold(&error) => {
            debug!(integration.id = %id, error = %error, "a sign-in is kept in memory");
            let mut state = ports.sign_ins.state();
            if state.says_unsaved.is_none() {
                state.says_unsaved = ports
                    .locks
                    .say_unsaved()
                    .inspect_err(|error| warn!(error = %error, "other processes cannot be told of it"))
                    .ok();
            }
            let entry = (credential.clone(), error);
            (Kept::InMemory, state.held.insert(id.clone(), entry).is_none())
        }
        Err(error) => return Err(error),
    };
    if changed {
        ports.notices.notify(Notice::SignInsHeldChanged);
    }
    Ok(kept)
}

/// An integration's credential, renewed if it is about to lapse. [`VaultError::Missing`] is certain,
/// [`VaultError::NotThereYet`] never returned.
pub(crate) async fn open_credential(
    ports: &Ports,
    integration: &Integration,
    patience: Patience,
) -> Result<Credential, CredentialError> {
    ports.notices.notify(Notice::AskingVault);
    let held = held_credential(ports, integration, patience).await?;
    match held.need(ports.clock.now()) {
        Need::None => Ok(held),
        need => match renewal::renew(ports, integration, renewal::Cause::Due, patience).await {
            // What was disconnected or refused meanwhile is not used any more, though it may last a while.
            Err(error) if need == Need::Soon && error != CredentialError::Severed => Ok(held),
            renewed => renewed,
        },
    }
}

/// The credential as it is kept. The one in memory counts until the keychain holds a newer one. `integration` tells
/// which is the newest, and was read before: where the keychain is behind it, the newer one is in the memory of another
/// process, or was lost with it.
pub(super) async fn held_credential(
    ports: &Ports,
    integration: &Integration,
    patience: Patience,
) -> Result<Credential, VaultError> {
    if let Some(in_memory) = ports.sign_ins.in_memory(&integration.id) {
        return Ok(
            match ports.vault.load(&integration.id, Patience::Background).await {
                Ok(saved) if saved.generation > in_memory.generation => saved,
                _ => in_memory,
            },
        );
    }
    let newest = integration.generation;
    match load_in_time(ports, integration, patience).await {
        Ok(saved) if saved.generation >= newest => return Ok(saved),
        Ok(_) | Err(VaultError::Missing) => {}
        Err(error) => return Err(error),
    }
    if ports.locks.somebody_has_unsaved() {
        return Err(VaultError::HeldElsewhere);
    }
    // Nobody has it unsaved now: either it was saved meanwhile, or what the keychain holds is all there is.
    let saved = match ports.vault.load(&integration.id, patience).await {
        Err(VaultError::NotThereYet) => Err(VaultError::Missing),
        answer => answer,
    }?;
    Ok(Credential {
        generation: saved.generation.max(newest),
        ..saved
    })
}

/// The keychain's entry, waited for where the keychain may still be starting.
async fn load_in_time(
    ports: &Ports,
    integration: &Integration,
    patience: Patience,
) -> Result<Credential, VaultError> {
    let mut waited = Duration::ZERO;
    loop {
        match ports.vault.load(&integration.id, patience).await {
            Err(VaultError::NotThereYet) if waited < EMPTY_VAULT_PATIENCE => {
                debug!(integration.id = %integration.id, "the keychain holds nothing of ours yet");
                ports.clock.sleep(EMPTY_VAULT_STEP).await;
                waited += EMPTY_VAULT_STEP;
            }
            Err(VaultError::NotThereYet) => return Err(VaultError::Missing),
            other => return other,
        }
    }
}
