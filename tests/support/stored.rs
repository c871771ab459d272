//! Lists as a store keeps them, put there without any provider.

use crate::noon;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::SqliteStore;
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration, SetAside};
use talkvalue_core::domain::credential::{Generation, SignIn};
use talkvalue_core::domain::ids::{AccountId, ExternalId, IntegrationId, ItemId, RegistrationId};
use talkvalue_core::domain::integration::{Account, Integration};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::ports::{NewItem, PageCommit, Store};
use talkvalue_core::sync::plan::plan_page;

pub fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&DataFolder::open(folder).unwrap()).unwrap()
}

pub fn at(second: i64) -> Timestamp {
    noon().checked_add(SignedDuration::from_secs(second)).unwrap()
}

pub fn integration(account: &str) -> Integration {
    Integration {
        id: IntegrationId::random(),
        provider: Provider::Eventbrite,
        api_origin: Origin::parse("https://www.eventbriteapi.com/v3").unwrap(),
        account: Account {
            id: AccountId::from_text(account),
            name: "Robin Vale".to_owned(),
            email: Some("robin@harbour.example".to_owned()),
        },
        sign_in: SignIn::Token,
        generation: Generation::FIRST,
        connected_at: at(0),
        last_verified_at: Some(at(0)),
        expires_at: None,
        severed: None,
    }
}

pub async fn add_item(store: &SqliteStore, integration: &Integration, event: &str, kind: ItemKind) -> ItemId {
    store
        .add_item(NewItem {
            kind,
            provider: integration.provider,
            api_origin: &integration.api_origin,
            external_id: &ExternalId::from_text(event),
            integration_id: &integration.id,
            proved: true,
            at: at(0),
        })
        .await
        .unwrap()
        .expect("it is the first of its kind")
}

pub fn registration(id: &str, email: &str, status: AttendeeStatus) -> Registration {
    Registration {
        external_id: RegistrationId::from_text(id),
        name: Some("Δήμητρα <b>".to_owned()),
        email: Some(email.to_owned()),
        company: None,
        ticket_type: Some("General".to_owned()),
        status,
        provider_status: "Attending".to_owned(),
        checked_in_at: (id == "1").then(|| at(60)),
        order_id: Some("order-1".to_owned()),
        registered_at: Some(at(-60)),
        updated_at: Some(at(1)),
        tickets: 1,
        tickets_checked_in: u32::from(id == "1"),
        version: at(1).as_microsecond(),
    }
}

/// Opens a job on `item` and commits one page of `rows`.
pub async fn commit(store: &SqliteStore, item: &ItemId, rows: Vec<Registration>, set_aside: &[SetAside]) {
    let feed = store.item(item).await.unwrap().unwrap().item.feed;
    let job = store.open_job(item, JobKind::Import, at(0)).await.unwrap();
    let ids: Vec<RegistrationId> = rows.iter().map(|row| row.external_id.clone()).collect();
    let stored = store.stored(&feed, &ids).await.unwrap();
    let plan = plan_page(rows, stored);
    store
        .commit_page(PageCommit {
            job: &job,
            feed: &feed,
            plan: &plan,
            set_aside,
            readable: &ids,
            mark: None,
            is_news: false,
            done: ids.len() as u64,
            total: Some(10),
            at: at(2),
        })
        .await
        .unwrap();
}
