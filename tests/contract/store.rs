//! The store's promises: one transaction per method, invariants in SQL, nobody lost.

use talkvalue_core::domain::attendee::{AttendeeStatus, Registration, SetAside};
use talkvalue_core::domain::credential::Generation;
use talkvalue_core::domain::failure::{Failure, FailureCode, Waiting};
use talkvalue_core::domain::ids::{ExternalId, ItemId, JobId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::{JobEnd, JobKind};
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::ports::{NewItem, PageCommit, RowMark, Severance, Store, StoreError};
use talkvalue_core::query::history::EndKind;
use talkvalue_core::sync::plan::plan_page;
use talkvalue_tests::stored::{add_item, at, commit, integration, open, registration};

#[tokio::test]
async fn what_is_saved_is_read_back_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let integration = integration("1");
    let rows = vec![
        registration("1", "a@example.net", AttendeeStatus::Attending),
        registration("2", " A@EXAMPLE.net", AttendeeStatus::NotAttending),
        registration("3", "b@example.net", AttendeeStatus::Awaiting),
    ];
    let item = {
        let store = open(folder.path());
        store.save_integration(&integration).await.unwrap();
        let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
        commit(&store, &item, rows.clone(), &[]).await;
        item
    };
    let store = open(folder.path());
    assert_eq!(
        store.integrations().await.unwrap(),
        std::slice::from_ref(&integration)
    );
    let found = store.integration_of_account(
        Provider::Eventbrite,
        &integration.account.id,
        &integration.api_origin,
    );
    assert_eq!(found.await.unwrap(), Some(integration));
    let read: Vec<Registration> = store
        .registrations(&item, None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|(_, row)| row)
        .collect();
    assert_eq!(
        read, rows,
        "in the order of person, then registration, and exactly as committed"
    );
    let record = store.item(&item).await.unwrap().unwrap();
    let job = record.open_job.unwrap();
    assert_eq!(
        (job.done, job.total),
        (3, Some(10)),
        "rows and counts are committed together"
    );
}

#[tokio::test]
async fn badge_rows_count_registrations_and_path_rows_people() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let badge = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let path = add_item(&store, &integration, "990", ItemKind::PathEvent).await;
    let rows = vec![
        registration("1", "a@example.net", AttendeeStatus::NotAttending),
        registration("2", "A@example.net ", AttendeeStatus::Attending),
        registration("3", "b@example.net", AttendeeStatus::Awaiting),
    ];
    commit(&store, &badge, rows, &[]).await;
    let badge = store.item(&badge).await.unwrap().unwrap();
    let path = store.item(&path).await.unwrap().unwrap();
    assert_eq!(
        badge.item.feed, path.item.feed,
        "one provider event is stored once"
    );
    let counts = badge.counts;
    assert_eq!(
        (
            counts.total,
            counts.attending,
            counts.awaiting,
            counts.not_attending,
            counts.checked_in
        ),
        (3, 1, 1, 1, 0)
    );
    let counts = path.counts;
    assert_eq!(
        (
            counts.total,
            counts.attending,
            counts.awaiting,
            counts.not_attending,
            counts.checked_in
        ),
        (2, 1, 1, 0, 1)
    );
    assert_eq!(badge.tickets.total, 3, "tickets are counted beside people");
}

#[tokio::test]
async fn the_revision_rises_with_every_change_of_rows_and_with_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let revision = async || store.item(&item).await.unwrap().unwrap().revision;
    let ada = || registration("1", "ada@tide.example", AttendeeStatus::Attending);
    commit(&store, &item, vec![ada()], &[]).await;
    let first = revision().await;
    commit(&store, &item, vec![ada()], &[]).await;
    assert_eq!(revision().await, first, "the same rows again are no change");
    let renamed = Registration {
        name: Some("Ada Lindqvist".to_owned()),
        version: ada().version + 1,
        ..ada()
    };
    commit(&store, &item, vec![renamed], &[]).await;
    assert!(
        revision().await > first,
        "a name alone moves no count and no time, and must be seen all the same"
    );
}

