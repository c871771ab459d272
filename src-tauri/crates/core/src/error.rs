//! The one error that leaves the core: a code for programs, a sentence for a person, and what to do.

use crate::domain::failure::{FailureCode, Recovery};
use crate::ports::StoreError;
use serde::{Serialize, Serializer};

/// What kind of refusal a use case ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Something of the failure table.
    Failure(FailureCode),
    /// No integration, item or provider object of that id.
    NotFound,
    /// The thing exists, but this cannot be done in its present state.
    NotPossible,
    /// What was typed makes no sense.
    BadInput,
    /// The integration was connected against another server than the one set now.
    OtherServer,
    /// The time a person gave (`--wait`) ran out; the job is kept.
    Waiting,
    /// What was pasted opens another account than the one that is needed.
    WrongAccount,
}

impl ErrorCode {
    pub fn code(self) -> &'static str {
        match self {
            ErrorCode::Failure(failure) => failure.code(),
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::NotPossible => "NOT_POSSIBLE",
            ErrorCode::BadInput => "BAD_INPUT",
            ErrorCode::OtherServer => "OTHER_SERVER",
            ErrorCode::Waiting => "WAITING",
            ErrorCode::WrongAccount => "WRONG_ACCOUNT",
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// What a use case answers when it cannot do what was asked. Holds no secret and no raw provider text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct CommandError {
    pub code: ErrorCode,
    pub message: String,
    pub recovery: Recovery,
}

impl CommandError {
    pub fn failure(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Failure(code),
            message: message.into(),
            recovery: code.recovery(),
        }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::NotFound,
            message: message.into(),
            recovery: Recovery::CorrectInput,
        }
    }

    pub fn not_possible(message: impl Into<String>, recovery: Recovery) -> Self {
        Self {
            code: ErrorCode::NotPossible,
            message: message.into(),
            recovery,
        }
    }

    pub fn bad_input(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::BadInput,
            message: message.into(),
            recovery: Recovery::CorrectInput,
        }
    }

    pub fn other_server(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::OtherServer,
            message: message.into(),
            recovery: Recovery::CorrectInput,
        }
    }

    pub fn wrong_account(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::WrongAccount,
            message: message.into(),
            recovery: Recovery::CorrectInput,
        }
    }

    pub fn waiting(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Waiting,
            message: message.into(),
            recovery: Recovery::Wait,
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let message = match &error {
            StoreError::Unusable(message) | StoreError::Newer(message) => message.clone(),
            StoreError::Full(place) => {
                format!("The disk is full: free some space where {place} is kept. Nothing was half-saved.")
            }
            StoreError::Refused(detail) => {
                format!("The local database refused a change ({detail}). Nothing was half-saved.")
            }
        };
        CommandError::failure(FailureCode::StorageFailed, message)
    }
}
