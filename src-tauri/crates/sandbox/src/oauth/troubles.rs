//! Token answers that go wrong, as [`Fault`]s with names: for tables of tests and the control page.

use serde_json::{Value, json};

use crate::fault::Fault;

impl Fault {
    /// An error as OAuth words it.
    #[must_use]
    pub fn oauth_error(status: u16, error: &str) -> Self {
        let body = json!({ "error": error, "error_description": "Refused on demand." });
        Self::json(status, &body)
    }

    /// That JSON with that status, whatever was asked.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    /// The true answer without that member.
    #[must_use]
    pub fn without_member(name: &str) -> Self {
        Self::Member {
            name: name.to_owned(),
            value: None,
        }
    }

    /// The true answer with that member set.
    #[must_use]
    pub fn with_member(name: &str, value: Value) -> Self {
        Self::Member {
            name: name.to_owned(),
            value: Some(value),
        }
    }

    /// A redirect of that status (301, 302, 307, 308).
    #[must_use]
    pub fn redirects(status: u16, to: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("location", to.to_owned())],
            body: String::new(),
        }
    }

    /// What a token endpoint can answer other than well: name and fault, about one for each cause. `redirect_to` is
    /// where the redirects lead.
    #[must_use]
    pub fn token_catalogue(redirect_to: &str) -> Vec<(&'static str, Self)> {
        let mut all = refusals();
        all.extend(odd_members());
        for (name, status) in [
            ("redirect-301", 301),
            ("redirect-302", 302),
            ("redirect-307", 307),
            ("redirect-308", 308),
        ] {
            all.push((name, Self::redirects(status, redirect_to)));
        }
        all
    }
}

fn wait(status: u16, wait: &str) -> Fault {
    Fault::Answer {
        status,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("retry-after", wait.to_owned()),
        ],
        body: json!({ "error": "temporarily_unavailable" }).to_string(),
    }
}

fn refusals() -> Vec<(&'static str, Fault)> {
    let error = Fault::oauth_error;
    vec![
        ("invalid-grant", error(400, "invalid_grant")),
        ("invalid-grant-401", error(401, "invalid_grant")),
        ("invalid-client", error(401, "invalid_client")),
        ("invalid-client-400", error(400, "invalid_client")),
        ("unauthorized-client", error(400, "unauthorized_client")),
        ("invalid-request", error(400, "invalid_request")),
        ("unsupported-grant-type", error(400, "unsupported_grant_type")),
        ("access-denied-403", error(403, "access_denied")),
        ("temporarily-unavailable", error(503, "temporarily_unavailable")),
        (
            "temporarily-unavailable-400",
            error(400, "temporarily_unavailable"),
        ),
        ("server-error", error(500, "server_error")),
        ("error-with-200", error(200, "invalid_grant")),
        ("unknown-error-400", error(400, "tea_time")),
        ("timeout-408", Fault::Status(408)),
        (
            "rate-limited",
            Fault::RateLimited {
                retry_after_secs: None,
            },
        ),
        (
            "rate-limited-30",
            Fault::RateLimited {
                retry_after_secs: Some(30),
            },
        ),
        ("unavailable-120", wait(503, "120")),
        ("unavailable-odd-wait", wait(503, "soon")),
        ("html-400", Fault::NonJsonStatus(400)),
        ("html-401", Fault::NonJsonStatus(401)),
        ("html-502", Fault::HtmlGateway(502)),
        ("html-504", Fault::HtmlGateway(504)),
        ("html-200", Fault::Html200),
        ("empty-200", Fault::EmptyBody(200)),
        ("empty-400", Fault::EmptyBody(400)),
        ("empty-503", Fault::EmptyBody(503)),
        ("truncated-body", Fault::TruncatedBody),
        ("truncated-json", Fault::TruncatedJson),
        ("body-of-2-mb", Fault::HugeBody { bytes: 2 << 20 }),
        ("deep-json", Fault::DeepJson),
        ("reset", Fault::Reset),
        ("lost-answer", Fault::LostAnswer),
    ]
}

fn odd_members() -> Vec<(&'static str, Fault)> {
    let with = Fault::with_member;
    vec![
        ("no-object", Fault::json(200, &json!(["access_token"]))),
        ("another-object", Fault::NotAnEnvelope),
        ("no-access-token", Fault::without_member("access_token")),
        ("null-access-token", with("access_token", Value::Null)),
        ("empty-access-token", with("access_token", json!(""))),
        ("number-access-token", with("access_token", json!(7))),
        ("no-token-type", Fault::without_member("token_type")),
        ("other-token-type", with("token_type", json!("mac"))),
        ("no-expiry", Fault::without_member("expires_in")),
        ("null-expiry", with("expires_in", Value::Null)),
        ("expired-at-once", with("expires_in", json!(0))),
        ("negative-expiry", with("expires_in", json!(-60))),
        ("expiry-as-text", with("expires_in", json!("3600"))),
        ("expiry-as-words", with("expires_in", json!("an hour"))),
        ("fractional-expiry", with("expires_in", json!(3599.5))),
        ("endless-expiry", with("expires_in", json!(u64::MAX))),
        ("no-refresh-token", Fault::without_member("refresh_token")),
        ("null-refresh-token", with("refresh_token", Value::Null)),
        ("empty-refresh-token", with("refresh_token", json!(""))),
        ("number-refresh-token", with("refresh_token", json!(7))),
    ]
}
