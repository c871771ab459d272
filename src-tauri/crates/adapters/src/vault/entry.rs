//! What one keychain entry holds: a small versioned JSON. It is the only place where a secret is spelled out.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use talkvalue_core::domain::credential::{Credential, Generation, Grant, OauthApp, SignIn};
use talkvalue_core::domain::provider::{Origin, Origins};
use zeroize::Zeroizing;

/// Windows keeps at most 2,560 bytes per entry; encoded by a wallet that takes only text, 1,900 come to that.
pub(super) const LARGEST_ENTRY: usize = 1_900;
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryOut<'a> {
    v: u32,
    sign_in: SignIn,
    secret: &'a str,
    api: &'a str,
    oauth: &'a str,
    generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<GrantOut<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantOut<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    obtained_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryIn {
    v: u32,
    sign_in: SignIn,
    secret: SecretString,
    api: String,
    oauth: String,
    generation: u64,
    #[serde(default)]
    grant: Option<GrantIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GrantIn {
    client_id: String,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    obtained_at: Timestamp,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

pub(super) fn encode(credential: &Credential) -> Zeroizing<Vec<u8>> {
    let grant = credential.grant.as_ref().map(|grant| GrantOut {
        client_id: &grant.client_id,
        refresh_token: grant.refresh_token.as_ref().map(ExposeSecret::expose_secret),
        obtained_at: grant.obtained_at,
        expires_at: grant.expires_at,
    });
    written(&EntryOut {
        v: VERSION,
        sign_in: credential.sign_in,
        secret: credential.secret.expose_secret(),
        api: credential.origins.api.as_str(),
        oauth: credential.origins.oauth.as_str(),
        generation: credential.generation.0,
        grant,
    })
}

fn written(entry: &impl Serialize) -> Zeroizing<Vec<u8>> {
    // Room from the start: a buffer that grows leaves copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 * LARGEST_ENTRY));
    serde_json::to_writer(&mut *bytes, entry).expect("an entry of plain values always serialises");
    bytes
}

/// `None` for an entry of another version or another form.
pub(super) fn decode(bytes: &[u8]) -> Option<Credential> {
    let entry: EntryIn = serde_json::from_slice(bytes).ok()?;
    if entry.v != VERSION {
        return None;
    }
    Some(Credential {
        sign_in: entry.sign_in,
        secret: entry.secret,
        origins: Origins {
            api: Origin::from_stored(entry.api),
            oauth: Origin::from_stored(entry.oauth),
        },
        generation: Generation(entry.generation),
        grant: entry.grant.map(|grant| Grant {
            client_id: grant.client_id,
            refresh_token: grant.refresh_token,
            obtained_at: grant.obtained_at,
            expires_at: grant.expires_at,
        }),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AppOut<'a> {
    v: u32,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    redirect_port: u16,
    oauth: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppIn {
    v: u32,
    client_id: String,
    #[serde(default)]
    client_secret: Option<SecretString>,
    redirect_port: u16,
    oauth: String,
}

pub(super) fn encode_app(app: &OauthApp) -> Zeroizing<Vec<u8>> {
    written(&AppOut {
        v: VERSION,
        client_id: &app.client_id,
        client_secret: app.client_secret.as_ref().map(ExposeSecret::expose_secret),
        redirect_port: app.redirect_port,
        oauth: app.origin.as_str(),
    })
}

pub(super) fn decode_app(bytes: &[u8]) -> Option<OauthApp> {
    let app: AppIn = serde_json::from_slice(bytes).ok()?;
    (app.v == VERSION).then(|| OauthApp {
        client_id: app.client_id,
        client_secret: app.client_secret,
        redirect_port: app.redirect_port,
        origin: Origin::from_stored(app.oauth),
    })
}

/// What to write: `new`, unless the keychain holds a newer generation already (another process was faster).
pub(super) fn without_generation_regress<'a>(held: Option<&'a [u8]>, new: &'a [u8]) -> &'a [u8] {
    match (held, held.and_then(decode), decode(new)) {
        (Some(bytes), Some(held), Some(new)) if held.generation > new.generation => bytes,
        _ => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(generation: u64) -> Credential {
        let origin = |text| Origin::parse(text).unwrap();
        Credential {
            sign_in: SignIn::Token,
            secret: SecretString::from("CANARYTOKEN"),
            origins: Origins {
                api: origin("https://api.example"),
                oauth: origin("https://oauth.example"),
            },
            generation: Generation(generation),
            grant: None,
        }
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written() {
        let bytes = encode(&credential(7));
        let back = decode(&bytes).unwrap();
        assert_eq!(back.secret.expose_secret(), "CANARYTOKEN");
        assert_eq!(back.generation, Generation(7));
        assert_eq!(back.origins.api.as_str(), "https://api.example");
        assert!(
            bytes.len() < 300,
            "an ordinary entry is far below every keychain's limit: {}",
            bytes.len()
        );
    }

    #[test]
    fn a_grant_and_an_app_come_back_as_they_were_written() {
        let granted = Credential {
            sign_in: SignIn::Oauth,
            grant: Some(Grant {
                client_id: "client".to_owned(),
                refresh_token: Some(SecretString::from("CANARYREFRESH")),
                obtained_at: Timestamp::UNIX_EPOCH,
                expires_at: Timestamp::from_second(3_600).ok(),
            }),
            ..credential(3)
        };
        let back = decode(&encode(&granted)).unwrap().grant.unwrap();
        assert_eq!(back.client_id, "client");
        assert_eq!(back.refresh_token.unwrap().expose_secret(), "CANARYREFRESH");
        assert_eq!(back.expires_at, Timestamp::from_second(3_600).ok());
        let app = OauthApp {
            client_id: "client".to_owned(),
            client_secret: Some(SecretString::from("CANARYSECRET")),
            redirect_port: 47_831,
            origin: Origin::parse("https://oauth.example").unwrap(),
        };
        let back = decode_app(&encode_app(&app)).unwrap();
        assert_eq!(back.client_secret.unwrap().expose_secret(), "CANARYSECRET");
        assert_eq!((back.redirect_port, back.origin), (47_831, app.origin));
    }

    #[test]
    fn an_entry_of_a_newer_version_is_not_misread() {
        let text = String::from_utf8(encode(&credential(1)).to_vec())
            .unwrap()
            .replace("\"v\":1", "\"v\":2");
        assert!(decode(text.as_bytes()).is_none());
        assert!(decode(b"{}").is_none());
        assert!(decode(b"not json").is_none());
    }

    #[test]
    fn an_older_generation_never_replaces_a_newer_one() {
        let (old, new) = (encode(&credential(1)), encode(&credential(2)));
        assert_eq!(without_generation_regress(Some(&new), &old), new.as_slice());
        assert_eq!(without_generation_regress(Some(&old), &new), new.as_slice());
        assert_eq!(without_generation_regress(None, &old), old.as_slice());
    }

    #[test]
    fn a_credential_prints_without_its_secret() {
        assert!(
            !format!("{:?}", credential(1)).contains("CANARY"),
            "Debug output may end up in a log"
        );
    }
}
