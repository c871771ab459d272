//! What Reconnect can offer for an item: its own account first, then the other accounts of its provider, each asked
//! whether it sees the event. Offers only: nothing is linked here.

use super::reconnect::sees;
use super::sign_ins::{CredentialError, open_credential};
use super::{judge_refusal, sever};
use crate::domain::failure::FailureCode;
use crate::domain::ids::ItemId;
use crate::domain::integration::{Integration, IntegrationStatus};
use crate::error::CommandError;
use crate::ports::{ItemRecord, Ports, VaultError};
use crate::query::{self, IntegrationView, stored_integration, stored_item, view_integration};
use crate::sync::engine::EngineOptions;
use crate::sync::verdict::Verdict;

/// One account that could read the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOption {
    pub integration: IntegrationView,
    /// Whether a call just now proved that it sees the event; `None` where it could not be asked.
    pub sees: Option<bool>,
}

/// The accounts of one Reconnect dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconnectOptions {
    pub own: AccountOption,
    /// In the order in which they were connected.
    pub others: Vec<AccountOption>,
}

/// Asks every connected account of the item's provider and server once. An account that does not answer is told as
/// not asked; only a certain refusal of its credential changes anything: it severs that account.
pub async fn reconnect_options(
    ports: &Ports,
    id: &ItemId,
    options: EngineOptions,
) -> Result<ReconnectOptions, CommandError> {
    let record = stored_item(ports, id).await?;
    let own = stored_integration(ports, &record.item.integration_id).await?;
    let mut others = ports.store.integrations().await?;
    others.retain(|other| {
        other.id != own.id
            && other.provider == record.item.provider
            && other.api_origin == record.item.api_origin
    });
    let mut asking = Asking {
        ports,
        record: &record,
        options,
        vault_answers: true,
    };
    let own = asking.option_of(own).await?;
    let mut answered = Vec::new();
    for other in others {
        answered.push(asking.option_of(other).await?);
    }
    Ok(ReconnectOptions {
        own,
        others: answered,
    })
}

struct Asking<'a> {
    ports: &'a Ports,
    record: &'a ItemRecord,
    options: EngineOptions,
    /// A keychain that refused one account would only ask the person again for the next.
    vault_answers: bool,
}

impl Asking<'_> {
    async fn option_of(&mut self, integration: Integration) -> Result<AccountOption, CommandError> {
        let sees = self.sees(&integration).await?;
        // Asking may have severed it.
        let now = stored_integration(self.ports, &integration.id).await?;
        Ok(AccountOption {
            sees: sees.filter(|_| now.status() == IntegrationStatus::Connected),
            integration: view_integration(now, &query::reader(self.ports)),
        })
    }

    async fn sees(&mut self, integration: &Integration) -> Result<Option<bool>, CommandError> {
        let api = self.ports.provider(integration.provider);
        // A credential is never sent to a server other than the one it was proved against.
        let reachable = api.origins().api == integration.api_origin
            && integration.api_origin == self.record.item.api_origin;
        if integration.status() != IntegrationStatus::Connected || !reachable || !self.vault_answers {
            return Ok(None);
        }
        let credential = match open_credential(self.ports, integration, self.options.patience).await {
            Ok(credential) => credential,
            Err(error @ CredentialError::Vault(VaultError::Missing)) => {
                let failure = error.failure(self.ports.clock.now());
                sever(self.ports, &integration.id, integration.generation, &failure).await?;
                return Ok(None);
            }
            Err(CredentialError::Vault(_)) => {
                self.vault_answers = false;
                return Ok(None);
            }
            Err(_) => return Ok(None),
        };
        let error = match sees(api.as_ref(), &credential, &integration.account, &self.record.item).await {
            Ok(_) => return Ok(Some(true)),
            Err(error) => error,
        };
        match judge_refusal(self.ports, integration, &credential, &error, self.options).await? {
            Verdict::Again => Box::pin(self.sees(integration)).await,
            Verdict::Fail(FailureCode::RemoteGone | FailureCode::PermissionMissing)
            | Verdict::FailAll(FailureCode::PlanRequired) => Ok(Some(false)),
            Verdict::Sever
            | Verdict::Fail(_)
            | Verdict::FailAll(_)
            | Verdict::Hold(_)
            | Verdict::RestartWalk => Ok(None),
        }
    }
}
