//! A desk: one person's installation in this process, over real HTTP to a sandbox.

use crate::clock::JumpingClock;
use crate::sweep::{Secrets, assert_nothing_found};
use jiff::Timestamp;
use keyring::CredentialStore;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::oauth::OauthClient;
use talkvalue_adapters::providers::{eventbrite::EventbriteApi, luma::LumaApi};
use talkvalue_adapters::store::SqliteStore;
use talkvalue_adapters::vault::{Deadlines, KeychainVault};
use talkvalue_core::connect::{self, SignIns};
use talkvalue_core::domain::attendee::{Attendee, AttendeeStatus};
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::{ExternalId, IntegrationId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::{Origin, Origins, Provider};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Notice, Notices, Patience, Ports};
use talkvalue_core::query::{self, ItemView};
use talkvalue_core::sync::absence::NO_LONGER_LISTED;
use talkvalue_core::sync::{actions, engine::EngineOptions};
use talkvalue_sandbox::{Attendance, ProviderRegistration, Sandbox, SandboxClock};

/// Writes down every notice.
#[derive(Default)]
pub struct Recorder {
    notices: Mutex<Vec<Notice>>,
}

impl Recorder {
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }
}

impl Notices for Recorder {
    fn notify(&self, notice: Notice) {
        self.notices.lock().unwrap().push(notice);
    }
}

pub struct Desk {
    pub sandbox: Sandbox,
    pub ports: Ports,
    pub clock: Arc<JumpingClock>,
    pub notices: Arc<Recorder>,
    pub keychain: Arc<CredentialStore>,
    pub folder: tempfile::TempDir,
}

impl Desk {
    /// An empty world at noon, an empty data folder, an empty keychain.
    pub async fn open() -> Self {
        Self::open_at(crate::noon()).await
    }

    pub async fn open_at(now: Timestamp) -> Self {
        let sandbox_clock = SandboxClock::fixed(now);
        let sandbox = Sandbox::builder()
            .seed(7)
            .clock(sandbox_clock.clone())
            .start()
            .await
            .unwrap();
        let clock = Arc::new(JumpingClock::over(sandbox_clock));
        let folder = tempfile::tempdir().unwrap();
        let notices = Arc::new(Recorder::default());
        let keychain: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
        let ports = ports(&sandbox, &clock, &notices, &keychain, folder.path());
        Self {
            sandbox,
            ports,
            clock,
            notices,
            keychain,
            folder,
        }
    }

    /// The same installation after a restart: nothing but the disk and the keychain is kept.
    pub fn restarted(&self) -> Ports {
        ports(
            &self.sandbox,
            &self.clock,
            &self.notices,
            &self.keychain,
            self.folder.path(),
        )
    }

    pub async fn connect(&self, provider: Provider, secret: &str) -> Result<IntegrationId, CommandError> {
        let connected = connect::connect(
            &self.ports,
            provider,
            SecretString::from(secret.to_owned()),
            None,
            patient(),
        )
        .await?;
        Ok(connected.integration.id)
    }

    pub async fn import(
        &self,
        integration: &IntegrationId,
        event: &str,
        kind: ItemKind,
    ) -> Result<ItemView, CommandError> {
        actions::import_event(
            &self.ports,
            integration,
            &ExternalId::from_text(event),
            kind,
            patient(),
        )
        .await
    }

    pub async fn show(&self, item: &ItemId) -> ItemView {
        query::item(&self.ports, item, EngineView::default())
            .await
            .unwrap()
    }

    /// The only item there is.
    pub async fn only_item(&self) -> ItemView {
        let mut items = query::items(&self.ports, EngineView::default()).await.unwrap();
        assert_eq!(items.len(), 1, "the test expects exactly one item");
        items.remove(0)
    }

    pub async fn attendees(&self, item: &ItemId) -> Vec<Attendee> {
        let mut reader = query::attendees(&self.ports, item).await.unwrap();
        let mut all = Vec::new();
        loop {
            let batch = reader.next_batch().await.unwrap();
            if batch.is_empty() {
                return all;
            }
            all.extend(batch);
        }
    }