#[tokio::test]
async fn rows_are_read_in_batches_without_gaps_or_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let rows: Vec<Registration> = (0..25)
        .map(|number| {
            registration(
                &number.to_string(),
                &format!("{}@example.net", number % 4),
                AttendeeStatus::Attending,
            )
        })
        .collect();
    commit(&store, &item, rows, &[]).await;
    for limit in [1, 3, 24, 25, 26] {
        let (mut mark, mut seen) = (None::<RowMark>, Vec::new());
        loop {
            let batch = store.registrations(&item, mark.as_ref(), limit).await.unwrap();
            let Some((person_key, row)) = batch.last() else {
                break;
            };
            mark = Some(RowMark {
                person_key: person_key.clone(),
                external_id: row.external_id.clone(),
            });
            seen.extend(batch);
        }
        let mut distinct: Vec<_> = seen.iter().map(|(_, row)| row.external_id.clone()).collect();
        distinct.sort();
        distinct.dedup();
        assert_eq!((seen.len(), distinct.len()), (25, 25), "batches of {limit}");
        assert!(seen.is_sorted_by_key(|(key, row)| (key.clone(), row.external_id.clone())));
    }
}

#[tokio::test]
async fn a_page_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    commit(
        &store,
        &item,
        vec![registration("1", "a@example.net", AttendeeStatus::Attending)],
        &[],
    )
    .await;
    let feed = store.item(&item).await.unwrap().unwrap().item.feed;
    let job = store.open_job(&item, JobKind::Retry, at(3)).await.unwrap();
    // The second row breaks a rule of the database (an id is never empty): the first must not stay behind.
    let plan = plan_page(
        vec![
            registration("2", "b@example.net", AttendeeStatus::Attending),
            registration("", "c@example.net", AttendeeStatus::Attending),
        ],
        Vec::new(),
    );
    let page = PageCommit {
        job: &job,
        feed: &feed,
        plan: &plan,
        set_aside: &[],
        readable: &[],
        mark: None,
        is_news: false,
        done: 99,
        total: None,
        at: at(3),
    };
    assert!(matches!(
        store.commit_page(page).await,
        Err(StoreError::Refused(_))
    ));
    let record = store.item(&item).await.unwrap().unwrap();
    assert_eq!(record.counts.total, 1, "no row of a refused page is kept");
    assert_eq!(record.open_job.unwrap().done, 0, "nor its counts");
}

#[tokio::test]
async fn severing_reaches_every_item_and_spares_newer_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mut own, other) = (integration("1"), integration("2"));
    store.save_integration(&own).await.unwrap();
    store.save_integration(&other).await.unwrap();
    let (first, second) = (
        add_item(&store, &own, "990", ItemKind::BadgeEvent).await,
        add_item(&store, &own, "991", ItemKind::PathEvent).await,
    );
    let foreign = add_item(&store, &other, "992", ItemKind::BadgeEvent).await;
    let rejected = Failure::new(FailureCode::CredentialsRejected, at(5));
    own.generation = own.generation.next();
    store.save_integration(&own).await.unwrap();
    let severance = store.sever(&own.id, Generation::FIRST, &rejected).await.unwrap();
    assert_eq!(
        severance,
        Severance::Superseded,
        "a rejection of an older credential is ignored"
    );
    assert!(store.item(&first).await.unwrap().unwrap().severed.is_none());

    assert_eq!(
        store.sever(&own.id, own.generation, &rejected).await.unwrap(),
        Severance::Severed
    );
    for item in [&first, &second] {
        let severed = store.item(item).await.unwrap().unwrap().severed;
        assert_eq!(severed.as_ref(), Some(&rejected));
    }
    assert!(
        store.item(&foreign).await.unwrap().unwrap().severed.is_none(),
        "another account's items are whole"
    );

    let later = Failure::new(FailureCode::CredentialsMissing, at(9));
    store.sever(&own.id, own.generation, &later).await.unwrap();
    let severed = store
        .integration(&own.id)
        .await
        .unwrap()
        .unwrap()
        .severed
        .unwrap();
    assert_eq!(
        severed.code,
        FailureCode::CredentialsRejected,
        "\"since\" is when it first broke"
    );

    store.save_integration(&own).await.unwrap();
    assert!(
        store
            .integration(&own.id)
            .await
            .unwrap()
            .unwrap()
            .severed
            .is_none()
    );
    let still = store.item(&first).await.unwrap().unwrap().severed;
    assert!(
        still.is_some(),
        "a repaired integration leaves its items disconnected until they are reconnected"
    );
}

