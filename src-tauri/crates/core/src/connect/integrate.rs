//! Connecting an account, by a pasted credential or a sign-in. A credential is saved only after a live call with it
//! succeeded.

use super::check_origin;
use super::keychain::vault_refused;
use super::oauth::save_or_hold_app;
use super::recognise::{recognise, refusal_hint};
use super::sign_ins::save_or_hold;
use super::withdrawal::give_back;
use crate::domain::credential::{Credential, Generation, OauthApp, SignIn};
use crate::domain::failure::FailureCode;
use crate::domain::ids::IntegrationId;
use crate::domain::integration::{Account, Integration};
use crate::domain::provider::Provider;
use crate::error::CommandError;
use crate::ports::{Notice, Ports, ProviderError};
use crate::query::{self, IntegrationView, stored_integration};
use crate::sync::call::{CallError, Silently, Waiter, call};
use crate::sync::engine::EngineOptions;
use crate::sync::turn::take_credentials_turn;
use secrecy::{ExposeSecret, SecretString};

/// What connecting brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    pub integration: IntegrationView,
    /// Events of the account's first page, to say "14 events"; `None` where they could not be listed just now.
    pub events: Option<usize>,
}

/// A credential that a live call accepted, with the account it opens. Nothing of it is saved yet: [`add_account`] does
/// that, and [`give_back`] is for a sign-in that is not wanted.
#[derive(Clone)]
pub struct Proved {
    pub(super) provider: Provider,
    pub(super) account: Account,
    pub(super) credential: Credential,
    /// The app that was signed in to, to be kept with it.
    pub(super) app: Option<OauthApp>,
    events: Option<usize>,
}

/// What a sign-in came to.
pub enum SignedIn {
    Connected(Connected),
    /// Somebody else than was needed: nothing was changed. [`add_account`] connects them as another account,
    /// [`give_back`] ends their sign-in.
    OtherAccount {
        /// Who was needed, and who signed in: said in one sentence.
        error: CommandError,
        /// Who was needed.
        needed: String,
        /// Who signed in.
        signed_in_as: String,
        proved: Box<Proved>,
    },
}

/// Proves a pasted credential with a live call, then saves it. Connecting a known account renews it under the same id.
/// With `renews`, only a credential of that account will do: one of another account is refused and nothing is saved.
pub async fn connect(
    ports: &Ports,
    provider: Provider,
    pasted: SecretString,
    renews: Option<&IntegrationId>,
    options: EngineOptions,
) -> Result<Connected, CommandError> {
    let needed = match renews {
        Some(id) => Some(stored_integration(ports, id).await?),
        None => None,
    };
    if let Some(needed) = &needed {
        check_origin(ports, needed)?;
    }
    let secret = SecretString::from(recognise(provider, pasted.expose_secret())?.to_owned());
    let credential = Credential {
        sign_in: match provider {
            Provider::Eventbrite => SignIn::Token,
            Provider::Luma => SignIn::Key,
        },
        secret: secret.clone(),
        origins: ports.provider(provider).origins().clone(),
        generation: Generation::FIRST,
        grant: None,
    };
    let proved = prove(ports, provider, credential, None, options)
        .await
        .map_err(|error| refused(provider, secret.expose_secret(), error))?;
    match keep_or_ask(ports, proved, needed.as_ref(), options).await? {
        SignedIn::Connected(connected) => Ok(connected),
        SignedIn::OtherAccount { error, .. } => Err(error),
    }
}

/// Asks the provider whose credential it is.
pub(super) async fn prove(
    ports: &Ports,
    provider: Provider,
    credential: Credential,
    app: Option<&OauthApp>,
    options: EngineOptions,
) -> Result<Proved, CallError> {
    let api = ports.provider(provider).clone();
    let mut waiter = Waiter::new(options.wait_limit);
    let account = call(ports, &mut waiter, &mut Silently, || api.identify(&credential)).await?;
    let events = api
        .event_page(&credential, None, None)
        .await
        .ok()
        .map(|page| page.events.len());
    Ok(Proved {
        provider,
        account,
        credential,
        app: app.cloned(),
        events,
    })
}

/// Keeps what was proved, unless another account was needed: then whoever asked decides.
pub(super) async fn keep_or_ask(
    ports: &Ports,
    proved: Proved,
    needed: Option<&Integration>,
    options: EngineOptions,
) -> Result<SignedIn, CommandError> {
    let provider = proved.provider;
    match needed {
        Some(needed) if (needed.provider, &needed.account.id) != (provider, &proved.account.id) => {
            let signed_in_as = proved.account.label(provider).to_owned();
            let error = CommandError::wrong_account(format!(
                "You signed in as {signed_in_as}, but {} is needed here. Nothing was changed.",
                needed.label()
            ));
            Ok(SignedIn::OtherAccount {
                error,
                needed: needed.label().to_owned(),
                signed_in_as,
                proved: Box::new(proved),
            })
        }
        _ => add_account(ports, proved, options).await.map(SignedIn::Connected),
    }
}

/// Saves a proved credential as an integration of its own account. A sign-in that could not be saved is given back.
pub async fn add_account(
    ports: &Ports,
    proved: Proved,
    options: EngineOptions,
) -> Result<Connected, CommandError> {
    let kept = keep(ports, proved.clone(), options).await;
    if kept.is_err() {
        give_back(ports, proved).await;
    }
    kept
}

