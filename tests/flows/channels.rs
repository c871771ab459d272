//! A Path channel is everybody of an organization or a calendar, once each: through live changes, new events, events
//! that vanish, kills, and beside other items over the same events.

use crate::live::{Open, PATIENCE, green};
use crate::stage::{BOTH, Owner, Stage, code_of};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use talkvalue_core::connect;
use talkvalue_core::domain::attendee::AttendeeStatus;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Notice;
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::actions;
use talkvalue_core::sync::removals::{Decision, decide_removals, held_removals};
use talkvalue_core::sync::schedule::next_read;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{Attendance, AttendeeSpec, Fault, GuestSpec};
use talkvalue_tests::desk::patient;

const MINUTE: Duration = Duration::from_secs(60);

fn channel_id(stage: &Stage) -> String {
    match &stage.owner {
        Owner::Eventbrite { organization, .. } => organization.clone(),
        Owner::Luma(calendar) => calendar.id.clone(),
    }
}

async fn import_channel(stage: &Stage) -> Result<ItemView, CommandError> {
    stage
        .desk
        .import(&stage.integration, &channel_id(stage), ItemKind::PathChannel)
        .await
}

/// A channel of so many events, each with a few registrations of its own and one person who is at all of them.
async fn stage_of(provider: Provider, events: usize) -> (Stage, Vec<String>) {
    let stage = Stage::open(provider, 12).await;
    let mut all = vec![stage.event.clone()];
    for number in 1..events {
        all.push(stage.add_event(&format!("Evening {number}"), 7));
    }
    for event in &all {
        registers(&stage, event, "Noor Haddad", " Noor@Harbour.example ");
    }
    (stage, all)
}

fn registers(stage: &Stage, event: &str, name: &str, email: &str) {
    match stage.provider {
        Provider::Eventbrite => {
            stage
                .eventbrite
                .add_attendee(event, AttendeeSpec::new(name).email(email));
        }
        Provider::Luma => {
            stage.luma.add_guest(event, GuestSpec::new(name).email(email));
        }
    }
}

/// One person as the providers' lists make them: the best status, and how many registrations.
type People = BTreeMap<String, (AttendeeStatus, u32)>;

fn people_at_provider(stage: &Stage, events: &[String]) -> People {
    let mut people = People::new();
    for event in events {
        for row in stage.truth_of(event) {
            let email = row.email.as_deref().map(str::trim).unwrap_or_default();
            let key = match email {
                "" => row.id.clone(),
                email => email.to_lowercase(),
            };
            let status = match row.attending {
                Attendance::Attending => AttendeeStatus::Attending,
                Attendance::Awaiting => AttendeeStatus::Awaiting,
                Attendance::NotAttending => AttendeeStatus::NotAttending,
            };
            let person = people.entry(key).or_insert((status, 0));
            person.0 = person.0.max(status);
            person.1 += 1;
        }
    }
    people
}

async fn people_here(stage: &Stage, item: &ItemId) -> People {
    let rows = stage.desk.attendees(item).await;
    let count = rows.len();
    let people: People = rows
        .into_iter()
        .map(|row| {
            let key = row
                .email
                .map(|email| email.trim().to_lowercase())
                .filter(|email| !email.is_empty())
                .unwrap_or_else(|| row.external_id.as_str().to_owned());
            (key, (row.status, row.registrations))
        })
        .collect();
    assert_eq!(people.len(), count, "nobody stands in the list twice");
    people
}

async fn assert_union(stage: &Stage, item: &ItemId, events: &[String], when: &str) {
    let (ours, theirs) = (people_here(stage, item).await, people_at_provider(stage, events));
    let differing = ours
        .iter()
        .filter(|(key, person)| theirs.get(*key) != Some(person));
    assert_eq!(differing.collect::<Vec<_>>(), [], "{:?}, {when}", stage.provider);
    assert_eq!(ours.len(), theirs.len(), "{:?}, {when}", stage.provider);
    let counts = stage.desk.show(item).await.counts;
    assert_eq!(
        counts.total,
        theirs.len() as u64,
        "the numbers count people over all events"
    );
}

