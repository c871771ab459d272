//! Data folders full of lists that synced a moment ago, for measuring.

use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::SqliteStore;
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::credential::{Generation, SignIn};
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::ids::{AccountId, ExternalId, IntegrationId, RegistrationId};
use talkvalue_core::domain::integration::{Account, Integration};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::ports::{Absences, Completion, Extent, NewItem, PageCommit, Store as _};
use talkvalue_core::sync::plan::plan_page;

/// One account with so many events of so many people each.
pub async fn fill(folder: &Path, events: u32, people: u32) -> SqliteStore {
    let store = SqliteStore::open(&DataFolder::open(folder).unwrap()).unwrap();
    let now = Timestamp::now();
    let integration = Integration {
        id: IntegrationId::random(),
        provider: Provider::Eventbrite,
        api_origin: Origin::parse("https://www.eventbriteapi.com/v3").unwrap(),
        account: Account {
            id: AccountId::from_text("1"),
            name: "Dock Hall".to_owned(),
            email: Some("box@dockhall.example".to_owned()),
        },
        sign_in: SignIn::Token,
        generation: Generation::FIRST,
        connected_at: now,
        last_verified_at: Some(now),
        expires_at: None,
        severed: None,
    };
    store.save_integration(&integration).await.unwrap();
    for number in 0..events {
        add(&store, &integration, number, people, now).await;
    }
    store
}

/// One event with its people, as a finished import leaves it.
async fn add(store: &SqliteStore, integration: &Integration, number: u32, people: u32, now: Timestamp) {
    let external_id = ExternalId::from_text(format!("{}", 700_000 + number));
    let new = NewItem {
        kind: ItemKind::BadgeEvent,
        provider: integration.provider,
        api_origin: &integration.api_origin,
        external_id: &external_id,
        integration_id: &integration.id,
        proved: true,
        at: now,
    };
    let item = store.add_item(new).await.unwrap().unwrap();
    let starts_at = now
        .checked_add(SignedDuration::from_hours(i64::from(number) + 2))
        .unwrap();
    let event = ProviderEvent {
        external_id,
        title: format!("Harbour Evening {}", number + 1),
        starts_at: Some(starts_at),
        ends_at: Some(starts_at.checked_add(SignedDuration::from_hours(3)).unwrap()),
        timezone: Some("Europe/London".to_owned()),
        organization: None,
        headcount: None,
    };
    store.describe_item(&item, &event, now).await.unwrap();

    let feed = store.item(&item).await.unwrap().unwrap().item.feed;
    let job = store.open_job(&item, JobKind::Import, now).await.unwrap();
    let rows: Vec<Registration> = (0..people)
        .map(|person| registration(number * people + person, now))
        .collect();
    let ids: Vec<RegistrationId> = rows.iter().map(|row| row.external_id.clone()).collect();
    let plan = plan_page(rows, Vec::new());
    let page = PageCommit {
        job: &job,
        feed: &feed,
        plan: &plan,
        set_aside: &[],
        readable: &ids,
        mark: None,
        is_news: false,
        done: u64::from(people),
        total: Some(u64::from(people)),
        at: now,
    };
    store.commit_page(page).await.unwrap();
    let completion = Completion {
        as_of: now,
        watermark: Some(now),
        extent: Extent::Everything { pages: 1, gap: None },
        absences: Absences::default(),
        at: now,
    };
    store.complete_job(&job, completion).await.unwrap();
}

/// The person of that number.
pub fn registration(number: u32, now: Timestamp) -> Registration {
    Registration {
        external_id: RegistrationId::from_text(number.to_string()),
        name: Some(format!("Person {number}")),
        email: Some(format!("person.{number}@guests.example")),
        company: None,
        ticket_type: Some("General admission".to_owned()),
        status: AttendeeStatus::Attending,
        provider_status: "Attending".to_owned(),
        checked_in_at: None,
        order_id: Some(number.to_string()),
        registered_at: Some(now),
        updated_at: Some(now),
        tickets: 1,
        tickets_checked_in: 0,
        version: now.as_microsecond(),
    }
}
