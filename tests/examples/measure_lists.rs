//! What lists cost once they are here: reading what changed, going on after a broken credential, showing all items,
//! writing a page. `cargo xtask bench` runs it on a release build.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has nobody to report to: a panic is its report"
)]

use std::time::{Duration, Instant};
use talkvalue_core::connect;
use talkvalue_core::domain::ids::{ExternalId, ItemId, JobId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::ports::{PageCommit, Patience, Store, Walk};
use talkvalue_core::sync::actions;
use talkvalue_core::sync::plan::plan_page;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{EventSpec, EventbriteAccount};
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::filled::{fill, registration};

const ROUNDS: usize = 21;

#[tokio::main]
async fn main() {
    what_changed().await;
    a_broken_credential().await;
    all_items_and_a_page().await;
}

async fn event_of(desk: &Desk, attendees: usize) -> (EventbriteAccount, String) {
    let eventbrite = desk.sandbox.eventbrite();
    eventbrite.unlimited();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let organization = eventbrite.add_organization(&account, "Harbour Guild");
    let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
    eventbrite.add_attendees(&event, attendees);
    (account, event)
}

/// A check after 25 edits among 10,000, beside the one request that it makes.
async fn what_changed() {
    let desk = Desk::open().await;
    let (account, event) = event_of(&desk, 10_000).await;
    let eventbrite = desk.sandbox.eventbrite();
    let integration = desk
        .connect(Provider::Eventbrite, &account.private_token)
        .await
        .unwrap();
    let item = desk
        .import(&integration, &event, ItemKind::BadgeEvent)
        .await
        .unwrap();
    let ids: Vec<String> = eventbrite
        .attendees(&event)
        .into_iter()
        .map(|row| row.id)
        .collect();
    let credential = desk
        .ports
        .vault
        .load(&integration, Patience::Background)
        .await
        .unwrap();
    let (mut checks, mut requests, mut asked) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        desk.sandbox.clock().advance(Duration::from_secs(1_200));
        for id in ids.iter().skip(round * 25).take(25) {
            eventbrite.check_in(&event, id);
        }
        let walk = Walk::ChangedSince {
            event: ExternalId::from_text(event.as_str()),
            since: desk.sandbox.clock().now(),
        };
        let begun = Instant::now();
        desk.ports
            .eventbrite
            .registration_page(&credential, &walk, None)
            .await
            .unwrap();
        requests.push(begun.elapsed());
        eventbrite.clears_requests();
        let begun = Instant::now();
        let turn = take_turn(&desk.ports, None).await.unwrap();
        let check = actions::begin_check(&desk.ports, &turn, &item.id, Default::default())
            .await
            .unwrap();
        check.finish(&desk.ports, patient()).await.unwrap();
        checks.push(begun.elapsed());
        drop(turn);
        asked = asked.max(
            eventbrite
                .requests()
                .iter()
                .filter(|request| request.path.contains("/attendees/"))
                .count(),
        );
    }
    println!("25 edits among 10,000: {asked} request for the list");
    told("  the check", &mut checks);
    told("  the request alone", &mut requests);
}

/// 200 pages whose credential is refused at the 101st, then repaired.
async fn a_broken_credential() {
    let desk = Desk::open().await;
    let (account, event) = event_of(&desk, 10_000).await;
    let eventbrite = desk.sandbox.eventbrite();
    let integration = desk
        .connect(Provider::Eventbrite, &account.private_token)
        .await
        .unwrap();
    // The event itself, then a hundred pages.
    eventbrite.revokes_after(101);
    let refused = desk.import(&integration, &event, ItemKind::BadgeEvent).await;
    let item = desk.only_item().await;
    let token = eventbrite.issue_token(&account);
    desk.connect(Provider::Eventbrite, &token).await.unwrap();
    eventbrite.clears_requests();
    let done = connect::reconnect_item(&desk.ports, &item.id, None, patient())
        .await
        .unwrap();
    let pages = eventbrite
        .requests()
        .iter()
        .filter(|request| request.path.contains("/attendees/"))
        .count();
    println!(
        "a credential refused at page 101 of 200 ({}): {pages} pages to finish, the closing pass among them; {} people",
        refused.err().map_or("not refused", |error| error.code.code()),
        done.counts.total
    );
}

/// 1,000 items over 1,000,000 people; a page of 50 changed rows there and in a folder of 10,000.
async fn all_items_and_a_page() {
    let (small, big) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small = fill(small.path(), 10, 1_000).await;
    let big = fill(big.path(), 1_000, 1_000).await;
    let mut lists = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let items = big.items().await.unwrap();
        lists.push(begun.elapsed());
        assert_eq!(items.len(), 1_000);
    }
    let (small_job, big_job) = (job(&small).await, job(&big).await);
    let (mut in_small, mut in_big) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        in_small.push(write_page(&small, &small_job, round).await);
        in_big.push(write_page(&big, &big_job, round).await);
    }
    told("1,000 items over 1,000,000 people", &mut lists);
    told("a page of 50 changes among 10,000 rows", &mut in_small);
    told("a page of 50 changes among 1,000,000 rows", &mut in_big);
}

async fn job(store: &dyn Store) -> (ItemId, JobId) {
    let item = store.items().await.unwrap().remove(3).item.id;
    let at = jiff::Timestamp::now();
    let job = store.open_job(&item, JobKind::Sync, at).await.unwrap();
    (item, job)
}

async fn write_page(store: &dyn Store, (item, job): &(ItemId, JobId), round: usize) -> Duration {
    let record = store.item(item).await.unwrap().unwrap();
    let at = jiff::Timestamp::now();
    let first = 3_000 + u32::try_from(round).unwrap_or(0) * 40;
    let rows: Vec<_> = (first..first + 50)
        .map(|number| talkvalue_core::domain::attendee::Registration {
            company: Some(format!("Company {round}")),
            ..registration(number, at)
        })
        .collect();
    let ids: Vec<_> = rows.iter().map(|row| row.external_id.clone()).collect();
    let begun = Instant::now();
    let stored = store.stored(&record.item.feed, &ids).await.unwrap();
    let plan = plan_page(rows, stored);
    store
        .commit_page(PageCommit {
            job,
            feed: &record.item.feed,
            plan: &plan,
            set_aside: &[],
            readable: &ids,
            mark: None,
            is_news: false,
            done: 50,
            total: None,
            at,
        })
        .await
        .unwrap();
    begun.elapsed()
}

/// The middle of all rounds.
fn told(what: &str, times: &mut [Duration]) {
    times.sort();
    println!(
        "{what:<45}{:>9.2} ms",
        times[times.len() / 2].as_secs_f64() * 1_000.0
    );
}