/// Lets time pass until the channel has caught up.
async fn becomes_the_union(stage: &Stage, open: &Open, item: &ItemId, events: &[String]) {
    let theirs = people_at_provider(stage, events);
    let caught_up = async {
        while people_here(stage, item).await != theirs {
            open.passes(10).await;
        }
    };
    // Where it never does, the comparison that follows says what is wrong.
    let _ = tokio::time::timeout(PATIENCE, caught_up).await;
}

#[tokio::test]
async fn a_channel_over_forty_events_equals_the_union_by_email_through_all_changes() {
    for provider in BOTH {
        let (stage, mut events) = stage_of(provider, 40).await;
        let channel = import_channel(&stage).await.unwrap();
        assert_eq!(channel.sync_status, SyncStatus::Active);
        assert_eq!((channel.starts_at, channel.kind), (None, ItemKind::PathChannel));
        assert_union(&stage, &channel.id, &events, "after the import").await;

        let open = Open::over(&stage, stage.desk.restarted());
        open.until(&channel.id, "the first check", green).await;
        registers(&stage, &events[3], "Ada Marsh", "ada@harbour.example");
        registers(&stage, &events[30], "Ada Marsh", "ADA@harbour.example");
        becomes_the_union(&stage, &open, &channel.id, &events).await;
        assert_union(&stage, &channel.id, &events, "after live changes").await;

        events.push(stage.add_event("One more", 9));
        becomes_the_union(&stage, &open, &channel.id, &events).await;
        assert_union(&stage, &channel.id, &events, "after a new event").await;

        let before = people_here(&stage, &channel.id).await;
        match provider {
            Provider::Eventbrite => stage.eventbrite.delete_event(&events[5]),
            Provider::Luma => stage.luma.delete_event(&events[5]),
        }
        registers(&stage, &events[6], "Ben Okafor", "ben@harbour.example");
        open.until(&channel.id, "what comes after one has vanished", |view| {
            view.counts.total == before.len() as u64 + 1 && green(view)
        })
        .await;
        let after = people_here(&stage, &channel.id).await;
        assert!(
            before.iter().all(|(key, person)| after.get(key) == Some(person)),
            "{provider:?}: an event that is gone takes nobody with it"
        );
    }
}

#[tokio::test]
async fn events_imported_beside_a_channel_cost_no_more_calls() {
    for provider in BOTH {
        let (stage, events) = stage_of(provider, 5).await;
        import_channel(&stage).await.unwrap();
        stage.door().clears_requests();
        for kind in [ItemKind::BadgeEvent, ItemKind::PathEvent] {
            let item = stage
                .desk
                .import(&stage.integration, &events[2], kind)
                .await
                .unwrap();
            assert_eq!(item.sync_status, SyncStatus::Active);
        }
        assert_eq!(
            stage.door().request_count(),
            0,
            "{provider:?}: the list is here already, and live"
        );
    }
}

/// How many requests so many minutes of checks take, each made when it is due, as an engine would.
async fn requests_in(stage: &Stage, minutes: u64) -> u64 {
    let (ports, clock) = (&stage.desk.ports, stage.desk.sandbox.clock());
    // Long enough that what was read before joins a walk again.
    clock.advance(MINUTE);
    let engine = EngineView {
        running_since: Some(ports.clock.now()),
    };
    let turn = take_turn(ports, None).await.unwrap();
    stage.door().clears_requests();
    for _ in 0..=minutes {
        // Whose doors open first is read first: a channel has none.
        let mut items = ports.store.items().await.unwrap();
        items.sort_by_key(|record| record.item.starts_at.unwrap_or(Timestamp::MAX));
        for record in items {
            let record = ports.store.item(&record.item.id).await.unwrap().unwrap();
            if next_read(&record, engine, ports.clock.now()).is_some_and(|read| read.at <= ports.clock.now())
            {
                let id = &record.item.id;
                let begun = actions::begin_check(ports, &turn, id, engine).await.unwrap();
                begun.finish(ports, patient()).await.unwrap();
            }
        }
        clock.advance(MINUTE);
    }
    stage.door().request_count()
}

