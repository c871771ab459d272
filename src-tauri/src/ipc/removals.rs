//! Registrations that wait for a person's word, as the window shows them, and what it says was shown.

use super::arguments::Argument;
use super::dto::Attendee;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use talkvalue_core::sync::removals;
use ts_rs::TS;

/// Sixteen digits, as the core writes them.
const LONGEST_MARK: usize = 16;

/// Who is missing at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeldRemovals {
    pub people: Vec<Attendee>,
    pub shown: ShownRemovals,
}

/// What somebody saw before they decided. `mark` stands for the very people; it is `null` where only their number was
/// shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownRemovals {
    pub count: u64,
    pub mark: Option<String>,
}

impl From<removals::HeldRemovals> for HeldRemovals {
    fn from(held: removals::HeldRemovals) -> Self {
        let removals::Shown { count, mark } = held.shown;
        Self {
            people: held.rows.into_iter().map(Into::into).collect(),
            shown: ShownRemovals { count, mark },
        }
    }
}

impl Argument for removals::Shown {
    fn check(value: &Value) -> Result<Self, String> {
        ShownRemovals::deserialize(value)
            .ok()
            .filter(|shown| shown.mark.as_ref().is_none_or(|mark| mark.len() <= LONGEST_MARK))
            .map(|ShownRemovals { count, mark }| Self { count, mark })
            .ok_or_else(|| "what was shown: count and mark".to_owned())
    }
}
