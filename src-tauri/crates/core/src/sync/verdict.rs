//! What a provider's refusal means once the probe has spoken: the failure table as one pure function.

use crate::domain::failure::FailureCode;
use crate::domain::provider::Provider;
use crate::ports::ProviderError;

/// What follows from a call that could not be made good by trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The credential is severed, and with it every item of the integration.
    Sever,
    /// The item failed.
    Fail(FailureCode),
    /// Every item of the integration failed; the credential stays.
    FailAll(FailureCode),
    /// A condition: statuses stay, the job waits.
    Hold(FailureCode),
    /// The walk starts again from its first page.
    RestartWalk,
    /// The credential was renewed meanwhile: the call deserves another try.
    Again,
}

/// What has to be asked before an error can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Nothing: judge it as it is.
    None,
    /// One probe with the same credential.
    Probe,
}

/// A refusal of the credential or of a right is never believed without one probe.
pub fn question(error: &ProviderError) -> Question {
    match error {
        ProviderError::CredentialsRejected | ProviderError::PermissionMissing => Question::Probe,
        _ => Question::None,
    }
}

/// Judges `error`. `probe` is the probe's outcome where [`question`] asked for one; `others_work` whether the account
/// still lists its other events, asked only where Luma answers 403 on one event.
pub fn judge(
    provider: Provider,
    error: &ProviderError,
    probe: Option<&Result<(), ProviderError>>,
    others_work: Option<bool>,
) -> Verdict {
    match (error, probe) {
        (ProviderError::CredentialsRejected | ProviderError::PermissionMissing, Some(Err(probe_error))) => {
            match (provider, probe_error) {
                (_, ProviderError::CredentialsRejected) => Verdict::Sever,
                (Provider::Luma, ProviderError::PermissionMissing) => {
                    Verdict::FailAll(FailureCode::PlanRequired)
                }
                (Provider::Eventbrite, ProviderError::PermissionMissing) => {
                    Verdict::Fail(FailureCode::PermissionMissing)
                }
                (_, other) => plain(other),
            }
        }
        (ProviderError::CredentialsRejected, Some(Ok(()))) => Verdict::Fail(FailureCode::PermissionMissing),
        (ProviderError::PermissionMissing, Some(Ok(()))) => match (provider, others_work) {
            // Luma answers 403 for an event that is unknown, foreign, cancelled or deleted, never 404.
            (Provider::Luma, Some(true)) => Verdict::Fail(FailureCode::RemoteGone),
            _ => Verdict::Fail(FailureCode::PermissionMissing),
        },
        // Without a probe a refusal is not believed: the caller asks again later.
        (ProviderError::CredentialsRejected | ProviderError::PermissionMissing, None) => {
            Verdict::Fail(FailureCode::ProviderUnreachable)
        }
        (error, _) => plain(error),
    }
}

/// The rows of the table that need no probe.
fn plain(error: &ProviderError) -> Verdict {
    match error {
        ProviderError::Offline => Verdict::Hold(FailureCode::Offline),
        ProviderError::NetworkSignIn => Verdict::Hold(FailureCode::NetworkSignIn),
        ProviderError::RateLimited { .. } => Verdict::Hold(FailureCode::RateLimited),
        ProviderError::Unreachable { .. } => Verdict::Fail(FailureCode::ProviderUnreachable),
        ProviderError::Gone => Verdict::Fail(FailureCode::RemoteGone),
        ProviderError::CursorRejected => Verdict::RestartWalk,
        ProviderError::Malformed { .. } => Verdict::Fail(FailureCode::ProviderChanged),
        // Met only where a probe was due and not made.
        ProviderError::CredentialsRejected | ProviderError::PermissionMissing => {
            Verdict::Fail(FailureCode::ProviderUnreachable)
        }
    }
}
