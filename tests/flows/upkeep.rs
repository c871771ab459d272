//! Retry, keep and remove.

use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use std::path::Path;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::query;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::{AttendeeSpec, Fault, GuestSpec};

#[tokio::test]
async fn retry_is_refused_where_there_is_nothing_to_retry() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 30).await;
        let active = stage.retry(&item).await;
        assert_eq!(code_of(&active), "NOT_POSSIBLE", "its last sync succeeded");
        assert_sentence(&active.unwrap_err());

        stage.revokes_credentials();
        let _ = stage.sync(&item).await;
        stage.door().clears_requests();
        let severed = stage.retry(&item).await;
        assert_eq!(code_of(&severed), "CREDENTIALS_REJECTED", "only Reconnect helps");
        assert_sentence(&severed.unwrap_err());
        assert_eq!(
            stage.door().request_count(),
            0,
            "a severed credential is not used"
        );

        actions::keep_item(&stage.desk.ports, &item).await.unwrap();
        for result in [
            stage.retry(&item).await,
            stage.sync(&item).await,
            stage.reconnect(&item, None).await,
        ] {
            assert_eq!(code_of(&result), "NOT_POSSIBLE", "an archive is not synced");
            assert_sentence(&result.unwrap_err());
        }
    }
}

#[tokio::test]
async fn an_archive_keeps_its_list_and_alarms_nobody() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let kept = actions::keep_item(&stage.desk.ports, &item).await.unwrap();
        assert!(kept.archived);
        assert_eq!(kept.alert, None);
        stage.revokes_credentials();
        let other_event = stage.add_event("Autumn Night", 5);
        let other = stage
            .desk
            .import(&stage.integration, &other_event, ItemKind::BadgeEvent)
            .await;
        assert_eq!(code_of(&other), "CREDENTIALS_REJECTED");
        let view = stage.desk.show(&item).await;
        assert_eq!(
            (view.alert, view.failure),
            (None, None),
            "{provider:?}: a lost credential is no news for an archive"
        );
        assert_eq!(view.counts.total, 60);
        stage.assert_exact(&item).await;
        let again = stage.import().await.unwrap();
        assert!(
            again.archived && again.id == item,
            "importing it again opens the archive"
        );
        let synced = actions::sync_all(&stage.desk.ports, talkvalue_tests::desk::patient())
            .await
            .unwrap();
        assert!(
            synced.iter().all(|one| one.id != item),
            "an archive is not among all"
        );
    }
}

/// The files below the folder that hold this text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn adds_recognisable_person(stage: &Stage) {
    let email = "unmistakable.person@tide.example";
    match stage.provider {
        Provider::Eventbrite => {
            let spec = AttendeeSpec::new("Unmistakable Person").email(email);
            stage.eventbrite.add_attendee(&stage.event, spec);
        }
        Provider::Luma => {
            let spec = GuestSpec::new("Unmistakable Person").email(email);
            stage.luma.add_guest(&stage.event, spec);
        }
    }
}

#[tokio::test]
async fn a_removed_item_leaves_no_readable_trace() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 600).await;
        adds_recognisable_person(&stage);
        stage.sync(&item).await.unwrap();
        // A change leaves the person in the journal too.
        let id = stage.truth().pop().unwrap().id;
        stage
            .desk
            .sandbox
            .clock()
            .advance(std::time::Duration::from_secs(60));
        stage.check_in(&id);
        stage.sync(&item).await.unwrap();
        let folder = stage.desk.folder.path();
        for text in ["unmistakable.person@tide.example", "Unmistakable Person"] {
            assert!(
                !files_with(folder, text).is_empty(),
                "the test needs {text} to be stored"
            );
        }
        let removed = actions::remove_item(&stage.desk.ports, &item).await.unwrap();
        assert_eq!(removed.id, item, "the answer is the item as it was");
        assert_eq!(
            code_of(&query::item(&stage.desk.ports, &item, EngineView::default()).await),
            "NOT_FOUND"
        );
        for text in ["unmistakable.person@tide.example", "Unmistakable Person"] {
            assert_eq!(
                files_with(folder, text),
                Vec::<String>::new(),
                "{provider:?}: removing erases, and {text} must not be readable any more"
            );
        }
        let again = stage.import().await.unwrap();
        assert_ne!(again.id, item, "imported again it is a new item");
        stage.assert_exact(&again.id).await;
    }
}

