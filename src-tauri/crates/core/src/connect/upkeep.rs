//! Keeping accounts signed in while a window or `watch` runs: sign-ins are renewed before they lapse, credentials
//! without an end are proved at least daily and before an event starts, and what the keychain did not take is offered
//! to it again.

use super::oauth::save_or_hold_app;
use super::sign_ins::{Kept, open_credential, save_or_hold};
use super::{renewal, verify};
use crate::domain::credential::Credential;
use crate::domain::failure::FailureCode;
use crate::domain::ids::IntegrationId;
use crate::domain::integration::{Integration, IntegrationStatus};
use crate::domain::provider::Provider;
use crate::error::CommandError;
use crate::ports::{Notice, Patience, Ports, StoreError};
use crate::sync::engine::EngineOptions;
use crate::sync::turn::take_credentials_turn;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::time::Duration;
use tracing::debug;

/// A credential is proved at least this often.
const PROVED_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// ... and within this time before an event starts, once more if its last proof is older than [`RECENT_PROOF`].
const BEFORE_THE_START: SignedDuration = SignedDuration::from_hours(3);
const RECENT_PROOF: SignedDuration = SignedDuration::from_hours(1);
/// The credential itself knows when it is due, 16.5 minutes before its end at the earliest; it is looked at from this
/// long before.
const LOOKED_AT_BEFORE_END: SignedDuration = SignedDuration::from_mins(17);
/// What did not succeed is tried again after this.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long the end of a process waits for renewals under way, and then for the keychain.
const LAST_RENEWALS: Duration = Duration::from_secs(4);
const LAST_SAVES: Duration = Duration::from_secs(1);

/// No prompt and no long wait for what nobody asked for.
const IN_THE_BACKGROUND: EngineOptions = EngineOptions {
    wait_limit: Some(Duration::ZERO),
    patience: Patience::Background,
};

/// What an account needs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    Nothing,
    /// Its credential is to be opened, which renews it when it is due.
    Renewal,
    Proof,
}

/// What an account needs at `now`. `next_start` is the start of the next event that is read through it.
pub fn care(integration: &Integration, next_start: Option<Timestamp>, now: Timestamp) -> Care {
    if integration.status() != IntegrationStatus::Connected {
        return Care::Nothing;
    }
    let since_proof = integration
        .last_verified_at
        .map(|proof| now.duration_since(proof));
    let starts_soon = next_start.is_some_and(|start| {
        let until = start.duration_since(now);
        !until.is_negative() && until <= BEFORE_THE_START
    });
    let longest = if starts_soon { RECENT_PROOF } else { PROVED_EVERY };
    // A proof opens the credential, and so renews what is due.
    if since_proof.is_none_or(|since| since >= longest) {
        return Care::Proof;
    }
    match integration.expires_at {
        Some(end) if end.duration_since(now) <= LOOKED_AT_BEFORE_END => Care::Renewal,
        _ => Care::Nothing,
    }
}

/// Keeps every connected account signed in, for ever.
pub async fn keep_signed_in(ports: Ports) {
    let mut not_before: HashMap<IntegrationId, Timestamp> = HashMap::new();
    loop {
        save_what_is_held(&ports).await;
        if let Err(failure) = care_for_all(&ports, &mut not_before).await {
            debug!(code = failure.code.code(), "the accounts could not be looked at");
        }
        ports.clock.sleep(LOOK_EVERY).await;
    }
}