async fn keep(ports: &Ports, proved: Proved, options: EngineOptions) -> Result<Connected, CommandError> {
    let Proved {
        provider,
        account,
        mut credential,
        app,
        events,
    } = proved;
    let origin = ports.provider(provider).origins().api.clone();
    let expires_at = credential.grant.as_ref().and_then(|grant| grant.expires_at);
    let sign_in = credential.sign_in;
    let _turn = take_credentials_turn(ports).await?;
    let now = ports.clock.now();
    let known = ports
        .store
        .integration_of_account(provider, &account.id, &origin)
        .await?;
    let integration = match known {
        Some(known) => Integration {
            account,
            sign_in,
            generation: newest_generation(ports, &known, options).await.next(),
            connected_at: if known.severed.is_some() {
                now
            } else {
                known.connected_at
            },
            last_verified_at: Some(now),
            expires_at,
            severed: None,
            ..known
        },
        None => Integration {
            id: IntegrationId::random(),
            provider,
            api_origin: origin,
            account,
            sign_in,
            generation: Generation::FIRST,
            connected_at: now,
            last_verified_at: Some(now),
            expires_at,
            severed: None,
        },
    };
    credential.generation = integration.generation;
    ports.notices.notify(Notice::AskingVault);
    if let Err(error) = save(ports, &integration, &credential, app.as_ref(), options).await {
        if integration.generation == Generation::FIRST {
            // Best effort: an entry under a new id could never be reached again, and the first error is what the
            // person must hear.
            let _ = ports.vault.erase(&integration.id, options.patience).await;
            ports.sign_ins.forget(&integration.id);
        }
        return Err(error);
    }
    ports.sign_ins.rest_no_longer();
    ports
        .notices
        .notify(Notice::IntegrationChanged(integration.id.clone()));
    Ok(Connected {
        integration: query::view_integration(integration, &query::reader(ports)),
        events,
    })
}

/// The keychain first: a row without a credential would promise what it cannot keep.
async fn save(
    ports: &Ports,
    integration: &Integration,
    credential: &Credential,
    app: Option<&OauthApp>,
    options: EngineOptions,
) -> Result<(), CommandError> {
    save_or_hold(ports, &integration.id, credential, options.patience, false)
        .await
        .map_err(|error| vault_refused(&error, "Nothing was saved."))?;
    if let Some(app) = app {
        save_or_hold_app(ports, integration.provider, app, options.patience)
            .await
            .map_err(|error| vault_refused(&error, "Nothing was saved."))?;
    }
    ports.store.save_integration(integration).await?;
    Ok(())
}

/// The newest generation known of: the row's, or the keychain's where that is ahead (a data folder that was restored).
async fn newest_generation(ports: &Ports, known: &Integration, options: EngineOptions) -> Generation {
    match ports.vault.load(&known.id, options.patience).await {
        Ok(held) => held.generation.max(known.generation),
        Err(_) => known.generation,
    }
}

/// The sentence for a call about an account, when no item is concerned.
pub(super) fn cannot_ask(provider: Provider, code: FailureCode) -> String {
    let name = provider.name();
    let what = match code {
        FailureCode::Offline => "This computer is offline.".to_owned(),
        FailureCode::NetworkSignIn => "This network wants you to sign in first (venue Wi-Fi?).".to_owned(),
        FailureCode::RateLimited => format!("{name}'s request limit is used up."),
        FailureCode::PlanRequired => {
            format!("{name} refuses this calendar's key. Its Luma Plus plan may have ended.")
        }
        FailureCode::PermissionMissing => format!("{name} does not let this account see that."),
        FailureCode::ProviderChanged => format!("{name} answered in a form this version does not know."),
        FailureCode::VaultLocked => "Your keychain is locked.".to_owned(),
        FailureCode::VaultUnavailable => "This computer's keychain does not answer.".to_owned(),
        FailureCode::StorageFailed => "The local database does not answer.".to_owned(),
        _ => format!("{name} does not answer."),
    };
    format!("{what} Nothing was changed; try again later.")
}

/// Why a credential was not taken, in words that say what to do.
pub(super) fn refused(provider: Provider, pasted: &str, error: CallError) -> CommandError {
    let name = provider.name();
    let credential = provider.credential_name();
    let error = match error {
        CallError::Provider(error) => error,
        CallError::Store(error) => return error.into(),
        CallError::WaitElapsed(_) => {
            return CommandError::waiting(format!(
                "{name}'s request limit is used up, and the time you gave is over. Nothing was saved."
            ));
        }
    };
    match error {
        ProviderError::CredentialsRejected => CommandError::failure(
            FailureCode::CredentialsRejected,
            format!(
                "{name} does not accept this {credential}. {} Nothing was saved.",
                refusal_hint(provider, pasted)
            ),
        ),
        ProviderError::PermissionMissing => match provider {
            Provider::Eventbrite => CommandError::failure(
                FailureCode::CredentialsRejected,
                "Eventbrite knows this token, but it opens no account: it is the public token. Copy the line called \
                 Private token. Nothing was saved.",
            ),
            Provider::Luma => CommandError::failure(
                FailureCode::PlanRequired,
                "Luma knows this key, but refuses it everything: the calendar's Luma Plus plan may have ended. Open \
                 Luma's billing page. Nothing was saved.",
            ),
        },
        ProviderError::Offline => no_answer(FailureCode::Offline, provider),
        ProviderError::NetworkSignIn => no_answer(FailureCode::NetworkSignIn, provider),
        ProviderError::RateLimited { .. } => no_answer(FailureCode::RateLimited, provider),
        ProviderError::Unreachable { .. } => no_answer(FailureCode::ProviderUnreachable, provider),
        ProviderError::Gone | ProviderError::CursorRejected | ProviderError::Malformed { .. } => {
            no_answer(FailureCode::ProviderChanged, provider)
        }
    }
}

fn no_answer(code: FailureCode, provider: Provider) -> CommandError {
    CommandError::failure(code, cannot_ask(provider, code))
}