#[tokio::test]
async fn an_event_imported_beside_a_live_channel_costs_no_call_in_more_than_an_hour() {
    for provider in BOTH {
        let mut taken = Vec::new();
        for kinds in [&[][..], &[ItemKind::BadgeEvent, ItemKind::PathEvent]] {
            let (stage, events) = stage_of(provider, 5).await;
            import_channel(&stage).await.unwrap();
            for kind in kinds {
                let imported = stage.desk.import(&stage.integration, &events[2], *kind).await;
                imported.unwrap();
            }
            taken.push(requests_in(&stage, 70).await);
        }
        assert_eq!(
            taken[1], taken[0],
            "{provider:?}: with other views of one of its events, and without"
        );
    }
}

#[tokio::test]
async fn what_a_channel_lists_describes_the_items_over_its_events() {
    for provider in BOTH {
        let (stage, events) = stage_of(provider, 3).await;
        let channel = import_channel(&stage).await.unwrap();
        let badge = stage
            .desk
            .import(&stage.integration, &events[1], ItemKind::BadgeEvent)
            .await
            .unwrap();
        match provider {
            Provider::Eventbrite => stage.eventbrite.rename_event(&events[1], "Harbour Lights"),
            Provider::Luma => stage.luma.rename_event(&events[1], "Harbour Lights"),
        }
        stage.desk.notices.take();
        stage.sync(&channel.id).await.unwrap();
        let shown = stage.desk.show(&badge.id).await;
        assert_eq!(shown.title, "Harbour Lights", "{provider:?}");
        assert!(
            stage
                .desk
                .notices
                .take()
                .contains(&Notice::ItemChanged(badge.id.clone())),
            "{provider:?}: whoever shows it is told"
        );
    }
}

#[tokio::test]
async fn an_event_that_stands_alone_is_asked_for_itself_once_an_hour() {
    for provider in BOTH {
        let (stage, _) = Stage::imported(provider, 12).await;
        let minutes = 130;
        let asked = requests_in(&stage, minutes).await;
        assert_eq!(
            asked - stage.requests_to(stage.list_path()) as u64,
            2,
            "{provider:?}: its title and times change rarely"
        );
        assert_eq!(
            stage.requests_to(stage.list_path()) as u64,
            minutes + 1,
            "{provider:?}: its list is asked for every minute"
        );
    }
}

#[tokio::test]
async fn a_channel_that_was_cut_off_goes_on_without_reading_everything_again() {
    for provider in BOTH {
        let (stage, events) = stage_of(provider, 12).await;
        stage.door().fails_after(10, Fault::HtmlGateway(503));
        assert_eq!(code_of(&import_channel(&stage).await), "PROVIDER_UNREACHABLE");
        let item = stage.items().await[0].id.clone();
        let stored = stage.desk.show(&item).await.counts.total;
        assert!(stored > 0, "{provider:?}: what arrived is kept");
        stage.door().clears_faults();
        stage.door().clears_requests();
        let done = stage.retry(&item).await.unwrap();
        assert_eq!(done.sync_status, SyncStatus::Active);
        assert_union(&stage, &item, &events, "after the retry").await;
        let per_event = match provider {
            Provider::Eventbrite => 2,
            Provider::Luma => 1,
        };
        let asked = stage.requests_to(stage.list_path());
        assert!(
            asked <= 10 * per_event + 1,
            "{provider:?}: some events were read before, so {asked} reads are too many"
        );
    }
}

#[tokio::test]
async fn a_refused_credential_disconnects_the_channel_and_reconnecting_repairs_it() {
    for provider in BOTH {
        let (stage, events) = stage_of(provider, 4).await;
        let channel = import_channel(&stage).await.unwrap();
        stage.revokes_credentials();
        assert!(stage.sync(&channel.id).await.is_err());
        assert_eq!(
            stage.desk.show(&channel.id).await.sync_status,
            SyncStatus::Disconnected
        );
        stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        let back = stage.reconnect(&channel.id, None).await.unwrap();
        assert_eq!(back.sync_status, SyncStatus::Active);
        assert_union(&stage, &channel.id, &events, "after the repair").await;
    }
}