#[tokio::test]
async fn the_same_provider_object_is_imported_once_per_kind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let again = store
        .add_item(NewItem {
            kind: ItemKind::BadgeEvent,
            provider: integration.provider,
            api_origin: &integration.api_origin,
            external_id: &ExternalId::from_text("990"),
            integration_id: &integration.id,
            proved: true,
            at: at(1),
        })
        .await;
    assert_eq!(again, Ok(None), "whoever comes second learns that there is one");
    assert_eq!(store.items().await.unwrap().len(), 1);
}

#[tokio::test]
async fn removing_the_last_view_erases_the_feed_and_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let badge = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let path = add_item(&store, &integration, "990", ItemKind::PathEvent).await;
    let aside = SetAside {
        external_id: None,
        fingerprint: "start#1".to_owned(),
        reason: "no id".to_owned(),
    };
    let rows = (0..200)
        .map(|number| {
            registration(
                &number.to_string(),
                "erase-me@example.net",
                AttendeeStatus::Attending,
            )
        })
        .collect();
    commit(&store, &badge, rows, &[aside]).await;
    store.remove(&badge).await.unwrap();
    assert_eq!(
        store.item(&path).await.unwrap().unwrap().counts.total,
        1,
        "the other view keeps its rows"
    );
    store.remove(&path).await.unwrap();
    let facts = store.diagnostics().await.unwrap();
    for table in ["feed", "item", "job", "registration", "set_aside", "change"] {
        assert_eq!(facts["rows"][table], 0, "{table} must be empty");
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let needle = b"erase-me@example.net";
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!found, "erased people must not stand in {}", path.display());
    }
}

#[tokio::test]
async fn erased_people_leave_the_log_once_another_reader_lets_go_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let row = registration("1", "erase-me@example.net", AttendeeStatus::Attending);
    commit(&store, &item, vec![row], &[]).await;
    let stand_in_the_log = || {
        let log = std::fs::read(folder.path().join("talkvalue.sqlite3-wal")).unwrap();
        let needle = b"erase-me@example.net";
        log.windows(needle.len()).any(|window| window == needle)
    };
    // Another program (a backup, a look at the data) reads for a while.
    let reader = rusqlite::Connection::open(folder.path().join("talkvalue.sqlite3")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let rows: i64 = reader
        .query_row("SELECT count(*) FROM registration", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
    store.remove(&item).await.unwrap();
    assert!(stand_in_the_log(), "they cannot be taken from under a reader");
    reader.execute_batch("COMMIT").unwrap();
    // Whatever is done next.
    store.items().await.unwrap();
    assert!(!stand_in_the_log(), "erased is erased");
}

#[tokio::test]
async fn a_file_that_another_program_reads_is_not_sealed_over_a_log_that_is_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let reader = rusqlite::Connection::open(folder.path().join("talkvalue.sqlite3")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader
        .query_row("SELECT count(*) FROM registration", [], |row| {
            row.get::<_, i64>(0)
        })
        .unwrap();
    store.save_integration(&integration("1")).await.unwrap();
    store.settle().await.unwrap();
    assert!(
        !folder.path().join("talkvalue.seal").exists(),
        "a seal speaks of the file alone"
    );
    drop(reader);
    store.settle().await.unwrap();
    assert!(folder.path().join("talkvalue.seal").exists());
}

#[tokio::test]
async fn a_page_about_several_lists_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let mut feeds = Vec::new();
    let mut items = Vec::new();
    for event in ["990", "991"] {
        let item = add_item(&store, &integration, event, ItemKind::BadgeEvent).await;
        feeds.push(store.item(&item).await.unwrap().unwrap().item.feed);
        items.push(item);
    }
    let job = store.open_job(&items[0], JobKind::Sync, at(3)).await.unwrap();
    let plan = |id| {
        let row = registration(id, "a@example.net", AttendeeStatus::Attending);
        plan_page(vec![row], Vec::new())
    };
    let (good, bad) = (plan("1"), plan(""));
    let page = |feed, plan| PageCommit {
        job: &job,
        feed,
        plan,
        set_aside: &[],
        readable: &[],
        mark: None,
        is_news: false,
        done: 0,
        total: None,
        at: at(3),
    };
    let refused = store
        .commit_pages(vec![page(&feeds[0], &good), page(&feeds[1], &bad)])
        .await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    let total = async |item| store.item(item).await.unwrap().unwrap().counts.total;
    assert_eq!(
        total(&items[0]).await,
        0,
        "no list gets its part of a refused page"
    );
    store
        .commit_pages(vec![page(&feeds[0], &good), page(&feeds[1], &good)])
        .await
        .unwrap();
    assert_eq!((total(&items[0]).await, total(&items[1]).await), (1, 1));
}

