//! OAuth servers: the oauth2 crate's requests over our own HTTP client, and what their answers mean.
//!
//! Eventbrite's addresses are known; Luma's are asked for (RFC 8414) at the one origin that is compiled in or set.

mod answer;
mod loopback;
mod metadata;

pub use loopback::{Loopback, LoopbackError};

use crate::providers::http::Requester;
use answer::{LenientTokens, meaning};
use async_trait::async_trait;
use metadata::Endpoints;
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    StandardRevocableToken, TokenResponse, TokenUrl,
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use talkvalue_core::domain::credential::{OauthApp, default_redirect_port};
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{AuthorizationRequest, Clock, OauthServer, ProviderError, SignInError, Tokens};

type Client = oauth2::Client<
    BasicErrorResponse,
    LenientTokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// An organization that builds the program for itself may name its Eventbrite app then. What stands in a program is no
/// secret: no privilege rests on it.
const BUILT_IN_ID: Option<&str> = option_env!("TALKVALUE_BUILT_IN_EVENTBRITE_CLIENT_ID");
const BUILT_IN_SECRET: Option<&str> = option_env!("TALKVALUE_BUILT_IN_EVENTBRITE_CLIENT_SECRET");

/// RFC 7636 allows 43 to 128 characters; 64 random bytes come to 86.
const VERIFIER_BYTES: u32 = 64;
const STATE_BYTES: u32 = 32;

/// One provider's OAuth server.
pub struct OauthClient {
    requester: Requester,
    origin: Origin,
    /// `Some` where the addresses are known, and once a server has told them.
    endpoints: Mutex<Option<Endpoints>>,
    tells_endpoints: bool,
    /// Client id and secret of the app that the program was built with.
    built_in: Option<(&'static str, &'static str)>,
}

impl OauthClient {
    pub fn eventbrite(
        origin: &Origin,
        witness: &Origin,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            requester: Requester::new(origin, witness, clock)?,
            origin: origin.clone(),
            endpoints: Mutex::new(Some(Endpoints::below(origin))),
            tells_endpoints: false,
            built_in: BUILT_IN_ID.zip(BUILT_IN_SECRET),
        })
    }

    pub fn luma(origin: &Origin, witness: &Origin, clock: Arc<dyn Clock>) -> Result<Self, CommandError> {
        Ok(Self {
            requester: Requester::new(origin, witness, clock)?,
            origin: origin.clone(),
            endpoints: Mutex::new(None),
            tells_endpoints: true,
            built_in: None,
        })
    }

    async fn endpoints(&self) -> Result<Endpoints, SignInError> {
        let known = self.remembered().clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let told = metadata::ask(&self.requester, &self.origin).await?;
        *self.remembered() = Some(told.clone());
        Ok(told)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Option<Endpoints>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After an answer that makes no sense the server is asked anew where its addresses are.
    fn told<T>(&self, result: Result<T, SignInError>) -> Result<T, SignInError> {
        if self.tells_endpoints && matches!(result, Err(SignInError::Provider(_))) {
            *self.remembered() = None;
        }
        result
    }

    async fn client(&self, app: &OauthApp) -> Result<(Client, Endpoints), SignInError> {
        if app.origin != self.origin {
            return Err(malformed("the app belongs to another server"));
        }
        let endpoints = self.endpoints().await?;
        let mut client = oauth2::Client::new(ClientId::new(app.client_id.clone()))
            // Both ways are accepted by Eventbrite; the body is what its reference shows.
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(endpoints.authorize.clone()))
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()));
        if let Some(secret) = &app.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Ok((client, endpoints))
    }
}

/// Sends what the oauth2 crate prepared. What is no answer of an OAuth server never reaches its parser.
impl<'client> AsyncHttpClient<'client> for OauthClient {
    type Error = SignInError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, SignInError>> + Send + 'client>>;

    fn call(&'client self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = parts.uri.to_string();
            answer::screened(self.requester.post(&url, parts.headers, body).await?)
        })
    }
}

#[async_trait]
impl OauthServer for OauthClient {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn built_in_app(&self) -> Option<OauthApp> {
        let (client_id, client_secret) = self.built_in?;
        // An app is known to one server only.
        (self.origin.as_str() == crate::settings::EVENTBRITE_OAUTH).then(|| OauthApp {
            client_id: client_id.to_owned(),
            client_secret: Some(SecretString::from(client_secret)),
            redirect_port: default_redirect_port(Provider::Eventbrite),
            origin: self.origin.clone(),
        })
    }

    async fn authorization(
        &self,
        app: &OauthApp,
        redirect_uri: &str,
    ) -> Result<AuthorizationRequest, SignInError> {
        let (client, endpoints) = self.client(app).await?;
        let redirect = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|_| malformed("the redirect address is none"))?;
        let client = client.set_redirect_uri(redirect);
        let verifier = PkceCodeVerifier::new(
            PkceCodeChallenge::new_random_sha256_len(VERIFIER_BYTES)
                .1
                .into_secret(),
        );
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let (address, state) = client
            .authorize_url(|| CsrfToken::new_random_len(STATE_BYTES))
            .set_pkce_challenge(challenge)
            .url();
        Ok(AuthorizationRequest {
            address: address.into(),
            state: SecretString::from(state.into_secret()),
            verifier: SecretString::from(verifier.into_secret()),
            redirect_uri: redirect_uri.to_owned(),
            issuer: endpoints.issuer,
        })
    }

    async fn exchange(
        &self,
        app: &OauthApp,
        request: &AuthorizationRequest,
        code: &SecretString,
    ) -> Result<Tokens, SignInError> {
        let (client, _) = self.client(app).await?;
        let redirect = RedirectUrl::new(request.redirect_uri.clone())
            .map_err(|_| malformed("the redirect address is none"))?;
        let answer = client
            .set_redirect_uri(redirect)
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(request.verifier.expose_secret().to_owned()))
            .request_async(self)
            .await;
        self.told(answer.map(tokens).map_err(meaning))
    }

    async fn refresh(&self, app: &OauthApp, refresh_token: &SecretString) -> Result<Tokens, SignInError> {
        let (client, _) = self.client(app).await?;
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let answer = client.exchange_refresh_token(&token).request_async(self).await;
        self.told(answer.map(tokens).map_err(meaning))
    }

    async fn revoke(&self, app: &OauthApp, token: &SecretString) -> Result<bool, SignInError> {
        let (_, endpoints) = self.client(app).await?;
        let Some(address) = endpoints.revoke else {
            return Ok(false);
        };
        // By hand (RFC 7009 section 2.1): the oauth2 crate takes no address on loopback here.
        let form = revocation(app, token);
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let answer = self
            .requester
            .post(address.as_str(), headers, form.into_bytes())
            .await?;
        answer::only_success(answer).map(|_| true)
    }
}

fn revocation(app: &OauthApp, token: &SecretString) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token.expose_secret())
        .append_pair("client_id", &app.client_id);
    if let Some(secret) = &app.client_secret {
        form.append_pair("client_secret", secret.expose_secret());
    }
    form.finish()
}

fn tokens(answer: LenientTokens) -> Tokens {
    Tokens {
        access_token: SecretString::from(answer.access_token().secret().clone()),
        refresh_token: answer
            .refresh_token()
            .map(|token| SecretString::from(token.secret().clone())),
        expires_in: answer.expires_in().filter(|lifetime| *lifetime > Duration::ZERO),
    }
}

fn malformed(detail: &str) -> SignInError {
    SignInError::Provider(ProviderError::Malformed {
        detail: detail.to_owned(),
    })
}
