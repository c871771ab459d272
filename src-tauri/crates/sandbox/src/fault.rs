//! The vocabulary of trouble: what can go wrong with an answer ([`Fault`]) and with one record ([`Spoil`]).
//! Owns the words only; `http::trouble` and the providers' `spoil` modules act on them.

use serde_json::Value;

/// One way for an answer to go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A JSON error of that status in the provider's own shape.
    Status(u16),
    /// 429 as the provider words it, with `Retry-After` (and a matching rate header) where given.
    RateLimited {
        /// Seconds to wait; nothing is said about it when absent.
        retry_after_secs: Option<u64>,
    },
    /// A gateway's status (502, 503, 504) with an HTML body.
    HtmlGateway(u16),
    /// A captive portal's page: HTML with status 200.
    Html200,
    /// 302 to that address.
    Redirect(String),
    /// That status (401 or 403, say) with an HTML body: somebody between, not the provider.
    NonJsonStatus(u16),
    /// An empty body with that status.
    EmptyBody(u16),
    /// `Content-Length` is larger than what is sent; then the connection closes.
    TruncatedBody,
    /// A complete HTTP answer whose JSON ends half-way.
    TruncatedJson,
    /// The connection is reset without an answer, before anything is carried out.
    Reset,
    /// What was asked is carried out; then the connection is reset without an answer.
    LostAnswer,
    /// What was asked is carried out; the answer never comes.
    HeldAnswer,
    /// Exactly this, whatever was asked; nothing is carried out.
    Answer {
        /// Status.
        status: u16,
        /// Names in lower case.
        headers: Vec<(&'static str, String)>,
        /// Body.
        body: String,
    },
    /// The true answer, a JSON object, with one member set, or taken out where there is no value.
    Member {
        /// Which one.
        name: String,
        /// Its value.
        value: Option<Value>,
    },
    /// Accepted, never answered.
    Hang,
    /// The true answer, dripping.
    SlowBody {
        /// Pace of the body.
        bytes_per_second: u32,
    },
    /// A body of that many bytes (blanks, then valid JSON).
    HugeBody {
        /// Size on the wire.
        bytes: u64,
    },
    /// A small gzip body that unpacks to that many bytes (blanks, then valid JSON).
    GzipBomb {
        /// Size after decoding.
        decoded_bytes: u64,
    },
    /// JSON nested 200,000 deep.
    DeepJson,
    /// 200 with an empty list and nothing more to come.
    EmptyList,
    /// 200 with the first half of the page's rows and nothing more to come.
    HalfList,
    /// More to come, with the same cursor for ever.
    RepeatedCursor,
    /// More to come, without a cursor.
    MissingCursor,
    /// Valid JSON of another shape.
    NotAnEnvelope,
    /// An error of that status whose body and headers repeat the credential.
    EchoesCredential(u16),
    /// The paging token is refused. Strikes only requests that carry one.
    BadContinuation,
}

impl Fault {
    /// Every kind of fault with a sensible parameter, for pages and tables of tests.
    #[must_use]
    pub fn catalogue() -> Vec<(&'static str, Self)> {
        vec![
            ("status-401", Self::Status(401)),
            ("status-403", Self::Status(403)),
            ("status-404", Self::Status(404)),
            ("status-500", Self::Status(500)),
            ("status-503", Self::Status(503)),
            (
                "rate-limited",
                Self::RateLimited {
                    retry_after_secs: None,
                },
            ),
            (
                "rate-limited-30",
                Self::RateLimited {
                    retry_after_secs: Some(30),
                },
            ),
            ("html-502", Self::HtmlGateway(502)),
            ("html-503", Self::HtmlGateway(503)),
            ("html-504", Self::HtmlGateway(504)),
            ("html-200", Self::Html200),
            ("html-401", Self::NonJsonStatus(401)),
            ("html-403", Self::NonJsonStatus(403)),
            ("empty-503", Self::EmptyBody(503)),
            (
                "redirect",
                Self::Redirect("http://portal.example/sign-in".to_owned()),
            ),
            ("truncated-body", Self::TruncatedBody),
            ("truncated-json", Self::TruncatedJson),
            ("reset", Self::Reset),
            ("hang", Self::Hang),
            (
                "slow-body",
                Self::SlowBody {
                    bytes_per_second: 200,
                },
            ),
            ("huge-body", Self::HugeBody { bytes: 256 << 20 }),
            (
                "gzip-bomb",
                Self::GzipBomb {
                    decoded_bytes: 1 << 30,
                },
            ),
            ("deep-json", Self::DeepJson),
            ("empty-list", Self::EmptyList),
            ("half-list", Self::HalfList),
            ("repeated-cursor", Self::RepeatedCursor),
            ("missing-cursor", Self::MissingCursor),
            ("not-an-envelope", Self::NotAnEnvelope),
            ("echoes-credential", Self::EchoesCredential(401)),
            ("bad-continuation", Self::BadContinuation),
        ]
    }

    /// The fault of that name in [`Self::catalogue`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::catalogue()
            .into_iter()
            .find_map(|(known, fault)| (known == name).then_some(fault))
    }
}

/// One way for a single record to be unreadable or odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// The id is missing.
    NoId,
    /// The id is a number instead of a string.
    IdIsNumber,
    /// The profile (Luma: every field about the person) is null.
    NullProfile,
    /// Fields of the wrong JSON type.
    WrongTypes,
    /// A status word nobody has seen.
    UnknownStatus,
    /// More fields than documented, some of them large.
    UnknownFields,
    /// Everything but the id is null.
    NullEverything,
    /// Timestamps that are none.
    BadTimestamps,
    /// A string where the object belongs.
    NotAnObject,
}
