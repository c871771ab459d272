//! What a person can do about an item, as commands to copy: one table from alert and failure to commands.

use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::Freshness;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::Alert;
use talkvalue_core::query::{IntegrationView, ItemView};

/// One command, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) purpose: &'static str,
}

fn step(command: impl Into<String>, purpose: &'static str) -> Step {
    Step {
        command: command.into(),
        purpose,
    }
}

/// How an account of this provider is connected.
pub(crate) fn connect_command(provider: Provider) -> &'static str {
    match provider {
        Provider::Eventbrite => "tvsync connect eventbrite --token-stdin",
        Provider::Luma => "tvsync connect luma --key-stdin",
    }
}

/// The ways on from where an item stands; the first is the one to take.
pub(crate) fn next_steps(item: &ItemView, integration: Option<&IntegrationView>) -> Vec<Step> {
    let id = &item.id;
    let retry = |purpose| step(format!("tvsync retry {id}"), purpose);
    let other_account = step(
        format!("tvsync reconnect {id} --with ID"),
        "reads it through another account (see tvsync integrations)",
    );
    let remove = step(format!("tvsync remove {id}"), "erases it from this computer");
    if item.archived {
        return vec![remove];
    }
    if item.alert.is_none() && item.held_removals > 0 {
        return vec![step(
            format!("tvsync removals {id}"),
            "shows who is missing at the provider, and asks what to do",
        )];
    }
    let Some(alert) = item.alert else {
        return match (item.active_job.is_some(), item.freshness) {
            (true, _) => Vec::new(),
            (false, Freshness::Live) => {
                vec![step(format!("tvsync attendees {id}"), "lists the attendees")]
            }
            (false, _) => vec![step(format!("tvsync sync {id}"), "reads the list now")],
        };
    };
    let code = item.failure.as_ref().map(|failure| failure.code);
    match (alert, code) {
        (Alert::IntegrationDisconnected, _) => {
            let mut steps = Vec::new();
            if integration.is_none_or(|integration| integration.status == IntegrationStatus::Disconnected) {
                steps.push(step(
                    connect_command(item.provider),
                    "connects the account again, then",
                ));
            }
            steps.push(step(
                format!("tvsync reconnect {id}"),
                "makes the list live again; nobody is lost",
            ));
            steps.push(other_account);
            steps
        }
        (_, Some(FailureCode::RemoteGone)) => vec![
            retry("checks again"),
            step(format!("tvsync keep {id}"), "keeps the list as an archive"),
            remove,
        ],
        (_, Some(FailureCode::PermissionMissing)) => {
            vec![retry("tries again, once the role is restored"), other_account]
        }
        (_, Some(FailureCode::ProviderChanged)) => vec![
            step(
                "tvsync diagnostics --out support.json",
                "writes a file for support",
            ),
            retry("tries again"),
        ],
        (_, Some(FailureCode::PlanRequired)) => vec![retry("tries again, once the plan is renewed")],
        (_, Some(FailureCode::VaultLocked)) => vec![retry("goes on, once the keychain is unlocked")],
        (Alert::ImportFailed, _) => vec![retry("finishes the import"), remove],
        (Alert::SyncFailed, _) => vec![retry("tries again now")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{failure, live_item};
    use super::*;

    #[test]
    fn every_alert_has_a_way_out() {
        let alerts = [
            Alert::IntegrationDisconnected,
            Alert::SyncFailed,
            Alert::ImportFailed,
        ];
        for alert in alerts {
            for code in FailureCode::ALL {
                let item = ItemView {
                    alert: Some(alert),
                    failure: failure(code),
                    ..live_item()
                };
                assert!(!next_steps(&item, None).is_empty(), "{alert:?} {code:?}");
            }
        }
    }

    #[test]
    fn a_disconnected_item_is_told_to_connect_first_only_where_that_is_needed() {
        let item = ItemView {
            alert: Some(Alert::IntegrationDisconnected),
            failure: failure(FailureCode::CredentialsRejected),
            ..live_item()
        };
        let commands: Vec<String> = next_steps(&item, None)
            .into_iter()
            .map(|step| step.command)
            .collect();
        assert_eq!(
            commands,
            [
                "tvsync connect eventbrite --token-stdin",
                "tvsync reconnect item-0a1b2c3d4e5f",
                "tvsync reconnect item-0a1b2c3d4e5f --with ID",
            ]
        );
        let repaired = super::super::integrations::tests::connected();
        assert_eq!(
            next_steps(&item, Some(&repaired))[0].command,
            "tvsync reconnect item-0a1b2c3d4e5f"
        );
    }
}
