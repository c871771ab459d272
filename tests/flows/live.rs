//! The engine of a window or of `watch`: lists become and stay live by themselves, what was cut off goes on, and nothing
//! is green that was not confirmed.

use crate::keychain::hanging;
use crate::stage::{BOTH, Stage};
use std::sync::Arc;
use std::time::Duration;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::Freshness;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::ports::Ports;
use talkvalue_core::query::{self, ItemView};
use talkvalue_core::sync::live::keep_live;
use talkvalue_core::sync::runner::Runner;
use talkvalue_sandbox::{AttendeeSpec, EventSpec, Fault, PausePoint};
use talkvalue_tests::clock::SteppedClock;
use talkvalue_tests::desk::Desk;

/// How long a fact may take to come, in real time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A window that is open, seen from behind: its engine runs until this is dropped.
pub(crate) struct Open {
    pub(crate) ports: Ports,
    pub(crate) runner: Arc<Runner>,
    clock: Arc<SteppedClock>,
    live: tokio::task::JoinHandle<()>,
}

impl Open {
    pub(crate) fn over(stage: &Stage, ports: Ports) -> Self {
        Self::at(&stage.desk, ports)
    }

    pub(crate) fn at(desk: &Desk, ports: Ports) -> Self {
        // A restart takes a moment: what was read before it lies before it.
        desk.sandbox.clock().advance(Duration::from_secs(5));
        let clock = Arc::new(SteppedClock::over(desk.sandbox.clock().clone()));
        let ports = Ports {
            clock: clock.clone(),
            ..ports
        };
        let runner = Arc::new(Runner::new(ports.clone()));
        let live = tokio::spawn(keep_live(runner.clone()));
        Self {
            ports,
            runner,
            clock,
            live,
        }
    }

    pub(crate) async fn shows(&self, item: &ItemId) -> ItemView {
        query::item(&self.ports, item, self.runner.engine())
            .await
            .unwrap()
    }

    /// Waits until the item is as wanted, and answers with it. Time passes slowly meanwhile.
    pub(crate) async fn until(
        &self,
        item: &ItemId,
        what: &str,
        wanted: impl Fn(&ItemView) -> bool,
    ) -> ItemView {
        let time_passes = async || self.passes(1).await;
        self.until_while(item, what, wanted, time_passes).await
    }

    /// [`Self::until`], for what counts how often something happens: while anything is read, time stands still, however
    /// slow the computer is.
    pub(crate) async fn until_calmly(
        &self,
        item: &ItemId,
        what: &str,
        wanted: impl Fn(&ItemView) -> bool,
    ) -> ItemView {
        let time_passes = async || {
            let items = self.ports.store.items().await.unwrap();
            if items.iter().any(|record| record.open_job.is_some()) {
                tokio::task::yield_now().await;
            } else {
                self.passes(1).await;
            }
        };
        self.until_while(item, what, wanted, time_passes).await
    }

    async fn until_while(
        &self,
        item: &ItemId,
        what: &str,
        wanted: impl Fn(&ItemView) -> bool,
        time_passes: impl AsyncFn(),
    ) -> ItemView {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let view = self.shows(item).await;
                if wanted(&view) {
                    return view;
                }
                time_passes().await;
            }
        })
        .await;
        match found {
            Ok(view) => view,
            Err(_) => panic!("{what} does not come: {:?}", self.shows(item).await),
        }
    }

    /// Lets time pass in steps, so that whoever sleeps again sleeps from where he woke.
    pub(crate) async fn passes(&self, secs: u64) {
        for _ in 0..secs {
            self.clock.advance(Duration::from_secs(1));
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Lets time pass until the request that is to be held has come. `what` names it in the failure.
    async fn passes_until(&self, pause: &PausePoint, what: &str) {
        let time_passes = async {
            loop {
                self.passes(1).await;
            }
        };
        let reached = async { tokio::time::timeout(PATIENCE, pause.reached()).await };
        tokio::select! {
            reached = reached => assert!(reached.is_ok(), "{what} does not come"),
            () = time_passes => {}
        }
    }

    /// Lets time pass of which this process sees nothing.
    fn sleeps(&self, asleep: Duration) {
        self.clock.advance(asleep);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.live.abort();
    }
}

pub(crate) fn green(view: &ItemView) -> bool {
    view.sync_status == SyncStatus::Active && view.freshness == Freshness::Live
}

#[tokio::test]
async fn a_list_is_checked_at_the_start_and_green_only_then() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let pause = stage.door().pause_at(1);
        let open = Open::over(&stage, stage.desk.restarted());
        pause.reached().await;
        let view = open.shows(&item).await;
        assert_eq!(
            (view.sync_status, view.freshness),
            (SyncStatus::Active, Freshness::Checking),
            "{provider:?}: what was true before the start is not known to be true now"
        );
        pause.release();
        open.until(&item, "the first check", green).await;
    }
}

