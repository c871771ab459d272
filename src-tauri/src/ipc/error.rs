//! The one error that reaches the window.

use super::words::{FailureCode, Recovery};
use serde::Serialize;
use talkvalue_core::error;
use ts_rs::TS;

/// Why a command did not do what was asked: a code for the window's table of words, a sentence, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CommandError {
    pub code: ErrorCode,
    pub message: String,
    pub recovery: Recovery,
}

/// A failure of the failure table, or a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(untagged)]
pub enum ErrorCode {
    Failure(FailureCode),
    Refusal(Refusal),
}

/// Why something was not even tried, or not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refusal {
    NotFound,
    NotPossible,
    BadInput,
    OtherServer,
    Waiting,
    WrongAccount,
}

impl From<error::ErrorCode> for ErrorCode {
    fn from(code: error::ErrorCode) -> Self {
        match code {
            error::ErrorCode::Failure(failure) => Self::Failure(failure.into()),
            error::ErrorCode::NotFound => Self::Refusal(Refusal::NotFound),
            error::ErrorCode::NotPossible => Self::Refusal(Refusal::NotPossible),
            error::ErrorCode::BadInput => Self::Refusal(Refusal::BadInput),
            error::ErrorCode::OtherServer => Self::Refusal(Refusal::OtherServer),
            error::ErrorCode::Waiting => Self::Refusal(Refusal::Waiting),
            error::ErrorCode::WrongAccount => Self::Refusal(Refusal::WrongAccount),
        }
    }
}

impl From<error::CommandError> for CommandError {
    fn from(error: error::CommandError) -> Self {
        Self {
            code: error.code.into(),
            message: error.message,
            recovery: error.recovery.into(),
        }
    }
}