async fn hand(store: &dyn Store, item: &ItemId, kind: JobKind) -> Option<JobId> {
    store.hand_job(item, kind, at(3)).await.unwrap()
}

#[tokio::test]
async fn a_pull_joins_only_a_pull_that_has_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let waits = hand(&store, &item, JobKind::Sync).await;
    for kind in JobKind::ALL {
        assert_eq!(
            hand(&store, &item, kind).await,
            waits,
            "{kind:?}: it will read everything, from now on"
        );
    }
    assert!(store.take_handed_job(&waits.unwrap(), at(4)).await.unwrap());
    for kind in JobKind::ALL {
        assert_eq!(
            hand(&store, &item, kind).await,
            None,
            "{kind:?}: a sync that has begun may be a check, which reads changes alone"
        );
    }
    let retry = store.open_job(&item, JobKind::Retry, at(5)).await.unwrap();
    for kind in [JobKind::Import, JobKind::Retry, JobKind::Reconnect] {
        assert_eq!(hand(&store, &item, kind).await.as_ref(), Some(&retry), "{kind:?}");
    }
    assert_eq!(
        hand(&store, &item, JobKind::Sync).await,
        None,
        "its first pages are from before the pull"
    );
    let done = store.item(&item).await.unwrap().unwrap().open_job;
    assert_eq!(done.map(|job| job.id), Some(retry), "what runs goes on");
}

#[tokio::test]
async fn what_nobody_runs_is_stopped_at_once_and_what_was_taken_up_is_asked_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let stopped = Failure::new(FailureCode::ImportCancelled, at(9));
    let mut jobs = Vec::new();
    for event in ["990", "991", "992"] {
        let item = add_item(&store, &integration, event, ItemKind::BadgeEvent).await;
        jobs.push(hand(&store, &item, JobKind::Import).await.unwrap());
    }
    let [waits, taken, held] = &jobs[..] else {
        panic!("three were handed over")
    };
    assert!(store.take_handed_job(taken, at(4)).await.unwrap());
    assert!(store.take_handed_job(held, at(4)).await.unwrap());
    let waiting = Waiting {
        code: FailureCode::RateLimited,
        until: None,
    };
    let limited = Failure::new(FailureCode::RateLimited, at(5));
    let end = JobEnd::Held(waiting, limited);
    store.end_job(held, end, at(5)).await.unwrap();
    for job in &jobs {
        store.ask_cancel(job, &stopped).await.unwrap();
    }
    for job in [waits, held] {
        let ended = store.ended_job(job).await.unwrap().unwrap();
        assert_eq!(
            (ended.end, ended.failure),
            (Some(EndKind::Cancelled), Some(FailureCode::ImportCancelled))
        );
    }
    assert!(
        !store.take_handed_job(waits, at(10)).await.unwrap(),
        "what was stopped is not taken up"
    );
    assert_eq!(
        store.ended_job(taken).await.unwrap(),
        None,
        "whoever runs it ends it"
    );
    store.cancel_asked(taken).await;
}
