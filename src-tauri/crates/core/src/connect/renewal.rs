//! Renewing an OAuth sign-in: once, whoever asks, in this process and in others, and never in a way that could lose it.
//!
//! The order: the credentials lock (across processes), the credential read again, proof that the keychain keeps
//! entries, a note in the database, the request, the keychain written and read back, the database. It runs as a task of
//! its own: whoever asked may go away meanwhile.

use super::sever;
use super::sign_ins::{CredentialError, Kept, held_credential, save_or_hold};
use crate::domain::credential::{Credential, Generation, Grant, Need, OauthApp};
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::ports::{
    Notice, Patience, Ports, ProviderError, Renewed, SignInError, StoreError, Tokens, VaultError,
};
use crate::sync::retry::LONGEST_TOLD_WAIT;
use crate::sync::turn::take_credentials_turn;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::collections::hash_map::Entry;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tracing::{info, warn};

/// After a renewal that failed, nobody asks for it again in the background this long.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(30);
/// ... and where the provider refuses the app, which only a person can change.
const REST_AFTER_APP_REJECTED: Duration = Duration::from_secs(60 * 60);
/// A lost answer is asked for again within this time of the first request: later the grace may be over.
const ASKED_AGAIN_WITHIN: Duration = Duration::from_secs(10);
/// What the note of an earlier renewal that never ended adds to the reason.
const CUT_OFF: &str = "an earlier renewal was cut off";

/// Why a credential is to be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its end is near.
    Due,
    /// The provider refused the credential of this generation.
    Refused(Generation),
}

type Outcome = Result<Credential, CredentialError>;
/// A renewal under way.
pub(super) struct Flight {
    outcome: watch::Receiver<Option<Outcome>>,
    task: AbortHandle,
}

/// Renews the credential of an account that was refused, once per refusal. `None` where that cannot help: nothing
/// renews it, or the refused one had itself been renewed for a refusal.
pub(crate) async fn renew_refused(
    ports: &Ports,
    integration: &Integration,
    refused: &Credential,
    patience: Patience,
) -> Result<Option<Credential>, CredentialError> {
    let helped_before =
        ports.sign_ins.state().after_refusal.get(&integration.id) == Some(&refused.generation);
    if !refused.can_be_renewed() || helped_before {
        return Ok(None);
    }
    let cause = Cause::Refused(refused.generation);
    let mut renewed = renew(ports, integration, cause, patience).await?;
    if renewed.generation <= refused.generation {
        // Somebody else's renewal was joined that found nothing due.
        renewed = renew(ports, integration, cause, patience).await?;
    }
    Ok((renewed.generation > refused.generation).then_some(renewed))
}

/// Waits for the renewal that is under way, or begins one.
pub(super) async fn renew(
    ports: &Ports,
    integration: &Integration,
    cause: Cause,
    patience: Patience,
) -> Outcome {
    let mut flight = join_or_begin(ports, integration, cause, patience);
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(CredentialError::Severed)),
        // Its task broke off; that is a defect, and says nothing about the credential.
        Err(_) => Err(CredentialError::Provider(ProviderError::Unreachable {
            detail: "the renewal broke off".to_owned(),
        })),
    }
}

fn join_or_begin(
    ports: &Ports,
    integration: &Integration,
    cause: Cause,
    patience: Patience,
) -> watch::Receiver<Option<Outcome>> {
    let (tell, outcome) = watch::channel(None);
    let (list, listed) = oneshot::channel::<Landing>();
    let own = integration.clone();
    // Without the lock: a runtime that is ending drops the task at once, and what it takes with it needs the lock.
    let task = tokio::spawn(async move {
        // An error says that another one is on the list.
        let Ok(landing) = listed.await else { return };
        let outcome = renew_alone(&landing.ports, &own, cause, patience).await;
        drop(landing);
        // Nobody may be waiting for it.
        let _ = tell.send(Some(outcome));
    })
    .abort_handle();
    match ports.sign_ins.state().flights.entry(integration.id.clone()) {
        Entry::Occupied(flight) => return flight.get().outcome.clone(),
        Entry::Vacant(place) => place.insert(Flight {
            outcome: outcome.clone(),
            task,
        }),
    };
    let landing = Landing {
        ports: ports.clone(),
        id: integration.id.clone(),
    };
    // Where the task is gone already, it takes itself off the list here.
    let _ = list.send(landing);
    outcome
}

/// Takes the renewal off the list, also when its task breaks off.
struct Landing {
    ports: Ports,
    id: IntegrationId,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.ports.sign_ins.state().flights.remove(&self.id);
    }
}

/// Waits until no renewal is under way.
pub(super) async fn none_under_way(ports: &Ports) {
    loop {
        let under_way = ports
            .sign_ins
            .state()
            .flights
            .values()
            .next()
            .map(|flight| flight.outcome.clone());
        let Some(mut outcome) = under_way else {
            return;
        };
        // An error says that it has ended too.
        let _ = outcome.wait_for(Option::is_some).await;
        tokio::task::yield_now().await;
    }
}

