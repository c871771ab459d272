//! One connected account with one event at one provider: what most flows begin with.

use std::time::Duration;
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::{IntegrationId, ItemId};
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::error::CommandError;
use talkvalue_core::query::{self, ItemView};
use talkvalue_core::sync::actions;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{
    Door, EventSpec, Eventbrite, EventbriteAccount, Luma, LumaCalendar, ProviderRegistration, Spoil,
};
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::sweep::{CANARY, Secrets, assert_nothing_found};

pub(crate) enum Owner {
    Eventbrite {
        account: EventbriteAccount,
        organization: String,
    },
    Luma(LumaCalendar),
}

pub(crate) struct Stage {
    pub(crate) desk: Desk,
    pub(crate) provider: Provider,
    pub(crate) eventbrite: Eventbrite,
    pub(crate) luma: Luma,
    pub(crate) owner: Owner,
    pub(crate) event: String,
    pub(crate) integration: IntegrationId,
}

/// Everything a person sees of an item's health, in one comparable value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) status: SyncStatus,
    pub(crate) failure: Option<FailureCode>,
    pub(crate) alert: Option<Alert>,
    pub(crate) integration: IntegrationStatus,
    pub(crate) waiting: Option<FailureCode>,
}

impl Stage {
    /// An event of `registrations` at `provider`, its account connected, nothing imported, no request counted.
    pub(crate) async fn open(provider: Provider, registrations: usize) -> Self {
        let desk = Desk::open().await;
        let (eventbrite, luma) = (desk.sandbox.eventbrite(), desk.sandbox.luma());
        let (owner, event) = match provider {
            Provider::Eventbrite => {
                let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
                let organization = eventbrite.add_organization(&account, "Harbour Guild");
                let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
                eventbrite.add_attendees(&event, registrations);
                (
                    Owner::Eventbrite {
                        account,
                        organization,
                    },
                    event,
                )
            }
            Provider::Luma => {
                let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
                let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
                luma.add_guests(&event, registrations);
                (Owner::Luma(calendar), event)
            }
        };
        let secret = match &owner {
            Owner::Eventbrite { account, .. } => account.private_token.clone(),
            Owner::Luma(calendar) => calendar.key.clone(),
        };
        let integration = desk.connect(provider, &secret).await.unwrap();
        eventbrite.clears_requests();
        luma.clears_requests();
        Self {
            desk,
            provider,
            eventbrite,
            luma,
            owner,
            event,
            integration,
        }
    }

    /// The same, with the event imported as a Badge event.
    pub(crate) async fn imported(provider: Provider, registrations: usize) -> (Self, ItemId) {
        let stage = Self::open(provider, registrations).await;
        let item = stage.import().await.unwrap();
        assert_eq!(
            item.sync_status,
            SyncStatus::Active,
            "an undisturbed import completes"
        );
        stage.door().clears_requests();
        stage.desk.clock.take_sleeps();
        (stage, item.id)
    }

    pub(crate) fn door(&self) -> &Door {
        match self.provider {
            Provider::Eventbrite => &self.eventbrite,
            Provider::Luma => &self.luma,
        }
    }

