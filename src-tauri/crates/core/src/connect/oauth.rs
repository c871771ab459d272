//! Signing in at the provider (OAuth authorization code with PKCE), whichever way the provider's page is shown: an
//! attempt is begun, somebody shows its address to the person and brings back the address that the provider redirects
//! to, and the code in it is redeemed, proved and kept.

use super::integrate::{self, Proved, SignedIn, refused};
use super::keychain::{app_refused, vault_refused};
use super::withdrawal::withdraw_unkept;
use crate::connect::check_origin;
use crate::domain::credential::{Credential, Generation, Grant, OauthApp, SignIn};
use crate::domain::failure::{FailureCode, Recovery};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::domain::provider::Provider;
use crate::error::CommandError;
use crate::ports::{AuthorizationRequest, Notice, Patience, Ports, ProviderError, SignInError, VaultError};
use crate::query::stored_integration;
use crate::sync::call::CallError;
use crate::sync::engine::EngineOptions;
use crate::sync::turn::take_credentials_turn;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use subtle::ConstantTimeEq;
use url::Url;

/// How long an attempt waits for its answer.
pub const SIGN_IN_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// One attempt of a person to sign in. Good for one answer.
pub struct SignInAttempt {
    provider: Provider,
    app: OauthApp,
    request: AuthorizationRequest,
    needed: Option<Integration>,
}

/// What the provider's redirect said.
#[derive(Debug, Clone)]
pub enum Answer {
    Code(SecretString),
    /// The person declined.
    Declined,
    /// The provider names another reason.
    Failed,
}

impl SignInAttempt {
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The provider's page, for the person's eyes.
    pub fn address(&self) -> &str {
        &self.request.address
    }

    /// Where the provider redirects to.
    pub fn redirect_uri(&self) -> &str {
        &self.request.redirect_uri
    }

    /// What an address that the provider redirected to says. `None` where it is not an answer to this attempt: whoever
    /// listens goes on listening.
    pub fn hear(&self, address: &Url) -> Option<Answer> {
        let own = Url::parse(&self.request.redirect_uri).ok()?;
        let is_ours = address.scheme() == own.scheme()
            && address.port_or_known_default() == own.port_or_known_default()
            && address.path() == own.path()
            && matches!(address.host_str(), Some("localhost" | "127.0.0.1"));
        if !is_ours {
            return None;
        }
        let state = single(address, "state").ok()??;
        let expected = self.request.state.expose_secret();
        if !bool::from(state.as_bytes().ct_eq(expected.as_bytes())) {
            return None;
        }
        // Another server's answer must not be redeemed at this one (RFC 9207), nor one that names two.
        let issuer = single(address, "iss").ok()?;
        if let (Some(expected), Some(told)) = (&self.request.issuer, issuer)
            && told.trim_end_matches('/') != expected.trim_end_matches('/')
        {
            return None;
        }
        Some(match (single(address, "code"), single(address, "error")) {
            (Ok(Some(code)), Ok(None)) if !code.is_empty() => Answer::Code(SecretString::from(code)),
            (Ok(None), Ok(Some(error))) if error == "access_denied" => Answer::Declined,
            _ => Answer::Failed,
        })
    }
}

/// The value of a parameter that may stand once only.
fn single(address: &Url, name: &str) -> Result<Option<String>, ()> {
    let mut values = address
        .query_pairs()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned());
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(()),
    }
}

/// Begins an attempt. With `renews`, only that account will do.
pub async fn begin_sign_in(
    ports: &Ports,
    provider: Provider,
    app: OauthApp,
    renews: Option<&IntegrationId>,
) -> Result<SignInAttempt, CommandError> {
    let needed = match renews {
        Some(id) => Some(stored_integration(ports, id).await?),
        None => None,
    };
    if let Some(needed) = &needed {
        check_origin(ports, needed)?;
    }
    let server = ports.oauth(provider);
    let redirect_uri = app.redirect_uri(provider);
    let request = server
        .authorization(&app, &redirect_uri)
        .await
        .map_err(|error| not_signed_in(provider, error))?;
    Ok(SignInAttempt {
        provider,
        app,
        request,
        needed,
    })
}

