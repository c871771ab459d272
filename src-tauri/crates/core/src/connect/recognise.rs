//! Recognising what was pasted, before anything is sent anywhere. Shapes are judged loosely: only what is certainly
//! something else is refused.

use crate::domain::failure::FailureCode;
use crate::domain::provider::Provider;
use crate::error::CommandError;

/// Checks a pasted credential's shape. `Err` says what it seems to be and what to paste instead.
pub(super) fn recognise(provider: Provider, pasted: &str) -> Result<&str, CommandError> {
    let trimmed = pasted.trim();
    let wanted = match provider {
        Provider::Eventbrite => "Copy the line called Private token from Eventbrite's API keys page.",
        Provider::Luma => "Copy the key from the calendar's API keys page at Luma; it begins with secret-.",
    };
    if trimmed.is_empty() {
        return Err(CommandError::bad_input(format!(
            "No {} was given: the input was empty. {wanted}",
            provider.credential_name()
        )));
    }
    if trimmed.chars().any(char::is_whitespace) {
        return Err(CommandError::bad_input(format!(
            "That is more than one word, and a {} is one. {wanted}",
            provider.credential_name()
        )));
    }
    if trimmed.chars().any(|character| !character.is_ascii_graphic()) {
        return Err(CommandError::bad_input(format!(
            "That holds characters which no {} has. {wanted}",
            provider.credential_name()
        )));
    }
    if trimmed.len() > 1_000 {
        return Err(CommandError::bad_input(format!(
            "That is {} characters long, more than any {} has. {wanted}",
            trimmed.len(),
            provider.credential_name()
        )));
    }
    let foreign = match provider {
        Provider::Eventbrite if trimmed.starts_with("secret-") => Some("a Luma API key"),
        Provider::Luma if looks_like_eventbrite(trimmed) => Some("an Eventbrite token"),
        _ => None,
    };
    if let Some(foreign) = foreign {
        // One provider's secret is not shown to the other.
        return Err(CommandError::failure(
            FailureCode::CredentialsRejected,
            format!(
                "That looks like {foreign}, so it was not sent to {}. {wanted} Nothing was saved.",
                provider.name()
            ),
        ));
    }
    Ok(trimmed)
}

/// Eventbrite's tokens and keys are 20 capitals and digits.
fn looks_like_eventbrite(text: &str) -> bool {
    text.len() == 20
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// What may be wrong with a credential that the provider refused.
pub(super) fn refusal_hint(provider: Provider, pasted: &str) -> &'static str {
    match provider {
        Provider::Eventbrite => {
            "It may be mistyped or revoked, or it is the API key or the client secret: copy the line called Private \
             token."
        }
        Provider::Luma if pasted.starts_with("secret-") => {
            "It may be mistyped, or it was deleted: open the calendar's API keys page at Luma and copy the key again."
        }
        Provider::Luma => {
            "Luma's keys begin with secret-, and this one does not: open the calendar's API keys page at Luma and copy \
             the key from there."
        }
    }
}
