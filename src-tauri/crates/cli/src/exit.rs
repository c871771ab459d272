//! Exit codes: a script's whole view of how a command ended. They are a promise and never change their meaning.

use talkvalue_core::domain::failure::{FailureCode, Recovery};
use talkvalue_core::error::{CommandError, ErrorCode};

pub(crate) const DONE: u8 = 0;
/// Network, provider, storage, or the given time ran out.
pub(crate) const FAILED: u8 = 1;
/// Not understood, or not possible in this state.
pub(crate) const USAGE: u8 = 2;
pub(crate) const CREDENTIALS: u8 = 3;
pub(crate) const NOT_FOUND: u8 = 4;
pub(crate) const NOT_PERMITTED: u8 = 5;
pub(crate) const VAULT: u8 = 6;
/// Ended by Ctrl-C, as shells count it.
pub(crate) const INTERRUPTED: u8 = 130;

pub(crate) fn exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::NotFound => NOT_FOUND,
        ErrorCode::NotPossible | ErrorCode::BadInput | ErrorCode::OtherServer | ErrorCode::WrongAccount => {
            USAGE
        }
        ErrorCode::Waiting => FAILED,
        ErrorCode::Failure(failure) => match failure {
            FailureCode::CredentialsRejected
            | FailureCode::CredentialsMissing
            | FailureCode::DisconnectedByYou
            | FailureCode::AppRejected => CREDENTIALS,
            FailureCode::RemoteGone => NOT_FOUND,
            FailureCode::PermissionMissing | FailureCode::PlanRequired => NOT_PERMITTED,
            FailureCode::VaultLocked | FailureCode::VaultUnavailable | FailureCode::VaultWriteFailed => VAULT,
            FailureCode::Offline
            | FailureCode::ProviderUnreachable
            | FailureCode::NetworkSignIn
            | FailureCode::RateLimited
            | FailureCode::ProviderChanged
            | FailureCode::StorageFailed
            | FailureCode::Interrupted
            | FailureCode::ImportCancelled => FAILED,
        },
    }
}

/// The command that helps next, where one does.
pub(crate) fn hint(error: &CommandError) -> Option<&'static str> {
    match (error.code, error.recovery) {
        (ErrorCode::NotFound, _) => Some("`tvsync items` and `tvsync integrations` list what is here."),
        (_, Recovery::Reconnect) => Some(
            "`tvsync connect eventbrite --token-stdin`, `tvsync connect luma --key-stdin` or `tvsync connect PROVIDER \
             --oauth`, whichever it was, renews a sign-in; then `tvsync reconnect ITEM` makes one list live again, and \
             `tvsync reconnect --all --with ID` all of them.",
        ),
        (_, Recovery::CheckAppSettings) => Some(
            "Compare with the page of your app, then `tvsync connect eventbrite --oauth --client-id API_KEY \
             --client-secret-stdin` (Luma: `tvsync connect luma --oauth --client-id ID`) signs in with what is right.",
        ),
        _ => None,
    }
}

/// One code for many outcomes: what a person must do first comes first.
pub(crate) fn exit_code_of_all(codes: impl IntoIterator<Item = u8>) -> u8 {
    const FIRST_TO_LAST: [u8; 6] = [VAULT, CREDENTIALS, NOT_PERMITTED, NOT_FOUND, FAILED, USAGE];
    let codes: Vec<u8> = codes.into_iter().collect();
    FIRST_TO_LAST
        .into_iter()
        .find(|code| codes.contains(code))
        .unwrap_or(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_exit() {
        let table = [
            ("OFFLINE", 1),
            ("PROVIDER_UNREACHABLE", 1),
            ("NETWORK_SIGN_IN", 1),
            ("RATE_LIMITED", 1),
            ("CREDENTIALS_REJECTED", 3),
            ("CREDENTIALS_MISSING", 3),
            ("DISCONNECTED_BY_YOU", 3),
            ("APP_REJECTED", 3),
            ("PLAN_REQUIRED", 5),
            ("PERMISSION_MISSING", 5),
            ("REMOTE_GONE", 4),
            ("PROVIDER_CHANGED", 1),
            ("VAULT_LOCKED", 6),
            ("VAULT_UNAVAILABLE", 6),
            ("VAULT_WRITE_FAILED", 6),
            ("STORAGE_FAILED", 1),
            ("INTERRUPTED", 1),
            ("IMPORT_CANCELLED", 1),
        ];
        assert_eq!(
            table.len(),
            FailureCode::ALL.len(),
            "a new code needs its line here"
        );
        for (code, exit) in table {
            let failure = FailureCode::from_code(code).expect("a code of the failure table");
            assert_eq!(exit_code(ErrorCode::Failure(failure)), exit, "{code}");
        }
        assert_eq!(exit_code(ErrorCode::NotFound), 4);
        assert_eq!(exit_code(ErrorCode::NotPossible), 2);
        assert_eq!(exit_code(ErrorCode::BadInput), 2);
        assert_eq!(exit_code(ErrorCode::OtherServer), 2);
        assert_eq!(exit_code(ErrorCode::Waiting), 1);
    }

    #[test]
    fn all_exits_by_what_needs_a_person_first() {
        let table: [(&[u8], u8); 8] = [
            (&[], 0),
            (&[0, 0], 0),
            (&[0, 1], 1),
            (&[1, 4, 0], 4),
            (&[4, 5], 5),
            (&[5, 3, 1], 3),
            (&[3, 6, 4], 6),
            (&[2, 0], 2),
        ];
        for (codes, expected) in table {
            assert_eq!(exit_code_of_all(codes.iter().copied()), expected, "{codes:?}");
        }
    }
}
