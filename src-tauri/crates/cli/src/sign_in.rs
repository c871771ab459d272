//! `connect … --oauth`: the provider's page in the person's browser, and its answer at a listener of our own.

use crate::args::SignIn;
use crate::run::{Session, Stop, complain};
use secrecy::SecretString;
use std::io::{self, Write};
use std::sync::Arc;
use talkvalue_adapters::oauth::Loopback;
use talkvalue_core::connect::{self, Connected, SIGN_IN_DEADLINE, SignedIn};
use talkvalue_core::domain::credential::{OauthApp, default_redirect_port};
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;

pub(crate) async fn run(
    session: &Session,
    provider: Provider,
    wanted: &SignIn,
    secret: Option<SecretString>,
) -> Result<Connected, Stop> {
    let (ports, options) = (&session.ports, session.options);
    let app = app(session, provider, wanted, secret).await?;
    // The port first: a browser that is sent to a port of somebody else's would hand them the answer.
    let listener = Loopback::bind(provider, app.redirect_port)
        .await
        .map_err(|error| error.for_person(provider))?;
    let attempt = Arc::new(connect::begin_sign_in(ports, provider, app, None).await?);
    session.progress.finish();
    let _ = writeln!(io::stderr(), "Open: {}", attempt.address());
    if !wanted.no_browser {
        show(attempt.address().to_owned());
    }
    let heard = attempt.clone();
    let answer = listener.answer(Arc::new(move |address| heard.hear(address)));
    let patience = options
        .wait_limit
        .map_or(SIGN_IN_DEADLINE, |limit| limit.min(SIGN_IN_DEADLINE));
    let answer = tokio::time::timeout(patience, answer).await.map_err(|_| {
        CommandError::waiting(format!(
            "Nobody signed in at {} in time. Nothing was changed; start again when you are ready.",
            provider.name()
        ))
    })?;
    match connect::finish_sign_in(ports, &attempt, answer, options).await? {
        SignedIn::Connected(connected) => Ok(connected),
        SignedIn::OtherAccount { error, proved, .. } => {
            connect::give_back(ports, *proved).await;
            Err(error.into())
        }
    }
}

/// Starts the person's browser. Whatever starts it may take its time, and the listener must not wait for it.
fn show(address: String) {
    tokio::task::spawn_blocking(move || {
        if open::that_detached(address).is_err() {
            complain("note", "No browser could be started: open that address by hand.");
        }
    });
}

/// The app that was named, or the one that is remembered.
async fn app(
    session: &Session,
    provider: Provider,
    wanted: &SignIn,
    secret: Option<SecretString>,
) -> Result<OauthApp, CommandError> {
    let (ports, patience) = (&session.ports, session.options.patience);
    let known = match (&wanted.client_id, &secret) {
        // Everything was said.
        (Some(_), Some(_)) => None,
        (Some(_), None) if provider == Provider::Luma => None,
        _ => connect::known_app(ports, provider, patience).await?,
    };
    let port = |known: Option<u16>| {
        wanted
            .redirect_port
            .or(known)
            .unwrap_or(default_redirect_port(provider))
    };
    match (&wanted.client_id, known) {
        (None, Some(known)) => Ok(OauthApp {
            redirect_port: port(Some(known.redirect_port)),
            ..known
        }),
        (None, None) => Err(CommandError::bad_input(format!(
            "No app is remembered for {}: name one with --client-id{}.",
            provider.name(),
            match provider {
                Provider::Eventbrite => " and --client-secret-stdin",
                Provider::Luma => "",
            }
        ))),
        (Some(id), known) => {
            let known = known.filter(|known| known.client_id == *id);
            let redirect_port = port(known.as_ref().map(|known| known.redirect_port));
            let secret = secret.or_else(|| known.and_then(|known| known.client_secret));
            connect::app_as_entered(ports, provider, id, secret, redirect_port)
        }
    }
}
