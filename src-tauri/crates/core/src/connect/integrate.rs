//! Connecting an account by a pasted credential, and proving one again. A credential is saved only after a live call
//! with it succeeded.

use super::check_origin;
use super::keychain::{open_or_sever, vault_refused};
use super::recognise::{recognise, refusal_hint};
use super::sever;
use crate::domain::credential::{Credential, Generation, SignIn};
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::domain::provider::Provider;
use crate::error::CommandError;
use crate::ports::{Notice, Ports, ProviderError};
use crate::query::{self, IntegrationView, stored_integration};
use crate::sync::actions::require_connected;
use crate::sync::call::{CallError, Silently, Waiter, call};
use crate::sync::engine::{self, EngineOptions};
use crate::sync::turn::take_credentials_turn;
use crate::sync::verdict::Verdict;
use secrecy::{ExposeSecret, SecretString};

/// What connecting brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    pub integration: IntegrationView,
    /// Events of the account's first page, to say "14 events"; `None` where they could not be listed just now.
    pub events: Option<usize>,
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
    let api = ports.provider(provider).clone();
    let sign_in = match provider {
        Provider::Eventbrite => SignIn::Token,
        Provider::Luma => SignIn::Key,
    };
    let mut credential = Credential {
        sign_in,
        secret,
        origins: api.origins().clone(),
        generation: Generation::FIRST,
    };
    let mut waiter = Waiter::new(options.wait_limit);
    let account = call(ports, &mut waiter, &mut Silently, || api.identify(&credential))
        .await
        .map_err(|error| refused(provider, credential.secret.expose_secret(), error))?;
    if let Some(needed) = &needed
        && (needed.provider, &needed.account.id) != (provider, &account.id)
    {
        return Err(CommandError::wrong_account(format!(
            "You signed in as {}, but {} is needed here. Nothing was changed.",
            account.label(provider),
            needed.label()
        )));
    }
    let events = api
        .event_page(&credential, None, None)
        .await
        .ok()
        .map(|page| page.events.len());

    let _turn = take_credentials_turn(ports).await?;
    let now = ports.clock.now();
    let known = ports
        .store
        .integration_of_account(provider, &account.id, &api.origins().api)
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
            expires_at: None,
            severed: None,
            ..known
        },
        None => Integration {
            id: IntegrationId::random(),
            provider,
            api_origin: api.origins().api.clone(),
            account,
            sign_in,
            generation: Generation::FIRST,
            connected_at: now,
            last_verified_at: Some(now),
            expires_at: None,
            severed: None,
        },
    };
    credential.generation = integration.generation;
    ports.notices.notify(Notice::AskingVault);
    let saved = match ports
        .vault
        .save(&integration.id, &credential, options.patience)
        .await
    {
        Ok(()) => ports
            .store
            .save_integration(&integration)
            .await
            .map_err(CommandError::from),
        Err(error) => Err(vault_refused(&error, "Nothing was saved.")),
    };
    if let Err(error) = saved {
        if integration.generation == Generation::FIRST {
            // Best effort: an entry under a new id could never be reached again, and the first error is what the
            // person must hear.
            let _ = ports.vault.erase(&integration.id, options.patience).await;
        }
        return Err(error);
    }
    ports
        .notices
        .notify(Notice::IntegrationChanged(integration.id.clone()));
    Ok(Connected {
        integration: query::view_integration(integration, &query::reader(ports)),
        events,
    })
}

/// The newest generation known of: the row's, or the keychain's where that is ahead (a data folder that was restored).
async fn newest_generation(ports: &Ports, known: &Integration, options: EngineOptions) -> Generation {
    match ports.vault.load(&known.id, options.patience).await {
        Ok(held) => held.generation.max(known.generation),
        Err(_) => known.generation,
    }
}

/// Proves an integration's credential now.
pub async fn verify(
    ports: &Ports,
    id: &IntegrationId,
    options: EngineOptions,
) -> Result<IntegrationView, CommandError> {
    let integration = stored_integration(ports, id).await?;
    check_origin(ports, &integration)?;
    if integration
        .severed
        .as_ref()
        .is_some_and(|failure| failure.code == FailureCode::DisconnectedByYou)
    {
        require_connected(&integration)?;
    }
    let credential = open_or_sever(ports, &integration, options.patience).await?;
    let api = ports.provider(integration.provider).clone();
    let mut waiter = Waiter::new(options.wait_limit);
    let answer = call(ports, &mut waiter, &mut Silently, || api.identify(&credential)).await;
    match answer {
        Ok(account) if account.id != integration.account.id => Err(CommandError::not_possible(
            format!(
                "The keychain's {} for {} now opens another account ({}). Nothing was changed; connect that account \
                 by itself.",
                integration.provider.credential_name(),
                integration.label(),
                account.name
            ),
            crate::domain::failure::Recovery::Reconnect,
        )),
        Ok(account) => {
            let now = ports.clock.now();
            if integration.severed.is_some() {
                // The provider takes the credential after all: the integration is whole, its items wait for Reconnect.
                let _turn = take_credentials_turn(ports).await?;
                let current = stored_integration(ports, id).await?;
                let by_person = current
                    .severed
                    .as_ref()
                    .is_some_and(|failure| failure.code == FailureCode::DisconnectedByYou);
                // What was proved is this credential: a newer one, or a person's own word meanwhile, stands.
                if current.generation <= credential.generation && !by_person {
                    let repaired = Integration {
                        account,
                        generation: credential.generation,
                        severed: None,
                        last_verified_at: Some(now),
                        ..current
                    };
                    ports.store.save_integration(&repaired).await?;
                }
            } else {
                ports.store.mark_verified(id, now).await?;
            }
            ports.notices.notify(Notice::IntegrationChanged(id.clone()));
            query::integration(ports, id).await
        }
        Err(CallError::Provider(error)) => {
            let judged = engine::judge_with_probe(ports, &integration, Some(&credential), &error).await;
            match judged.verdict {
                Verdict::Sever => {
                    let failure = Failure::new(FailureCode::CredentialsRejected, ports.clock.now());
                    sever(ports, id, credential.generation, &failure).await?;
                }
                Verdict::FailAll(code) => {
                    ports
                        .store
                        .fail_items_of(id, &Failure::new(code, ports.clock.now()))
                        .await?;
                }
                Verdict::Fail(_) | Verdict::Hold(_) | Verdict::RestartWalk => {}
            }
            Err(verify_failed(&integration, judged.verdict))
        }
        Err(other) => Err(refused(integration.provider, "", other)),
    }
}

fn verify_failed(integration: &Integration, verdict: Verdict) -> CommandError {
    let (provider, label) = (integration.provider.name(), integration.label());
    match verdict {
        Verdict::Sever => CommandError::failure(
            FailureCode::CredentialsRejected,
            format!(
                "{provider} refuses the {} of {label}. Its lists are kept as they are, and are no longer live. \
                 Connect it again with a new one.",
                integration.provider.credential_name()
            ),
        ),
        Verdict::Fail(code) | Verdict::FailAll(code) | Verdict::Hold(code) => {
            CommandError::failure(code, cannot_ask(integration.provider, code))
        }
        Verdict::RestartWalk => CommandError::failure(
            FailureCode::ProviderChanged,
            cannot_ask(integration.provider, FailureCode::ProviderChanged),
        ),
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
