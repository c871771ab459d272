//! Tolerant reading of wire values: absent and null are the same, blank text is none, an id may be a number.

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use talkvalue_core::domain::attendee::SetAside;
use talkvalue_core::domain::ids::RegistrationId;
use talkvalue_core::ports::ProviderError;

/// An id given as text or as a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum WireId {
    Text(String),
    Number(i64),
}

impl WireId {
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            WireId::Text(text) => present(Some(text)),
            WireId::Number(number) => Some(number.to_string()),
        }
    }
}

/// Text that says something.
pub(super) fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// First and last name as one, where there is no full name.
pub(super) fn full_name(name: Option<String>, first: Option<String>, last: Option<String>) -> Option<String> {
    present(name).or_else(|| {
        let parts: Vec<String> = [present(first), present(last)].into_iter().flatten().collect();
        present(Some(parts.join(" ")))
    })
}

/// A time as the providers write it: RFC 3339, or without a zone, which then is UTC (Eventbrite's organizations).
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    parse_time(&text)
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom("a time of unknown form"))
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| format!("{text}Z").parse().ok())
}

/// Null as the type's default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// What is written as a JSON object. serde by itself would take a list too, for the fields in their order, and make
/// somebody up.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Reads a body that is an object.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ProviderError> {
    parse_raw(body).map(|Object(answer)| answer)
}

/// Reads a body. One that ends too early was cut short on its way; any other surprise is an unknown form.
pub(super) fn parse_raw<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            ProviderError::Unreachable {
                detail: "the answer was cut short".to_owned(),
            }
        } else {
            ProviderError::Malformed {
                detail: format!("{:?} in an answer", error.classify()),
            }
        }
    })
}

/// Reads a list record by record: a record that cannot be read is set aside with its id, and costs no other.
pub(super) fn parse_records<T, R>(
    records: &[&RawValue],
    read: impl Fn(T) -> Option<R>,
) -> (Vec<R>, Vec<SetAside>)
where
    T: for<'de> Deserialize<'de>,
{
    let (mut rows, mut set_aside) = (Vec::with_capacity(records.len()), Vec::new());
    for record in records {
        let reason = match serde_json::from_str::<Object<T>>(record.get()) {
            Ok(Object(wire)) => match read(wire) {
                Some(row) => {
                    rows.push(row);
                    continue;
                }
                None => "no id".to_owned(),
            },
            // serde's own text may quote a value; its kind and place do not.
            Err(error) => format!("{:?} error at column {}", error.classify(), error.column()),
        };
        set_aside.push(SetAside {
            external_id: id_of(record).map(RegistrationId::from_text),
            fingerprint: fingerprint(record.get()),
            reason,
        });
    }
    (rows, set_aside)
}

/// Tells a record without an id from others, wherever it is met.
fn fingerprint(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{}{:016x}", SetAside::NAMELESS, hasher.finish())
}

fn id_of(record: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: Option<WireId>,
    }
    let Object(only) = serde_json::from_str::<Object<OnlyId>>(record.get()).ok()?;
    only.id?.into_text()
}
