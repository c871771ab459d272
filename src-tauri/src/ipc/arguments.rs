//! Arguments of commands. A command names the checked type; what does not pass is refused as BAD_INPUT before the
//! command runs, whatever was sent. Refusals never repeat what was sent.

use super::dto::AttendeeRequest;
use super::error::CommandError;
use super::sign_in::SignInWay;
use super::words::{ItemKind, LinkKind, Provider};
use secrecy::SecretString;
use serde_json::Value;
use talkvalue_core::domain::ids::{ExternalId, IntegrationId, ItemId};
use talkvalue_core::domain::{item, provider};
use talkvalue_core::error;
use talkvalue_core::query::attendee_list;
use tauri::Runtime;
use tauri::ipc::{CommandArg, CommandItem, InvokeBody, InvokeError};

const LONGEST_ID: usize = 200;
const LONGEST_SEARCH: usize = 200;
/// Several ticket names can stand in one row.
const LONGEST_TICKET: usize = 2_000;
/// In bytes; the core knows how long a credential can really be.
const LONGEST_SECRET: usize = 4_096;
const LONGEST_CLIENT_ID: usize = 500;
const MOST_ROWS: u32 = 200;

/// An argument that passed its check.
pub(crate) struct Checked<T>(pub(crate) T);

/// What can be taken from an argument's JSON. `Err` says what is expected.
pub(crate) trait Argument: Sized {
    fn check(value: &Value) -> Result<Self, String>;
}

impl<'de, T: Argument, R: Runtime> CommandArg<'de, R> for Checked<T> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let given = match command.message.payload() {
            InvokeBody::Json(arguments) => arguments.get(command.key),
            InvokeBody::Raw(_) => None,
        };
        // What is left out counts as null: arguments that may be null may be left out.
        T::check(given.unwrap_or(&Value::Null))
            .map(Self)
            .map_err(|expected| refused(command.key, &expected))
    }
}

fn refused(key: &str, expected: &str) -> InvokeError {
    let error = error::CommandError::bad_input(format!("{key} must be {expected}."));
    InvokeError::from(CommandError::from(error))
}

/// Letters and digits of ASCII with the few marks that ids of ours and of the providers hold.
fn id(value: &Value) -> Result<String, String> {
    value
        .as_str()
        .filter(|text| !text.is_empty() && text.len() <= LONGEST_ID)
        .filter(|text| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        })
        .map(str::to_owned)
        .ok_or_else(|| format!("an id of at most {LONGEST_ID} letters, digits and -_.:"))
}

macro_rules! id_arguments {
    ($($id:ident),+) => {$(
        impl Argument for $id {
            fn check(value: &Value) -> Result<Self, String> {
                id(value).map($id::from_text)
            }
        }
    )+};
}

id_arguments!(ItemId, IntegrationId, ExternalId);

impl<T: Argument> Argument for Option<T> {
    fn check(value: &Value) -> Result<Self, String> {
        if value.is_null() {
            return Ok(None);
        }
        T::check(value)
            .map(Some)
            .map_err(|expected| format!("null or {expected}"))
    }
}

impl Argument for bool {
    fn check(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "true or false".to_owned())
    }
}

/// One word of a fixed set.
fn word<T: serde::de::DeserializeOwned>(value: &Value, set: &str) -> Result<T, String> {
    value
        .is_string()
        .then(|| T::deserialize(value).ok())
        .flatten()
        .ok_or_else(|| set.to_owned())
}

impl Argument for provider::Provider {
    fn check(value: &Value) -> Result<Self, String> {
        word::<Provider>(value, "EVENTBRITE or LUMA").map(Into::into)
    }
}

impl Argument for item::ItemKind {
    fn check(value: &Value) -> Result<Self, String> {
        word::<ItemKind>(value, "BADGE_EVENT, PATH_EVENT or PATH_CHANNEL").map(Into::into)
    }
}

impl Argument for LinkKind {
    fn check(value: &Value) -> Result<Self, String> {
        word(value, "a kind of link")
    }
}

impl Argument for SignInWay {
    fn check(value: &Value) -> Result<Self, String> {
        word(value, "WINDOW or BROWSER")
    }
}

/// An app's client id, as it was typed.
pub(crate) struct ClientId(pub(crate) String);

impl Argument for ClientId {
    fn check(value: &Value) -> Result<Self, String> {
        value
            .as_str()
            .filter(|text| text.len() <= LONGEST_CLIENT_ID)
            .map(|text| Self(text.to_owned()))
            .ok_or_else(|| format!("text of at most {LONGEST_CLIENT_ID} bytes"))
    }
}

/// A port of this computer.
pub(crate) struct Port(pub(crate) u16);

impl Argument for Port {
    fn check(value: &Value) -> Result<Self, String> {
        value
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .map(Self)
            .ok_or_else(|| "a port: a number up to 65535".to_owned())
    }
}

impl Argument for SecretString {
    fn check(value: &Value) -> Result<Self, String> {
        value
            .as_str()
            .filter(|text| text.len() <= LONGEST_SECRET)
            .map(|text| SecretString::from(text.to_owned()))
            .ok_or_else(|| format!("text of at most {LONGEST_SECRET} bytes"))
    }
}

impl Argument for attendee_list::AttendeeListRequest {
    fn check(value: &Value) -> Result<Self, String> {
        let expected =
            || "a page of a list: search, status, ticket, sort, descending, offset and limit".to_owned();
        if !value.is_object() {
            return Err(expected());
        }
        let request = <AttendeeRequest as serde::Deserialize>::deserialize(value).map_err(|_| expected())?;
        if request.search.chars().count() > LONGEST_SEARCH {
            return Err(format!("a search of at most {LONGEST_SEARCH} characters"));
        }
        if request
            .ticket
            .as_ref()
            .is_some_and(|ticket| ticket.chars().count() > LONGEST_TICKET)
        {
            return Err(format!("a ticket of at most {LONGEST_TICKET} characters"));
        }
        if request.limit > MOST_ROWS {
            return Err(format!("a page of at most {MOST_ROWS} rows"));
        }
        Ok(request.into())
    }
}