    /// The part of a path that only the registrations of an event have.
    pub(crate) fn list_path(&self) -> &'static str {
        match self.provider {
            Provider::Eventbrite => "/attendees/",
            Provider::Luma => "/guests/list",
        }
    }

    /// The path of the probe that confirms or refutes a rejection.
    pub(crate) fn probe_path(&self) -> &'static str {
        match self.provider {
            Provider::Eventbrite => "/v3/users/me/",
            Provider::Luma => "/v1/users/get-self",
        }
    }

    pub(crate) fn truth(&self) -> Vec<ProviderRegistration> {
        self.truth_of(&self.event)
    }

    pub(crate) fn truth_of(&self, event: &str) -> Vec<ProviderRegistration> {
        match self.provider {
            Provider::Eventbrite => self.eventbrite.attendees(event),
            Provider::Luma => self.luma.guests(event),
        }
    }

    /// The id of the registration at that place in the provider's order.
    pub(crate) fn id_at(&self, place: usize) -> String {
        self.truth()[place].id.clone()
    }

    pub(crate) fn spoils(&self, id: &str, spoil: Spoil) {
        match self.provider {
            Provider::Eventbrite => self.eventbrite.spoils_attendee(&self.event, id, spoil),
            Provider::Luma => self.luma.spoils_guest(&self.event, id, spoil),
        }
    }

    pub(crate) fn heals(&self, id: &str) {
        match self.provider {
            Provider::Eventbrite => self.eventbrite.heals_attendee(&self.event, id),
            Provider::Luma => self.luma.heals_guest(&self.event, id),
        }
    }

    pub(crate) fn check_in(&self, id: &str) {
        match self.provider {
            Provider::Eventbrite => self.eventbrite.check_in(&self.event, id),
            Provider::Luma => self.luma.check_in(&self.event, id),
        }
    }

    pub(crate) fn add_registrations(&self, count: usize) {
        match self.provider {
            Provider::Eventbrite => self.eventbrite.add_attendees(&self.event, count),
            Provider::Luma => self.luma.add_guests(&self.event, count),
        }
    }

    /// One more event of the same account.
    pub(crate) fn add_event(&self, title: &str, registrations: usize) -> String {
        match &self.owner {
            Owner::Eventbrite { organization, .. } => {
                let event = self.eventbrite.add_event(organization, EventSpec::new(title));
                self.eventbrite.add_attendees(&event, registrations);
                event
            }
            Owner::Luma(calendar) => {
                let event = self.luma.add_event(&calendar.id, EventSpec::new(title));
                self.luma.add_guests(&event, registrations);
                event
            }
        }
    }

    pub(crate) fn revokes_credentials(&self) {
        match self.provider {
            Provider::Eventbrite => self.eventbrite.revokes_tokens(),
            Provider::Luma => self.luma.revokes_keys(),
        }
    }

    /// A fresh credential of the same account.
    pub(crate) fn new_secret(&self) -> String {
        match &self.owner {
            Owner::Eventbrite { account, .. } => self.eventbrite.issue_token(account),
            Owner::Luma(calendar) => self.luma.issue_key(&calendar.id),
        }
    }

    pub(crate) async fn import(&self) -> Result<ItemView, CommandError> {
        self.desk
            .import(&self.integration, &self.event, ItemKind::BadgeEvent)
            .await
    }

    pub(crate) async fn sync(&self, item: &ItemId) -> Result<ItemView, CommandError> {
        actions::sync_item(&self.desk.ports, item, patient()).await
    }

    /// Reads what is due of the item without anybody asking.
    pub(crate) async fn check(&self, item: &ItemId) -> Result<ItemView, CommandError> {
        let ports = &self.desk.ports;
        let turn = take_turn(ports, None).await?;
        let begun = actions::begin_check(ports, &turn, item, EngineView::default()).await?;
        begun.finish(ports, patient()).await
    }

    /// The same a minute later, with its requests counted.
    pub(crate) async fn due(&self, item: &ItemId) -> Result<ItemView, CommandError> {
        self.desk.sandbox.clock().advance(Duration::from_secs(60));
        self.door().clears_requests();
        self.check(item).await
    }

    pub(crate) async fn retry(&self, item: &ItemId) -> Result<ItemView, CommandError> {
        actions::retry_item(&self.desk.ports, item, patient()).await
    }

    pub(crate) async fn reconnect(
        &self,
        item: &ItemId,
        with: Option<&IntegrationId>,
    ) -> Result<ItemView, CommandError> {
        connect::reconnect_item(&self.desk.ports, item, with, patient()).await
    }

    pub(crate) async fn items(&self) -> Vec<ItemView> {
        query::items(&self.desk.ports, EngineView::default())
            .await
            .unwrap()
    }

    pub(crate) async fn integration_status(&self) -> IntegrationStatus {
        query::integration(&self.desk.ports, &self.integration)
            .await
            .unwrap()
            .status
    }

    pub(crate) async fn shown(&self, item: &ItemId) -> Shown {
        let view = self.desk.show(item).await;
        Shown {
            status: view.sync_status,
            failure: view.failure.map(|failure| failure.code),
            alert: view.alert,
            integration: self.integration_status().await,
            waiting: view.waiting.map(|waiting| waiting.code),
        }
    }

    pub(crate) fn requests_to(&self, part: &str) -> usize {
        let requests = self.door().requests();
        requests
            .iter()
            .filter(|request| request.path.contains(part))
            .count()
    }

    /// Requests whose query holds this part.
    pub(crate) fn requests_with(&self, part: &str) -> usize {
        let requests = self.door().requests();
        requests
            .iter()
            .filter(|request| request.query.contains(part))
            .count()
    }

    pub(crate) fn probes(&self) -> usize {
        let requests = self.door().requests();
        requests
            .iter()
            .filter(|request| request.path == self.probe_path())
            .count()
    }

    pub(crate) async fn assert_exact(&self, item: &ItemId) {
        self.desk.assert_exact(item, &self.truth()).await;
    }

    pub(crate) fn assert_no_leak(&self) {
        assert_nothing_found(&Secrets::of(&self.desk.sandbox).below(self.desk.folder.path()));
    }
}

/// The error's code, or "OK".
pub(crate) fn code_of<T>(result: &Result<T, CommandError>) -> &'static str {
    match result {
        Ok(_) => "OK",
        Err(error) => error.code.code(),
    }
}

/// Asserts that an error says something, and nothing secret.
pub(crate) fn assert_sentence(error: &CommandError) {
    assert!(
        error.message.ends_with('.') && error.message.len() > 20,
        "an error is a sentence: {error:?}"
    );
    assert!(
        !format!("{error:?}").contains(CANARY),
        "an error text never holds a credential: {error:?}"
    );
}

pub(crate) const BOTH: [Provider; 2] = Provider::ALL;
