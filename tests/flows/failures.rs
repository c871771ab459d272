//! The failure table, row by row: what is seen at the provider, and what a person then sees here: while the first import
//! runs, and when the list completed before.

use crate::stage::{Shown, Stage, assert_sentence, code_of};
use std::time::Duration;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};

/// What a row of the table does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The credential is severed, after exactly one probe.
    Severs,
    Fails(FailureCode),
    /// A condition: an item that completed before keeps its status.
    Holds(FailureCode),
    Succeeds,
}

pub(crate) struct Row {
    pub(crate) seen: &'static str,
    pub(crate) happens: fn(&Stage),
    pub(crate) effect: Effect,
    /// Whether an event that was never seen through this account leaves no item behind.
    pub(crate) withdraws: bool,
}

impl Row {
    pub(crate) fn new(seen: &'static str, happens: fn(&Stage), effect: Effect) -> Self {
        Self {
            seen,
            happens,
            effect,
            withdraws: false,
        }
    }

    pub(crate) fn withdraws(mut self) -> Self {
        self.withdraws = true;
        self
    }

    fn code(&self) -> &'static str {
        match self.effect {
            Effect::Severs => "CREDENTIALS_REJECTED",
            Effect::Fails(code) | Effect::Holds(code) => code.code(),
            Effect::Succeeds => "OK",
        }
    }

    fn shown(&self, completed: bool) -> Shown {
        let connected = Shown {
            status: SyncStatus::Active,
            failure: None,
            alert: None,
            integration: IntegrationStatus::Connected,
            waiting: None,
        };
        let import_failed = |code| Shown {
            status: SyncStatus::Pending,
            failure: Some(code),
            alert: Some(Alert::ImportFailed),
            ..connected
        };
        match (self.effect, completed) {
            (Effect::Succeeds, _) => connected,
            (Effect::Severs, _) => Shown {
                status: SyncStatus::Disconnected,
                failure: Some(FailureCode::CredentialsRejected),
                alert: Some(Alert::IntegrationDisconnected),
                integration: IntegrationStatus::Disconnected,
                waiting: None,
            },
            (Effect::Fails(code), true) => Shown {
                status: SyncStatus::Failed,
                failure: Some(code),
                alert: Some(Alert::SyncFailed),
                ..connected
            },
            (Effect::Fails(code), false) => import_failed(code),
            (Effect::Holds(code), true) => Shown {
                waiting: Some(code),
                ..connected
            },
            (Effect::Holds(code), false) => Shown {
                waiting: Some(code),
                ..import_failed(code)
            },
        }
    }
}

/// Acts a row out twice, and asserts that the person sees what the table says and that the list stays as it was.
pub(crate) async fn assert_row(provider: Provider, row: &Row) {
    never_completed(provider, row).await;
    completed_before(provider, row).await;
}

async fn never_completed(provider: Provider, row: &Row) {
    let seen = format!("{} at {provider:?}, during the first import", row.seen);
    let stage = Stage::open(provider, 130).await;
    (row.happens)(&stage);
    let result = stage.import().await;
    assert_eq!(code_of(&result), row.code(), "{seen}");
    if let Err(error) = &result {
        assert_sentence(error);
    }
    assert_probes(&stage, row, &seen);
    stage.assert_no_leak();
    let items = stage.items().await;
    if row.withdraws {
        assert!(
            items.is_empty(),
            "{seen}: an event never seen leaves no item behind"
        );
        return;
    }
    assert_eq!(items.len(), 1, "{seen}");
    let item = &items[0].id;
    assert_eq!(stage.shown(item).await, row.shown(false), "{seen}");
    assert_eq!(items[0].active_job, None, "{seen}: nothing runs any more");
}

async fn completed_before(provider: Provider, row: &Row) {
    let seen = format!("{} at {provider:?}, after a success", row.seen);
    let (stage, item) = Stage::imported(provider, 130).await;
    let before = stage.desk.show(&item).await;
    let rows_before = stage.desk.attendees(&item).await;
    stage.desk.sandbox.clock().advance(Duration::from_secs(120));
    (row.happens)(&stage);
    let result = stage.sync(&item).await;
    assert_eq!(code_of(&result), row.code(), "{seen}");
    assert_probes(&stage, row, &seen);
    assert_eq!(stage.shown(&item).await, row.shown(true), "{seen}");
    let after = stage.desk.show(&item).await;
    assert_eq!(after.active_job, None, "{seen}: nothing runs any more");
    assert_eq!(after.counts, before.counts, "{seen}: the list is kept");
    assert_eq!(
        stage.desk.attendees(&item).await,
        rows_before,
        "{seen}: the list is kept"
    );
    if let Err(error) = &result {
        assert_sentence(error);
        assert_eq!(
            after.last_synced_at, before.last_synced_at,
            "{seen}: a failure never erases a success, nor makes one"
        );
    } else {
        assert!(after.last_synced_at > before.last_synced_at, "{seen}");
    }
    stage.assert_no_leak();
}

fn assert_probes(stage: &Stage, row: &Row, seen: &str) {
    let probes = stage.probes();
    assert!(probes <= 1, "{seen}: at most one probe, not {probes}");
    if row.effect == Effect::Severs {
        assert_eq!(probes, 1, "{seen}: nobody is disconnected without a probe");
    }
}