/// Redeems what the provider answered, proves the account by a live call, and keeps it, with its app.
pub async fn finish_sign_in(
    ports: &Ports,
    attempt: &SignInAttempt,
    answer: Answer,
    options: EngineOptions,
) -> Result<SignedIn, CommandError> {
    let proved = redeem(ports, attempt, answer, options).await?;
    keep_sign_in(ports, attempt, proved, options).await
}

/// Keeps what was redeemed, unless the attempt needs somebody else.
pub async fn keep_sign_in(
    ports: &Ports,
    attempt: &SignInAttempt,
    proved: Proved,
    options: EngineOptions,
) -> Result<SignedIn, CommandError> {
    integrate::keep_or_ask(ports, proved, attempt.needed.as_ref(), options).await
}

/// Redeems what the provider answered and proves the account by a live call. Nothing is kept: the caller does that with
/// [`keep_sign_in`], or ends the sign-in with [`super::give_back`]. It must not be dropped before its end: a code that
/// was redeemed is a sign-in that somebody has to give back.
pub async fn redeem(
    ports: &Ports,
    attempt: &SignInAttempt,
    answer: Answer,
    options: EngineOptions,
) -> Result<Proved, CommandError> {
    let provider = attempt.provider;
    let name = provider.name();
    let code = match answer {
        Answer::Code(code) => code,
        Answer::Declined => {
            return Err(CommandError::not_possible(
                format!("You declined at {name}. Nothing was changed."),
                Recovery::Retry,
            ));
        }
        Answer::Failed => {
            return Err(CommandError::failure(
                FailureCode::ProviderUnreachable,
                format!("{name} could not sign you in just now. Nothing was changed; try again."),
            ));
        }
    };
    let server = ports.oauth(provider);
    let tokens = server
        .exchange(&attempt.app, &attempt.request, &code)
        .await
        .map_err(|error| not_signed_in(provider, error))?;
    let at = ports.clock.now();
    let credential = Credential {
        sign_in: SignIn::Oauth,
        secret: tokens.access_token,
        origins: ports.provider(provider).origins().clone(),
        generation: Generation::FIRST,
        grant: Some(Grant {
            client_id: attempt.app.client_id.clone(),
            refresh_token: tokens.refresh_token,
            obtained_at: at,
            expires_at: tokens
                .expires_in
                .and_then(|lifetime| super::renewal::end_of(at, lifetime)),
        }),
    };
    let granted = credential.clone();
    match integrate::prove(ports, provider, credential, Some(&attempt.app), options).await {
        Ok(proved) => Ok(proved),
        Err(error) => {
            withdraw_unkept(ports, provider, &attempt.app, &granted, None).await;
            Err(not_proved(provider, error))
        }
    }
}

fn not_proved(provider: Provider, error: CallError) -> CommandError {
    match error {
        CallError::Provider(ProviderError::CredentialsRejected | ProviderError::PermissionMissing) => {
            CommandError::failure(
                FailureCode::CredentialsRejected,
                format!(
                    "{} signed you in, and then refused that sign-in its data. Nothing was saved; sign in as somebody \
                     who may see the events.",
                    provider.name()
                ),
            )
        }
        other => refused(provider, "", other),
    }
}

fn not_signed_in(provider: Provider, error: SignInError) -> CommandError {
    match error {
        SignInError::GrantRejected => CommandError::failure(
            FailureCode::ProviderUnreachable,
            format!(
                "{} no longer takes this answer: it was too old, or used before. Nothing was changed; sign in again.",
                provider.name()
            ),
        ),
        SignInError::AppRejected => app_refused(provider),
        SignInError::Provider(error) => refused(provider, "", CallError::Provider(error)),
    }
}

