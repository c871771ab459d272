//! Making a sign-in worthless at the provider. Best effort: what counts is that nothing of it stays here.

use super::integrate::Proved;
use crate::domain::credential::{Credential, OauthApp, SignIn};
use crate::domain::integration::Account;
use crate::domain::provider::Provider;
use crate::ports::{Ports, StoreError};
use tracing::debug;

/// What became of a sign-in at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// The provider has taken it back.
    Withdrawn,
    /// The provider offers no such thing for it: only a person can take it back there.
    NotOffered,
    /// The provider did not do it, or could not be asked: it may be good for something still.
    Failed,
    /// The provider refused it before, so it is worth nothing.
    Over,
}

/// Whether a provider can be asked to take such a sign-in back; what it makes of it comes with the answer. What was pasted
/// is its owner's, and Eventbrite documents no such request.
pub fn offers_withdrawal(provider: Provider, sign_in: SignIn) -> bool {
    provider == Provider::Luma && sign_in == SignIn::Oauth
}

/// Asks the provider to forget a sign-in.
pub(super) async fn withdraw(
    ports: &Ports,
    provider: Provider,
    app: &OauthApp,
    credential: &Credential,
) -> Withdrawal {
    let server = ports.oauth(provider);
    let Some(grant) = &credential.grant else {
        return Withdrawal::NotOffered;
    };
    if credential.origins.oauth != *server.origin() {
        debug!(
            provider = provider.name(),
            "a sign-in of another server is not withdrawn at this one"
        );
        return Withdrawal::Failed;
    }
    // Without its refresh token the grant is over; a token that nothing renews is withdrawn itself.
    let token = grant.refresh_token.as_ref().unwrap_or(&credential.secret);
    match server.revoke(app, token).await {
        Ok(true) => Withdrawal::Withdrawn,
        Ok(false) => Withdrawal::NotOffered,
        Err(error) => {
            debug!(provider = provider.name(), error = %error, "the sign-in was not withdrawn at the provider");
            Withdrawal::Failed
        }
    }
}

/// Asks the provider to forget what it granted just now and nobody keeps. It is left alone while an account is connected
/// that it might belong to: some servers end all that an account has allowed an app at once.
pub(super) async fn withdraw_unkept(
    ports: &Ports,
    provider: Provider,
    app: &OauthApp,
    credential: &Credential,
    whose: Option<&Account>,
) {
    if let Ok(false) = is_connected(ports, provider, whose).await {
        withdraw(ports, provider, app, credential).await;
    }
}

/// Whether an account is connected by signing in: that one, or any where nobody knows whose it is.
async fn is_connected(
    ports: &Ports,
    provider: Provider,
    whose: Option<&Account>,
) -> Result<bool, StoreError> {
    let all = ports.store.integrations().await?;
    Ok(all.iter().any(|known| {
        known.provider == provider
            && known.sign_in == SignIn::Oauth
            && known.severed.is_none()
            && whose.is_none_or(|account| account.id == known.account.id)
    }))
}

/// For somebody who signed in and is not wanted: nothing of them is kept, here or at the provider.
pub async fn give_back(ports: &Ports, proved: Proved) {
    if let Some(app) = &proved.app {
        withdraw_unkept(
            ports,
            proved.provider,
            app,
            &proved.credential,
            Some(&proved.account),
        )
        .await;
    }
}