#[tokio::test]
async fn a_computer_that_slept_checks_before_anything_is_green_again() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let open = Open::over(&stage, stage.desk.restarted());
        open.until(&item, "the first check", green).await;
        let pause = stage.door().pause_at(1);
        // Less than the age at which the list would be stale by itself.
        open.sleeps(Duration::from_secs(120));
        let woken = open.shows(&item).await;
        assert_eq!(
            (woken.sync_status, woken.freshness),
            (SyncStatus::Active, Freshness::Checking),
            "{provider:?}: who asks before the engine has noticed is not told that the list is live"
        );
        // The engine may have been awake in that moment, and looks again within a quarter of a minute.
        open.passes_until(&pause, "the next check").await;
        assert_eq!(
            open.shows(&item).await.freshness,
            Freshness::Checking,
            "{provider:?}"
        );
        pause.release();
        open.until(&item, "the check after the wake", green).await;
    }
}

#[tokio::test]
async fn what_rested_for_long_is_looked_at_when_the_computer_wakes() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    stage.door().fails_always(Fault::HtmlGateway(503));
    open.until(&item, "a pause of five minutes", |view| {
        let (Some(tried), Some(next)) = (view.last_attempted_at, view.next_attempt_at) else {
            return false;
        };
        next.duration_since(tried).as_secs() >= 300
    })
    .await;
    stage.door().clears_faults();
    open.sleeps(Duration::from_secs(120));
    let woken = open.ports.clock.now();
    let recovered = open.until(&item, "the recovery", green).await;
    let pause = recovered.last_synced_at.unwrap().duration_since(woken).as_secs();
    assert!(pause <= 35, "the network may be another one now: {pause} s");
}

#[tokio::test]
async fn who_registers_is_on_the_list_within_the_next_interval() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    stage.door().clears_requests();
    stage
        .eventbrite
        .add_attendee(&stage.event, AttendeeSpec::new("Noor Haddad"));
    open.until(&item, "the new registration", |view| view.counts.total == 61)
        .await;
    stage.assert_exact(&item).await;
    assert!(
        stage.requests_to(stage.list_path()) >= 1
            && stage.requests_to("/events/") == stage.requests_to(stage.list_path()),
        "a check asks for changes alone"
    );
}

#[tokio::test]
async fn two_views_of_one_list_cost_one_read() {
    let (stage, badge) = Stage::imported(Provider::Eventbrite, 60).await;
    let path = stage
        .desk
        .import(&stage.integration, &stage.event, ItemKind::PathEvent)
        .await
        .unwrap()
        .id;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&badge, "the first check", green).await;
    open.until(&path, "the first check", green).await;
    stage.door().clears_requests();
    let started = open.ports.clock.now();
    for item in [&badge, &path] {
        open.until(item, "three minutes of checks", |view| {
            view.last_synced_at
                .is_some_and(|at| at.duration_since(started).as_secs() >= 180)
        })
        .await;
    }
    let minutes = open.ports.clock.now().duration_since(started).as_secs() / 60 + 1;
    let asked = stage.door().request_count();
    // On a busy computer time passes faster than reads: fewer are right, more never.
    assert!(
        (1..=minutes.unsigned_abs()).contains(&asked),
        "one request a minute for both, not {asked} in {minutes} minutes"
    );
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on_by_itself() {
    for provider in BOTH {
        let stage = Stage::open(provider, 330).await;
        // The process dies in the middle of the import: its future is dropped.
        let pause = stage.door().pause_at(4);
        tokio::select! {
            _ = stage.import() => panic!("the import must not end"),
            () = pause.reached() => {}
        }
        pause.release();
        let item = stage.items().await[0].id.clone();
        assert_eq!(stage.shown(&item).await.alert, Some(Alert::ImportFailed));
        let open = Open::over(&stage, stage.desk.restarted());
        open.until(&item, "the rest of the import", green).await;
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_told_and_asked_again() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    stage.door().fails_always(Fault::HtmlGateway(503));
    open.passes(70).await;
    let failed = open
        .until(&item, "the failure, and when it is asked again", |view| {
            let next = view.next_attempt_at;
            view.sync_status == SyncStatus::Failed && next.is_some_and(|next| next > open.ports.clock.now())
        })
        .await;
    assert_eq!(failed.failure.unwrap().code, FailureCode::ProviderUnreachable);
    stage.door().clears_faults();
    open.passes(130).await;
    open.until(&item, "the recovery without a click", green).await;
}

#[tokio::test]
async fn a_provider_that_stays_silent_is_asked_ever_more_rarely() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    stage.door().fails_always(Fault::HtmlGateway(503));
    let failed = open
        .until(&item, "the failure", |view| view.failure.is_some())
        .await;
    let since = failed.failure.unwrap().since;
    let later = open
        .until(&item, "a pause of five minutes", |view| {
            let (Some(tried), Some(next)) = (view.last_attempted_at, view.next_attempt_at) else {
                return false;
            };
            next.duration_since(tried).as_secs() >= 300
        })
        .await;
    assert_eq!(
        later.failure.unwrap().since,
        since,
        "it fails since its first failure, not since its last"
    );
}