/// The workspace's own app, if one is kept for the server that is set now, or the one that is built in. Where no keychain
/// exists it is kept in memory, in processes that keep sign-ins there.
pub async fn known_app(
    ports: &Ports,
    provider: Provider,
    patience: Patience,
) -> Result<Option<OauthApp>, CommandError> {
    let app = match ports.sign_ins.app_in_memory(provider) {
        Some(held) => Some(held),
        None => {
            ports.notices.notify(Notice::AskingVault);
            match ports.vault.load_app(provider, patience).await {
                Ok(kept) => kept,
                Err(error) if ports.sign_ins.keeps_despite(&error) => None,
                Err(error) => return Err(vault_refused(&error, "Nothing was changed.")),
            }
        }
    };
    let server = ports.oauth(provider);
    Ok(app
        .filter(|app| app.origin == *server.origin())
        .or_else(|| server.built_in_app()))
}

/// Keeps an app in the keychain, or in memory where there is none and the process keeps sign-ins there. What failed over an earlier one is tried again at once.
pub async fn remember_app(
    ports: &Ports,
    provider: Provider,
    app: &OauthApp,
    patience: Patience,
) -> Result<(), CommandError> {
    let _turn = take_credentials_turn(ports).await?;
    ports.notices.notify(Notice::AskingVault);
    save_or_hold_app(ports, provider, app, patience)
        .await
        .map_err(|error| vault_refused(&error, "The app was not saved."))?;
    ports.sign_ins.rest_no_longer();
    Ok(())
}

/// The caller holds the credentials lock.
pub(super) async fn save_or_hold_app(
    ports: &Ports,
    provider: Provider,
    app: &OauthApp,
    patience: Patience,
) -> Result<(), VaultError> {
    let changed = match ports.vault.save_app(provider, app, patience).await {
        Ok(()) => ports.sign_ins.forget_app(provider),
        Err(error) if ports.sign_ins.keeps_despite(&error) => ports.sign_ins.hold_app(provider, app),
        Err(error) => return Err(error),
    };
    if changed {
        ports.notices.notify(Notice::SignInsHeldChanged);
    }
    Ok(())
}

/// Erases the app wherever it is kept. Accounts that signed in through it stay until they have to be renewed.
pub async fn forget_app(ports: &Ports, provider: Provider, patience: Patience) -> Result<(), CommandError> {
    let _turn = take_credentials_turn(ports).await?;
    ports.notices.notify(Notice::AskingVault);
    match ports.vault.erase_app(provider, patience).await {
        Ok(()) => {}
        // Where there is no keychain, memory is all there is.
        Err(error) if ports.sign_ins.keeps_despite(&error) => {}
        Err(error) => return Err(vault_refused(&error, "The app is still kept.")),
    }
    if ports.sign_ins.forget_app(provider) {
        ports.notices.notify(Notice::SignInsHeldChanged);
    }
    Ok(())
}

/// Checks what a person entered as their app, before anything is sent anywhere.
pub fn app_as_entered(
    ports: &Ports,
    provider: Provider,
    client_id: &str,
    client_secret: Option<SecretString>,
    redirect_port: u16,
) -> Result<OauthApp, CommandError> {
    let is_word = |text: &str| {
        !text.is_empty() && text.len() <= 500 && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let client_id = client_id.trim();
    // Luma's client ids are addresses of documents; others are words.
    if !is_word(client_id) {
        return Err(CommandError::bad_input(match provider {
            Provider::Eventbrite => {
                "That is no client id: it is one word. Copy the line called API key from the page of your app."
            }
            Provider::Luma => {
                "That is no client id: it is the address of your app's description, or one word."
            }
        }));
    }
    let client_secret = match client_secret {
        Some(secret) => {
            let trimmed = secret.expose_secret().trim();
            if !is_word(trimmed) {
                return Err(CommandError::bad_input(
                    "That is no client secret: it is one word without spaces. Copy it from the page of your app.",
                ));
            }
            Some(SecretString::from(trimmed))
        }
        None if provider == Provider::Eventbrite => {
            return Err(CommandError::bad_input(
                "Eventbrite asks for the app's client secret too. Copy it from the page of your app.",
            ));
        }
        None => None,
    };
    if redirect_port < 1024 {
        return Err(CommandError::bad_input(
            "Choose a port between 1024 and 65535 for the redirect address.",
        ));
    }
    Ok(OauthApp {
        client_id: client_id.to_owned(),
        client_secret,
        redirect_port,
        origin: ports.oauth(provider).origin().clone(),
    })
}