#[tokio::test]
async fn removing_one_of_two_items_over_a_list_keeps_the_list() {
    let (stage, badge) = Stage::imported(Provider::Eventbrite, 60).await;
    let path = stage
        .desk
        .import(&stage.integration, &stage.event, ItemKind::PathEvent)
        .await
        .unwrap()
        .id;
    actions::remove_item(&stage.desk.ports, &path).await.unwrap();
    stage.assert_exact(&badge).await;
    assert_eq!(stage.shown(&badge).await.status, SyncStatus::Active);
    actions::remove_item(&stage.desk.ports, &badge).await.unwrap();
    let email = stage.truth().into_iter().find_map(|row| row.email).unwrap();
    assert_eq!(
        files_with(stage.desk.folder.path(), &email),
        Vec::<String>::new(),
        "the last item takes the list with it"
    );
}

#[tokio::test]
async fn what_is_disconnected_or_gone_can_be_kept_or_removed() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 30).await;
        stage.revokes_credentials();
        let _ = stage.sync(&item).await;
        let kept = actions::keep_item(&stage.desk.ports, &item).await.unwrap();
        assert_eq!(kept.alert, None, "keeping it is a way out");
        actions::remove_item(&stage.desk.ports, &item).await.unwrap();
        assert!(stage.items().await.is_empty());
    }
}

#[tokio::test]
async fn unknown_items_are_named_in_a_sentence() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    let nobody = talkvalue_core::domain::ids::ItemId::from_text("item-nobody");
    for result in [
        stage.sync(&nobody).await,
        stage.retry(&nobody).await,
        stage.reconnect(&nobody, None).await,
        actions::keep_item(&stage.desk.ports, &nobody).await,
        actions::remove_item(&stage.desk.ports, &nobody).await,
    ] {
        assert_eq!(code_of(&result), "NOT_FOUND");
        assert_sentence(&result.unwrap_err());
    }
}

#[tokio::test]
async fn an_event_nobody_knows_leaves_no_item_behind() {
    for (provider, code) in [
        (Provider::Eventbrite, "REMOTE_GONE"),
        (Provider::Luma, "REMOTE_GONE"),
    ] {
        let stage = Stage::open(provider, 0).await;
        for event in [
            "990000000000",
            "evt-nobody",
            "../users/me",
            "a b?c=d&e",
            "ä/\u{202e}",
        ] {
            let result = stage
                .desk
                .import(&stage.integration, event, ItemKind::BadgeEvent)
                .await;
            assert_eq!(code_of(&result), code, "{event} at {provider:?}");
            assert_sentence(&result.unwrap_err());
            assert!(stage.items().await.is_empty(), "{event}: nothing was imported");
        }
        assert_eq!(
            stage.integration_status().await,
            talkvalue_core::domain::integration::IntegrationStatus::Connected
        );
    }
}

#[tokio::test]
async fn an_import_through_a_disconnected_account_leaves_no_item_behind() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 10).await;
        stage.revokes_credentials();
        let _ = stage.sync(&item).await;
        stage.door().clears_requests();
        let event = stage.add_event("Autumn Night", 5);
        let result = stage
            .desk
            .import(&stage.integration, &event, ItemKind::BadgeEvent)
            .await;
        assert_eq!(code_of(&result), "CREDENTIALS_REJECTED");
        assert_sentence(&result.unwrap_err());
        assert_eq!(stage.items().await.len(), 1, "only the item from before");
        assert_eq!(
            stage.door().request_count(),
            0,
            "a severed credential is not used"
        );
    }
}

#[tokio::test]
async fn a_failed_item_recovers_by_retry_and_by_sync() {
    for provider in BOTH {
        for by_sync in [false, true] {
            let (stage, item) = Stage::imported(provider, 60).await;
            stage.door().fails_always(Fault::Status(500));
            assert_eq!(code_of(&stage.sync(&item).await), "PROVIDER_UNREACHABLE");
            stage.door().clears_faults();
            stage
                .desk
                .sandbox
                .clock()
                .advance(std::time::Duration::from_secs(60));
            stage.add_registrations(12);
            let view = if by_sync {
                stage.sync(&item).await.unwrap()
            } else {
                stage.retry(&item).await.unwrap()
            };
            assert_eq!((view.sync_status, view.failure), (SyncStatus::Active, None));
            stage.assert_exact(&item).await;
        }
    }
}
