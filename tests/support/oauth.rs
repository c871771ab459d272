//! Signing in by a scripted browser: the provider's page is fetched, and its redirect brought back by hand.

use crate::desk::{Desk, patient};
use crate::loopback::browse;
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use talkvalue_core::connect::{self, Answer, SignInAttempt, SignedIn};
use talkvalue_core::domain::credential::{OauthApp, default_redirect_port};
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Ports;
use talkvalue_sandbox::Oauth;
use tokio::net::TcpListener;
use url::Url;

/// The provider's simulated OAuth server.
pub fn server(desk: &Desk, provider: Provider) -> Oauth {
    match provider {
        Provider::Eventbrite => desk.sandbox.eventbrite().oauth(),
        Provider::Luma => desk.sandbox.luma().oauth(),
    }
}

/// The app that is registered there.
pub fn app(desk: &Desk, provider: Provider) -> OauthApp {
    let server = server(desk, provider);
    let registered = server.app();
    OauthApp {
        client_id: registered.client_id,
        client_secret: registered.client_secret.map(SecretString::from),
        redirect_port: default_redirect_port(provider),
        origin: Origin::parse(&server.url()).unwrap(),
    }
}

/// Where the provider's page sends a browser that shows it, without following.
pub async fn redirected(address: &str) -> Url {
    let answer = browse(&Url::parse(address).unwrap()).await.unwrap();
    let location = answer.header("location").unwrap_or_else(|| {
        panic!("the page must redirect at once, but answered {}", answer.status);
    });
    Url::parse(location).unwrap()
}

pub async fn begin(ports: &Ports, desk: &Desk, provider: Provider) -> SignInAttempt {
    connect::begin_sign_in(ports, provider, app(desk, provider), None)
        .await
        .unwrap()
}

/// One attempt from its beginning to its end, as whoever the server approves.
pub async fn sign_in(
    desk: &Desk,
    provider: Provider,
    renews: Option<&IntegrationId>,
) -> Result<SignedIn, CommandError> {
    sign_in_over(&desk.ports, desk, provider, renews).await
}

async fn sign_in_over(
    ports: &Ports,
    desk: &Desk,
    provider: Provider,
    renews: Option<&IntegrationId>,
) -> Result<SignedIn, CommandError> {
    let attempt = connect::begin_sign_in(ports, provider, app(desk, provider), renews).await?;
    let answer = heard(&attempt, &redirected(attempt.address()).await);
    connect::finish_sign_in(ports, &attempt, answer, patient()).await
}

/// The same, where it succeeds.
pub async fn signed_in(desk: &Desk, provider: Provider) -> IntegrationId {
    signed_in_over(&desk.ports, desk, provider).await
}

/// The same in another process of this desk.
pub async fn signed_in_over(ports: &Ports, desk: &Desk, provider: Provider) -> IntegrationId {
    match sign_in_over(ports, desk, provider, None).await.unwrap() {
        SignedIn::Connected(connected) => connected.integration.id,
        SignedIn::OtherAccount { error, .. } => panic!("nobody in particular was needed: {error}"),
    }
}

pub fn heard(attempt: &SignInAttempt, address: &Url) -> Answer {
    attempt
        .hear(address)
        .expect("the provider's own redirect must be recognised")
}

/// Somebody else's server: its address, and how often it was connected to.
pub struct Canary {
    pub address: String,
    met: Arc<AtomicUsize>,
}

impl Canary {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let met = Arc::new(AtomicUsize::new(0));
        let counted = met.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { address, met }
    }

    pub fn met(&self) -> usize {
        self.met.load(Ordering::Relaxed)
    }
}
