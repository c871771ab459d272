//! Telling a captive portal from a provider in trouble: one plain request without credentials.

use super::http::build_client;
use reqwest::Client;
use std::time::Duration;
use talkvalue_core::domain::provider::Origin;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(5);

/// Whether something other than the provider answers for the provider's host: the plain address is redirected
/// elsewhere, or answered 200 (the providers' own hosts redirect to themselves or refuse).
pub(super) async fn answers(origin: &Origin) -> bool {
    let Ok(mut plain) = Url::parse(origin.as_str()) else {
        return false;
    };
    if plain.set_scheme("http").is_err() {
        return false;
    }
    plain.set_path("/");
    let Ok(client) = plain_client(&plain) else {
        return false;
    };
    let Ok(response) = client.get(plain.clone()).timeout(PATIENCE).send().await else {
        return false;
    };
    let status = response.status();
    if status.is_redirection() {
        let target = response
            .headers()
            .get(reqwest::header::LOCATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| plain.join(text).ok());
        return target.is_some_and(|target| !same_site(&plain, &target));
    }
    status == reqwest::StatusCode::OK
}

fn plain_client(plain: &Url) -> Result<Client, reqwest::Error> {
    // An origin's own client refuses plain http; a portal shows itself nowhere else.
    build_client(&Origin::from_stored(plain.as_str()))
}

/// A provider may send its bare host to its "www": that is no portal.
fn same_site(own: &Url, target: &Url) -> bool {
    let bare = |url: &Url| {
        url.host_str()
            .map(|host| host.trim_start_matches("www.").to_owned())
    };
    bare(own) == bare(target)
}

/// Whether a TCP connection to this address comes about.
pub(super) async fn connects(address: &Url) -> bool {
    let (Some(host), Some(port)) = (address.host_str(), address.port_or_known_default()) else {
        return false;
    };
    let attempt = tokio::net::TcpStream::connect((host.trim_matches(['[', ']']), port));
    matches!(tokio::time::timeout(PATIENCE, attempt).await, Ok(Ok(_)))
}