    /// Asserts that a Badge event's rows are exactly the provider's registrations.
    pub async fn assert_exact(&self, item: &ItemId, truth: &[ProviderRegistration]) {
        let rows = self.attendees(item).await;
        let ours: BTreeMap<String, Row> = rows.into_iter().map(Row::of_ours).collect();
        let theirs: BTreeMap<String, Row> = truth.iter().map(Row::of_truth).collect();
        let missing: Vec<&String> = theirs.keys().filter(|id| !ours.contains_key(*id)).collect();
        let invented: Vec<&String> = ours.keys().filter(|id| !theirs.contains_key(*id)).collect();
        assert!(
            missing.is_empty(),
            "nobody is lost, but these are missing: {missing:?}"
        );
        assert!(
            invented.is_empty(),
            "nobody is invented, but these are: {invented:?}"
        );
        for (id, theirs) in &theirs {
            assert_eq!(
                &ours[id], theirs,
                "registration {id} must say what the provider says"
            );
        }
    }
}

impl Drop for Desk {
    /// Every flow ends with the leak sweep.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_nothing_found(&Secrets::of(&self.sandbox).below(self.folder.path()));
        }
    }
}

/// What a registration says, here and at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    name: Option<String>,
    email: Option<String>,
    company: Option<String>,
    ticket_type: Option<String>,
    status: &'static str,
    provider_status: String,
    checked_in_at: Option<Timestamp>,
    order_id: Option<String>,
    registered_at: Option<Timestamp>,
}

impl Row {
    /// The same, once it is taken to be gone from the provider.
    pub(crate) fn withdrawn(&self) -> Self {
        Self {
            status: AttendeeStatus::NotAttending.code(),
            provider_status: NO_LONGER_LISTED.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn is_expected(&self) -> bool {
        self.status != AttendeeStatus::NotAttending.code()
    }

    pub(crate) fn of_ours(row: Attendee) -> (String, Self) {
        let id = row.external_id.as_str().to_owned();
        let own = Self {
            name: row.name,
            email: row.email,
            company: row.company,
            ticket_type: row.ticket_type,
            status: row.status.code(),
            provider_status: row.provider_status,
            checked_in_at: row.checked_in_at,
            order_id: row.order_id,
            registered_at: row.registered_at,
        };
        (id, own)
    }

    pub(crate) fn of_truth(row: &ProviderRegistration) -> (String, Self) {
        let own = Self {
            name: row.name.clone(),
            email: row.email.clone(),
            company: row.company.clone(),
            ticket_type: row.ticket_type.clone(),
            status: match row.attending {
                Attendance::Attending => "ATTENDING",
                Attendance::NotAttending => "NOT_ATTENDING",
                Attendance::Awaiting => "AWAITING",
            },
            provider_status: row.provider_status.clone(),
            checked_in_at: row.checked_in_at,
            order_id: row.order_id.clone(),
            registered_at: row.registered_at,
        };
        (row.id.clone(), own)
    }
}

/// Waits as long as it takes: the clock jumps.
pub fn patient() -> EngineOptions {
    EngineOptions {
        wait_limit: None,
        patience: Patience::Background,
    }
}

/// Waits out limits for this long at most.
pub fn patient_for(limit: Duration) -> EngineOptions {
    EngineOptions {
        wait_limit: Some(limit),
        patience: Patience::Background,
    }
}

fn ports(
    sandbox: &Sandbox,
    clock: &Arc<JumpingClock>,
    notices: &Arc<Recorder>,
    keychain: &Arc<CredentialStore>,
    folder: &std::path::Path,
) -> Ports {
    let origins = |api: String, oauth: String| Origins {
        oauth: Origin::parse(&oauth).unwrap(),
        api: Origin::parse(&api).unwrap(),
    };
    let eventbrite = sandbox.eventbrite();
    let eventbrite = origins(eventbrite.api_url(), eventbrite.oauth().url());
    let luma = origins(sandbox.luma().api_url(), sandbox.luma().oauth().url());
    let folder = DataFolder::open(folder).unwrap();
    let store = SqliteStore::open(&folder).unwrap();
    let keychain = keychain.clone();
    let vault = KeychainVault::with_store(
        "desk",
        Arc::new(move || Ok(keychain.clone())),
        Deadlines::default(),
    );
    Ports {
        store: Arc::new(store),
        vault: Arc::new(vault),
        eventbrite: Arc::new(EventbriteApi::new(eventbrite.clone(), &luma.api, clock.clone()).unwrap()),
        eventbrite_oauth: Arc::new(
            OauthClient::eventbrite(&eventbrite.oauth, &luma.api, clock.clone()).unwrap(),
        ),
        luma_oauth: Arc::new(OauthClient::luma(&luma.oauth, &eventbrite.api, clock.clone()).unwrap()),
        luma: Arc::new(LumaApi::new(luma, &eventbrite.api, clock.clone()).unwrap()),
        sign_ins: Arc::new(SignIns::default()),
        clock: clock.clone(),
        locks: Arc::new(folder),
        notices: notices.clone(),
    }
}