async fn care_for_all(
    ports: &Ports,
    not_before: &mut HashMap<IntegrationId, Timestamp>,
) -> Result<(), CommandError> {
    let items = ports.store.items().await?;
    for integration in ports.store.integrations().await? {
        let now = ports.clock.now();
        if not_before.get(&integration.id).is_some_and(|then| *then > now) {
            continue;
        }
        let next_start = items
            .iter()
            .filter(|record| record.item.integration_id == integration.id && !record.item.archived)
            .filter_map(|record| record.item.starts_at)
            .filter(|start| *start >= now)
            .min();
        let succeeded = match care(&integration, next_start, now) {
            Care::Nothing => continue,
            // A credential of another server is none of ours to use.
            _ if ports.provider(integration.provider).origins().api != integration.api_origin => continue,
            Care::Renewal => match open_credential(ports, &integration, Patience::Background).await {
                Ok(credential) => {
                    catch_up(ports, &integration, &credential).await?;
                    // What nothing renews need not be looked at each time.
                    credential.can_be_renewed()
                }
                Err(_) => false,
            },
            Care::Proof => verify(ports, &integration.id, IN_THE_BACKGROUND).await.is_ok(),
        };
        if !succeeded && let Ok(then) = ports.clock.now().checked_add(AGAIN_AFTER) {
            not_before.insert(integration.id, then);
        }
    }
    Ok(())
}

/// Notes what the keychain knows and the database does not: a process died between the two.
async fn catch_up(
    ports: &Ports,
    integration: &Integration,
    credential: &Credential,
) -> Result<(), StoreError> {
    if credential.generation <= integration.generation {
        return Ok(());
    }
    let _turn = take_credentials_turn(ports).await?;
    let row = ports.store.integration(&integration.id).await?;
    // A renewal that came between has noted itself.
    if let Some(told) = renewal::told_of(credential)
        && row.is_some_and(|row| row.generation < credential.generation)
    {
        ports.store.end_renewal(&integration.id, Some(&told)).await?;
        ports
            .notices
            .notify(Notice::IntegrationChanged(integration.id.clone()));
    }
    Ok(())
}

/// Offers the keychain what it did not take before.
pub async fn save_what_is_held(ports: &Ports) {
    for id in ports.sign_ins.held_ids() {
        if let Err(error) = save_held(ports, &id).await {
            debug!(integration.id = %id, error = %error, "a sign-in in memory could not be looked at");
        }
    }
    for provider in ports.sign_ins.held_apps() {
        if let Err(error) = save_held_app(ports, provider).await {
            debug!(provider = provider.name(), error = %error, "an app in memory could not be looked at");
        }
    }
}

/// Under the lock: a renewal, or a person in another process, may be changing it just now.
async fn save_held(ports: &Ports, id: &IntegrationId) -> Result<(), StoreError> {
    let _turn = take_credentials_turn(ports).await?;
    let Some(credential) = ports.sign_ins.in_memory(id) else {
        return Ok(());
    };
    let row = ports.store.integration(id).await?;
    let is_over = row.is_none_or(|row| {
        row.severed
            .is_some_and(|failure| failure.code == FailureCode::DisconnectedByYou)
    });
    if is_over {
        // Disconnected in another process: the keychain must not get it back.
        if ports.sign_ins.forget(id) {
            ports.notices.notify(Notice::SignInsHeldChanged);
        }
        return Ok(());
    }
    // What is not taken stays in memory, and is offered again.
    if let Ok(Kept::InKeychain) = save_or_hold(ports, id, &credential, Patience::Background, true).await {
        ports.store.end_renewal(id, None).await?;
    }
    Ok(())
}

/// Under the lock: a person may be changing it just now.
async fn save_held_app(ports: &Ports, provider: Provider) -> Result<(), StoreError> {
    let _turn = take_credentials_turn(ports).await?;
    if let Some(app) = ports.sign_ins.app_in_memory(provider) {
        // What is not taken stays in memory, and is offered again.
        let _ = save_or_hold_app(ports, provider, &app, Patience::Background).await;
    }
    Ok(())
}

/// The end of the process: renewals under way come to their end, and what is held in memory is offered to the keychain
/// once more. Takes five seconds at most.
pub async fn settle_sign_ins(ports: &Ports) {
    // Whoever does not answer by then keeps nobody from quitting.
    if tokio::time::timeout(LAST_RENEWALS, renewal::none_under_way(ports))
        .await
        .is_err()
    {
        // They would end with the process; until then they have the lock that saving needs.
        renewal::break_off(ports);
    }
    let _ = tokio::time::timeout(LAST_SAVES, save_what_is_held(ports)).await;
}
