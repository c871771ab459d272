//! What lists cost once they are here: reading what changed, going on after a broken credential, showing all items,
//! writing a page. It ends in failure where one of them costs more than is promised. `cargo xtask bench` runs it on a
//! release build.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has nobody to report to: a panic is its report"
)]

use std::process::ExitCode;
use std::time::{Duration, Instant};
use talkvalue_core::connect;
use talkvalue_core::domain::ids::{ExternalId, ItemId, JobId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::ports::{PageCommit, Patience, Store, Walk};
use talkvalue_core::sync::actions;
use talkvalue_core::sync::cost::PAGE_OF_CHANGES;
use talkvalue_core::sync::plan::plan_page;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{EventSpec, Eventbrite, EventbriteAccount};
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::filled::{fill, registration};

const ROUNDS: usize = 21;

const BETWEEN_CHECKS: Duration = Duration::from_secs(1_200);
/// Eventbrite's reads may lag: a check asks for what changed from so long before the last change.
const OVERLAP: Duration = Duration::from_secs(600);
/// What a check may cost us, beside the request that it makes.
const CHECK: Duration = Duration::from_millis(30);
/// The event itself is asked for by a check where that was longer ago.
const DESCRIBED_EVERY: Duration = Duration::from_secs(3_600);
/// The pages that were missing, the one before them once more, and one for luck.
const PAGES_TO_FINISH: usize = 102;
/// All items, from the data file.
const ALL_ITEMS: Duration = Duration::from_millis(10);
/// What a page may cost in a hundred times the rows.
const GROWTH: f64 = 1.5;

#[tokio::main]
async fn main() -> ExitCode {
    let mut promises = Promises::default();
    what_changed(&mut promises).await;
    a_broken_credential(&mut promises).await;
    all_items_and_a_page(&mut promises).await;
    promises.end()
}

/// What was found that is not as promised.
#[derive(Default)]
struct Promises {
    broken: Vec<String>,
}

impl Promises {
    fn demand(&mut self, kept: bool, broken: impl FnOnce() -> String) {
        if !kept {
            self.broken.push(broken());
        }
    }

    fn end(self) -> ExitCode {
        if self.broken.is_empty() {
            println!("Every promise is kept.");
            return ExitCode::SUCCESS;
        }
        for broken in &self.broken {
            println!("A promise is broken: {broken}");
        }
        ExitCode::FAILURE
    }
}

/// Requests to the provider, whatever their path.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Asked {
    /// Pages of everything.
    pages: usize,
    /// Pages of what changed.
    changes: usize,
    /// The event itself.
    event: usize,
    other: usize,
}

impl Asked {
    fn of(eventbrite: &Eventbrite, event: &str) -> Self {
        let mut asked = Self::default();
        for request in eventbrite.requests() {
            let which = if request.path.ends_with(&format!("/events/{event}/attendees/")) {
                if request.query.contains("changed_since=") {
                    &mut asked.changes
                } else {
                    &mut asked.pages
                }
            } else if request.path.ends_with(&format!("/events/{event}/")) {
                &mut asked.event
            } else {
                &mut asked.other
            };
            *which += 1;
        }
        asked
    }

    fn all(self) -> usize {
        self.pages + self.changes + self.event + self.other
    }
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
async fn what_changed(promises: &mut Promises) {
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
    let (mut checks, mut requests) = (Vec::new(), Vec::new());
    let (mut for_the_list, mut for_the_event) = (0, 0);
    let mut described_at = desk.sandbox.clock().now();
    for round in 0..ROUNDS {
        desk.sandbox.clock().advance(BETWEEN_CHECKS);
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
        let before = desk.ports.store.item(&item.id).await.unwrap();
        let watermark = before.and_then(|record| record.reads.watermark);
        let begun = Instant::now();
        let turn = take_turn(&desk.ports, None).await.unwrap();
        let check = actions::begin_check(&desk.ports, &turn, &item.id, Default::default())
            .await
            .unwrap();
        check.finish(&desk.ports, patient()).await.unwrap();
        checks.push(begun.elapsed());
        drop(turn);
        let asked = Asked::of(&eventbrite, &event);
        let now = desk.sandbox.clock().now();
        // Its title and times are asked for once an hour, besides.
        let is_described = now.duration_since(described_at).unsigned_abs() > DESCRIBED_EVERY;
        if is_described {
            described_at = now;
        }
        let rows = eventbrite.attendees(&event);
        let since = watermark.unwrap() - OVERLAP;
        let changed = rows
            .iter()
            .filter(|row| row.changed.is_some_and(|at| at >= since));
        let promised = Asked {
            changes: changed.count().div_ceil(PAGE_OF_CHANGES).max(1),
            event: usize::from(is_described),
            ..Asked::default()
        };
        promises.demand(asked == promised, || {
            format!("check {round} of what changed may ask for {promised:?}, and asked for {asked:?}.")
        });
        for_the_list += asked.changes;
        for_the_event += asked.all() - asked.changes;
    }
    println!(
        "25 edits among 10,000, {ROUNDS} times: {for_the_list} requests for what changed, {for_the_event} besides (the \
         event itself, once an hour)"
    );
    let check = told("  the check", &mut checks);
    let request = told("  the request alone", &mut requests);
    let own = check.saturating_sub(request);
    promises.demand(own < CHECK, || {
        format!("a check of 10,000 costs {own:?} beside its request, and {CHECK:?} are promised.")
    });
}

/// 200 pages whose credential is refused at the 101st, then repaired.
async fn a_broken_credential(promises: &mut Promises) {
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
    let asked = Asked::of(&eventbrite, &event);
    println!(
        "a credential refused at page 101 of 200 ({}): {} pages to finish, {} of what changed meanwhile, {} besides; {} \
         people",
        refused.err().map_or("not refused", |error| error.code.code()),
        asked.pages,
        asked.changes,
        asked.event + asked.other,
        done.counts.total
    );
    promises.demand(asked.pages <= PAGES_TO_FINISH, || {
        format!(
            "{} pages were asked for to finish, and {PAGES_TO_FINISH} are promised.",
            asked.pages
        )
    });
    // One closing pass; the event once to prove that the account sees it, and once to read it.
    promises.demand((asked.changes, asked.event <= 2, asked.other) == (1, true, 0), || {
        format!("beside the pages of everything one of what changed and the event are promised, not {asked:?}.")
    });
    promises.demand(done.counts.total == 10_000, || {
        format!("{} of 10,000 people are there in the end.", done.counts.total)
    });
}

/// 1,000 items over 1,000,000 people; a page of 50 changed rows there and in a folder of 10,000.
async fn all_items_and_a_page(promises: &mut Promises) {
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
    let all = told("1,000 items over 1,000,000 people", &mut lists);
    let in_small = told("a page of 50 changes among 10,000 rows", &mut in_small);
    let in_big = told("a page of 50 changes among 1,000,000 rows", &mut in_big);
    promises.demand(all < ALL_ITEMS, || {
        format!("all items take {all:?}, and {ALL_ITEMS:?} are promised.")
    });
    promises.demand(in_big <= in_small.mul_f64(GROWTH), || {
        format!(
            "a page among 1,000,000 rows takes {in_big:?}, and {GROWTH} times {in_small:?}, that among 10,000, is promised."
        )
    });
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
fn told(what: &str, times: &mut [Duration]) -> Duration {
    times.sort();
    let middle = times[times.len() / 2];
    println!("{what:<45}{:>9.2} ms", middle.as_secs_f64() * 1_000.0);
    middle
}