#[tokio::test]
async fn removing_a_channel_keeps_the_lists_that_others_show() {
    let (stage, events) = stage_of(Provider::Luma, 3).await;
    let channel = import_channel(&stage).await.unwrap();
    let badge = stage
        .desk
        .import(&stage.integration, &events[1], ItemKind::BadgeEvent)
        .await
        .unwrap();
    actions::remove_item(&stage.desk.ports, &channel.id)
        .await
        .unwrap();
    stage
        .desk
        .assert_exact(&badge.id, &stage.truth_of(&events[1]))
        .await;
    let rows = stage.desk.ports.store.diagnostics().await.unwrap();
    assert_eq!(
        rows["rows"]["registration"],
        stage.truth_of(&events[1]).len(),
        "what nobody shows any more is erased"
    );
    stage.desk.sandbox.clock().advance(MINUTE);
    stage.sync(&badge.id).await.unwrap();
}

#[tokio::test]
async fn a_channel_is_offered_beside_its_events_and_an_unknown_one_leaves_nothing_behind() {
    for provider in BOTH {
        let (stage, events) = stage_of(provider, 3).await;
        let offered = connect::candidates(&stage.desk.ports, &stage.integration, patient())
            .await
            .unwrap();
        assert_eq!(offered.len(), events.len() + 1);
        let standing: Vec<&str> = offered
            .iter()
            .filter(|candidate| candidate.kinds == [ItemKind::PathChannel])
            .map(|candidate| candidate.external_id.as_str())
            .collect();
        assert_eq!(standing, [channel_id(&stage)]);
        let unknown = stage
            .desk
            .import(&stage.integration, "404404404404", ItemKind::PathChannel)
            .await;
        assert!(
            matches!(code_of(&unknown), "REMOTE_GONE" | "PERMISSION_MISSING"),
            "{provider:?}: {unknown:?}"
        );
        assert!(
            stage.items().await.is_empty(),
            "an id that is none leaves nothing"
        );
    }
}

#[tokio::test]
async fn a_channel_asks_about_the_missing_of_all_its_events() {
    let (stage, events) = stage_of(Provider::Luma, 2).await;
    for event in &events {
        stage.luma.add_guests(event, 60);
    }
    let channel = import_channel(&stage).await.unwrap();
    for event in &events {
        let ids: Vec<String> = stage.truth_of(event).into_iter().map(|row| row.id).collect();
        stage.luma.leaves_out(event, &ids[..30]);
    }
    let mut view = channel;
    for _ in 0..2 {
        stage
            .desk
            .sandbox
            .clock()
            .advance(MINUTE + Duration::from_secs(1));
        view = stage.sync(&view.id).await.unwrap();
    }
    assert!(
        view.held_removals > 40,
        "both events lack many: {}",
        view.held_removals
    );
    let held = held_removals(&stage.desk.ports, &view.id).await.unwrap();
    assert_eq!(
        held.rows.len() as u64,
        view.held_removals,
        "exactly those are shown"
    );
    let total = view.counts.total;
    let decided = decide_removals(&stage.desk.ports, &view.id, Decision::Accept, &held.shown)
        .await
        .unwrap();
    assert_eq!((decided.held_removals, decided.counts.total), (0, total));
}

#[tokio::test]
async fn one_event_that_cannot_be_read_does_not_cost_the_others() {
    let (stage, events) = stage_of(Provider::Eventbrite, 4).await;
    let channel = import_channel(&stage).await.unwrap();
    stage
        .door()
        .fails_path(format!("/events/{}/attendees/", events[1]), Fault::Status(400));
    registers(&stage, &events[3], "Ada Marsh", "ada@harbour.example");
    let result = stage.sync(&channel.id).await;
    assert_eq!(code_of(&result), "PROVIDER_CHANGED", "what is wrong is said");
    let shown = stage.desk.show(&channel.id).await;
    assert_eq!(
        (shown.sync_status, shown.counts.total),
        (SyncStatus::Failed, channel.counts.total + 1),
        "the events behind it were read all the same"
    );
    stage.door().clears_faults();
    stage.retry(&channel.id).await.unwrap();
    assert_union(&stage, &channel.id, &events, "once it can be read again").await;
}