/// Ends the renewals under way where they are. A note of each stays in the database.
pub(super) fn break_off(ports: &Ports) {
    let tasks: Vec<AbortHandle> = ports
        .sign_ins
        .state()
        .flights
        .values()
        .map(|flight| flight.task.clone())
        .collect();
    // Without the lock: a task that is ended here takes itself off the list.
    for task in tasks {
        task.abort();
    }
}

async fn renew_alone(ports: &Ports, integration: &Integration, cause: Cause, patience: Patience) -> Outcome {
    let id = &integration.id;
    let resting = ports.sign_ins.state().resting.get(id).cloned();
    if let Some((until, error)) = resting
        && ports.clock.now() < until
        // Whoever asks, a wait that the provider wants is waited out.
        && (patience == Patience::Background || is_rate_limit(&error))
    {
        return Err(error);
    }
    let outcome = renew_in_turn(ports, integration, cause).await;
    let mut state = ports.sign_ins.state();
    match &outcome {
        Ok(credential) => {
            state.resting.remove(id);
            if matches!(cause, Cause::Refused(_)) {
                state.after_refusal.insert(id.clone(), credential.generation);
            }
        }
        Err(CredentialError::Severed) => {}
        Err(error) => {
            let rest = match error {
                CredentialError::AppRejected => REST_AFTER_APP_REJECTED,
                CredentialError::Provider(ProviderError::RateLimited {
                    retry_after: Some(told),
                }) => (*told).clamp(REST_AFTER_FAILURE, LONGEST_TOLD_WAIT),
                _ => REST_AFTER_FAILURE,
            };
            let until = ports.clock.now().checked_add(rest).unwrap_or(Timestamp::MAX);
            state.resting.insert(id.clone(), (until, error.clone()));
        }
    }
    outcome
}

fn is_rate_limit(error: &CredentialError) -> bool {
    matches!(
        error,
        CredentialError::Provider(ProviderError::RateLimited { .. })
    )
}

async fn renew_in_turn(ports: &Ports, integration: &Integration, cause: Cause) -> Outcome {
    let id = &integration.id;
    let _turn = take_credentials_turn(ports).await?;
    let row = ports
        .store
        .integration(id)
        .await?
        .ok_or(CredentialError::Severed)?;
    if row.severed.is_some() && integration.severed.is_none() {
        return Err(CredentialError::Severed);
    }
    // Another process may have been faster.
    let held = held_credential(ports, &row, Patience::Background).await?;
    let is_wanted = match cause {
        Cause::Due => held.need(ports.clock.now()) != Need::None,
        Cause::Refused(refused) => held.generation <= refused,
    };
    let Some((grant, refresh_token)) = renewable(&held).filter(|_| is_wanted) else {
        return Ok(held);
    };
    if held.origins.oauth != *ports.oauth(row.provider).origin() {
        return Err(CredentialError::Provider(ProviderError::Malformed {
            detail: "the sign-in belongs to another server".to_owned(),
        }));
    }
    let is_in_memory = ports.sign_ins.in_memory(id).is_some();
    if !is_in_memory {
        // Never renew what could not be kept: with rotation the old one would be worth nothing.
        ports.vault.check_keeps(Patience::Background).await?;
    }
    let app = app_of(ports, &row, grant).await?;
    let began = ports.clock.now();
    let was_noted = ports.store.note_renewal(id, held.generation, began).await?;
    let (answer, was_repeated) = ask(ports, &row, &app, refresh_token).await;
    // Whether an answer may have been lost, or what it brought, and with it the successor of what is held.
    let was_cut_off = was_noted && !is_in_memory || was_repeated;
    match answer {
        Ok(tokens) => keep(ports, &row, &held, grant, tokens).await,
        Err(SignInError::GrantRejected) => {
            warn!(integration.id = %id, "the provider no longer renews the sign-in");
            ports.store.end_renewal(id, None).await?;
            let failure = Failure {
                code: FailureCode::CredentialsRejected,
                at: ports.clock.now(),
                detail: was_cut_off.then(|| CUT_OFF.to_owned()),
            };
            // Nobody else can have brought a newer one: the lock is ours.
            sever(ports, id, held.generation, &failure).await?;
            Err(CredentialError::Severed)
        }
        Err(SignInError::AppRejected) => {
            warn!(integration.id = %id, "the provider refuses the app");
            if !was_cut_off {
                ports.store.end_renewal(id, None).await?;
            }
            Err(CredentialError::AppRejected)
        }
        // Where the server may have renewed it and only the answer was lost, the note stays.
        Err(SignInError::Provider(error)) => {
            warn!(integration.id = %id, error = %error, "the sign-in was not renewed");
            if !was_cut_off && renewed_nothing(&error) {
                ports.store.end_renewal(id, None).await?;
            }
            Err(CredentialError::Provider(error))
        }
    }
}

/// Whether the error says that the request was not carried out.
fn renewed_nothing(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Offline | ProviderError::NetworkSignIn | ProviderError::RateLimited { .. }
    )
}

