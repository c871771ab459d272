//! Proving a credential again.

use super::integrate::{cannot_ask, refused};
use super::keychain::open_or_sever;
use super::{check_origin, judge_refusal};
use crate::domain::failure::{Failure, FailureCode, Recovery};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::error::CommandError;
use crate::ports::{Notice, Ports};
use crate::query::{self, IntegrationView, stored_integration};
use crate::sync::actions::require_connected;
use crate::sync::call::{CallError, Silently, Waiter, call};
use crate::sync::engine::EngineOptions;
use crate::sync::turn::take_credentials_turn;
use crate::sync::verdict::Verdict;

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
                integration.credential_name(),
                integration.label(),
                account.name
            ),
            Recovery::Reconnect,
        )),
        Ok(account) => {
            ports.sign_ins.accepted(id);
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
            match judge_refusal(ports, &integration, &credential, &error, options).await? {
                Verdict::Again => Box::pin(verify(ports, id, options)).await,
                verdict => {
                    if let Verdict::FailAll(code) = verdict {
                        ports
                            .store
                            .fail_items_of(id, &Failure::new(code, ports.clock.now()))
                            .await?;
                    }
                    Err(verify_failed(&integration, verdict))
                }
            }
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
                integration.credential_name()
            ),
        ),
        Verdict::Fail(code) | Verdict::FailAll(code) | Verdict::Hold(code) => {
            CommandError::failure(code, cannot_ask(integration.provider, code))
        }
        Verdict::RestartWalk | Verdict::Again => CommandError::failure(
            FailureCode::ProviderChanged,
            cannot_ask(integration.provider, FailureCode::ProviderChanged),
        ),
    }
}