#[tokio::test]
async fn a_keychain_in_trouble_pauses_and_goes_on_by_itself() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    let (ports, gate) = hanging(&stage);
    let open = Open::over(&stage, ports);
    let paused = open
        .until(&item, "the pause", |view| view.waiting.is_some())
        .await;
    assert_eq!(paused.waiting.unwrap().code, FailureCode::VaultUnavailable);
    assert_eq!(
        (paused.sync_status, paused.freshness, paused.alert),
        (SyncStatus::Active, Freshness::Paused, None),
        "no false alarm, and not green"
    );
    drop(gate);
    open.passes(130).await;
    open.until(&item, "the reads going on", green).await;
}

#[tokio::test]
async fn a_new_attempt_in_a_lasting_trouble_is_not_green_and_asks_for_no_more_than_a_check() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 120).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    stage.door().fails_next(
        1,
        Fault::RateLimited {
            retry_after_secs: Some(30),
        },
    );
    open.until(&item, "the wait", |view| view.waiting.is_some()).await;
    let pause = stage.door().pause_at(1);
    stage.door().clears_requests();
    open.passes_until(&pause, "the next attempt").await;
    let attempted = open.shows(&item).await;
    assert!(attempted.active_job.is_some());
    assert_eq!(
        attempted.freshness,
        Freshness::Paused,
        "until something has come, nobody knows that the list still holds"
    );
    pause.release();
    let recovered = open.until(&item, "the recovery", green).await;
    assert_eq!(recovered.waiting, None);
    assert_eq!(
        stage.requests_to(stage.list_path()),
        1,
        "what was held up was a check, and goes on as one"
    );
}

#[tokio::test]
async fn what_one_list_finds_out_about_this_computer_holds_for_all_that_are_due() {
    let (stage, first) = Stage::imported(Provider::Luma, 20).await;
    let mut items = vec![first];
    for number in 0..4 {
        let event = stage.add_event(&format!("Evening {number}"), 5);
        items.push(
            stage
                .desk
                .import(&stage.integration, &event, ItemKind::BadgeEvent)
                .await
                .unwrap()
                .id,
        );
    }
    let open = Open::over(&stage, stage.desk.restarted());
    for item in &items {
        open.until(item, "the first check", green).await;
    }
    stage.door().fails_always(Fault::Html200);
    for item in &items {
        let view = open
            .until(item, "the network that wants a sign-in", |view| !green(view))
            .await;
        assert_eq!(view.freshness, Freshness::Offline);
        assert_eq!(view.alert, None, "no false alarm");
    }
    for _ in 0..60 {
        open.passes(1).await;
        for item in &items {
            assert!(!green(&open.shows(item).await), "and it stays so");
        }
    }
    stage.door().clears_faults();
    for item in &items {
        open.until(item, "the reads going on", green).await;
    }
}

#[tokio::test]
async fn what_lies_between_here_and_one_provider_keeps_no_list_of_the_other_waiting() {
    let (stage, troubled) = Stage::imported(Provider::Eventbrite, 20).await;
    let calendar = stage
        .luma
        .add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let account = stage.desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let mut others = Vec::new();
    for number in 0..6 {
        let event = stage
            .luma
            .add_event(&calendar.id, EventSpec::new(format!("Evening {number}")));
        stage.luma.add_guests(&event, 5);
        let item = stage
            .desk
            .import(&account, &event, ItemKind::BadgeEvent)
            .await
            .unwrap();
        others.push(item.id);
    }
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&troubled, "the first check", green).await;
    stage.eventbrite.fails_always(Fault::Html200);
    open.until(&troubled, "the network that wants a sign-in", |view| !green(view))
        .await;
    let begun = open.ports.clock.now();
    for item in &others {
        open.until(item, "three minutes of checks", |view| {
            assert_ne!(view.freshness, Freshness::Offline, "Luma can be reached");
            green(view)
                && view
                    .last_synced_at
                    .is_some_and(|at| at.duration_since(begun).as_secs() >= 180)
        })
        .await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_list_from_being_read() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 20).await;
        let open = Open::over(&stage, stage.desk.restarted());
        open.until(&item, "the first check", green).await;
        open.clock.sets_back(3_600);
        assert_eq!(
            open.shows(&item).await.freshness,
            Freshness::Checking,
            "{provider:?}: what was checked at a time that is still to come was checked nobody knows when"
        );
        stage.door().clears_requests();
        let set_back = open.ports.clock.now();
        open.until(&item, "the next read", |_| stage.door().request_count() > 0)
            .await;
        let waited = open.ports.clock.now().duration_since(set_back).as_secs();
        assert!(waited < 120, "{provider:?}: it waited {waited} s");
    }
}

#[tokio::test]
async fn what_a_person_must_mend_is_left_to_them() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    stage.revokes_credentials();
    open.passes(61).await;
    open.until(&item, "the disconnection", |view| {
        view.sync_status == SyncStatus::Disconnected
    })
    .await;
    stage.door().clears_requests();
    open.passes(600).await;
    assert_eq!(
        stage.door().request_count(),
        0,
        "a credential that is refused is not sent again and again"
    );
}