fn renewable(credential: &Credential) -> Option<(&Grant, &SecretString)> {
    let grant = credential.grant.as_ref()?;
    Some((grant, grant.refresh_token.as_ref()?))
}

/// The app that the grant was given to. A public one needs no entry in the keychain.
pub(super) async fn app_of(
    ports: &Ports,
    integration: &Integration,
    grant: &Grant,
) -> Result<OauthApp, CredentialError> {
    let provider = integration.provider;
    let kept = match ports.vault.load_app(provider, Patience::Background).await {
        Err(VaultError::Absent { .. }) => None,
        kept => kept?,
    };
    let server = ports.oauth(provider);
    let origin = server.origin();
    Ok([
        ports.sign_ins.app_in_memory(provider),
        kept,
        server.built_in_app(),
    ]
    .into_iter()
    .flatten()
    .find(|app| app.client_id == grant.client_id && app.origin == *origin)
    .unwrap_or_else(|| OauthApp {
        client_id: grant.client_id.clone(),
        client_secret: None,
        redirect_port: crate::domain::credential::default_redirect_port(provider),
        origin: origin.clone(),
    }))
}

/// One request, and once more where its answer was lost soon: a server that rotates gives the same successor within its
/// grace, and one that does not refuses. Answers with whether it was asked once more.
async fn ask(
    ports: &Ports,
    integration: &Integration,
    app: &OauthApp,
    refresh_token: &SecretString,
) -> (Result<Tokens, SignInError>, bool) {
    let server = ports.oauth(integration.provider);
    let pause = Duration::from_secs(1).mul_f64(ports.clock.jitter());
    let last_moment = ports
        .clock
        .now()
        .checked_add(ASKED_AGAIN_WITHIN.saturating_sub(pause));
    match server.refresh(app, refresh_token).await {
        Err(SignInError::Provider(ProviderError::Unreachable { .. }))
            if last_moment.is_ok_and(|last| ports.clock.now() <= last) =>
        {
            ports.clock.sleep(pause).await;
            (server.refresh(app, refresh_token).await, true)
        }
        answer => (answer, false),
    }
}

async fn keep(ports: &Ports, row: &Integration, held: &Credential, grant: &Grant, tokens: Tokens) -> Outcome {
    let at = ports.clock.now();
    let renewed = Credential {
        secret: tokens.access_token,
        generation: held.generation.max(row.generation).next(),
        grant: Some(Grant {
            client_id: grant.client_id.clone(),
            refresh_token: tokens.refresh_token.or_else(|| grant.refresh_token.clone()),
            obtained_at: at,
            expires_at: tokens.expires_in.and_then(|lifetime| end_of(at, lifetime)),
        }),
        ..held.clone()
    };
    let kept = save_or_hold(ports, &row.id, &renewed, Patience::Background, true).await?;
    // How long the only copy was in memory.
    let saved_after_us = ports.clock.now().as_microsecond() - at.as_microsecond();
    if let Err(error) = note_renewed(ports, row, &renewed, kept).await {
        // The row catches up later.
        warn!(integration.id = %row.id, error = %error, "the renewal could not be noted");
    }
    info!(integration.id = %row.id, saved_after_us, kept = ?kept, "the sign-in was renewed");
    ports.notices.notify(Notice::IntegrationChanged(row.id.clone()));
    Ok(renewed)
}

/// A renewal whose result could be lost with this process has not ended.
async fn note_renewed(
    ports: &Ports,
    row: &Integration,
    renewed: &Credential,
    kept: Kept,
) -> Result<(), StoreError> {
    ports
        .store
        .end_renewal(&row.id, told_of(renewed).as_ref())
        .await?;
    if kept == Kept::InMemory {
        let at = ports.clock.now();
        ports.store.note_renewal(&row.id, renewed.generation, at).await?;
    }
    Ok(())
}

/// What the database is told of a renewed credential.
pub(super) fn told_of(credential: &Credential) -> Option<Renewed> {
    let grant = credential.grant.as_ref()?;
    Some(Renewed {
        generation: credential.generation,
        expires_at: grant.expires_at,
        at: grant.obtained_at,
    })
}

pub(super) fn end_of(at: Timestamp, lifetime: Duration) -> Option<Timestamp> {
    at.checked_add(SignedDuration::try_from(lifetime).ok()?).ok()
}

/// The failure table's row of a renewal that the provider did not answer.
pub(super) fn code_of(error: &ProviderError) -> FailureCode {
    match error {
        ProviderError::Offline => FailureCode::Offline,
        ProviderError::NetworkSignIn => FailureCode::NetworkSignIn,
        ProviderError::RateLimited { .. } => FailureCode::RateLimited,
        ProviderError::Malformed { .. } => FailureCode::ProviderChanged,
        ProviderError::Unreachable { .. }
        | ProviderError::CredentialsRejected
        | ProviderError::PermissionMissing
        | ProviderError::Gone
        | ProviderError::CursorRejected => FailureCode::ProviderUnreachable,
    }
}
