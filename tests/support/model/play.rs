//! Plays one script with the real engine over real HTTP, and holds what is stored against what the provider ever said.

use super::script::{How, MOST_SECS_OF_AN_ANSWER, Script, Step};
use super::world::{Past, World};
use crate::clock::SteppedClock;
use crate::desk::{Desk, Row, patient};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use talkvalue_core::domain::attendee::Attendee;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::{IntegrationId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{ItemRecord, Ports, RowMark};
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::actions;
use talkvalue_core::sync::live::keep_live;
use talkvalue_core::sync::runner::Runner;
use talkvalue_core::sync::schedule;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{RequestRecord, SandboxClock};

/// Two complete reads that miss somebody lie at least this far apart.
const APART: Duration = Duration::from_secs(61);
/// After so long everything is read once more, and events that are over are read.
const A_DAY: Duration = Duration::from_secs(24 * 3_600 + 1);
/// Events that have been over for longer are read on demand.
const READ_AFTER_END: Duration = Duration::from_secs(7 * 24 * 3_600 - 60);

/// How long the engine of a window may take for one read, in real time.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a story came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Story {
    pub reads: u64,
    pub kills: u64,
    pub failed_reads: u64,
    pub changes: u64,
    pub requests: u64,
    /// Requests of looks for news, and of walks over an organization.
    pub looks: u64,
    pub shared_walks: u64,
}

struct Player {
    desk: Desk,
    world: World,
    integration: IntegrationId,
    is_channel: bool,
    item: Option<ItemId>,
    /// What was stored when it was last looked at.
    seen: BTreeMap<String, Row>,
    /// Whether what is claimed can be held against the provider, which then tells the truth and enough of it.
    claims_count: bool,
    /// Whether lists leave nobody out who is there.
    lists_are_true: bool,
    /// How far an answer may lie behind the time that stands on it.
    lag: Duration,
    story: Story,
}

/// Plays it to its end; `Err` says what must not be.
pub(super) async fn play(script: &Script) -> Result<Story, String> {
    let mut player = Player::open(script).await;
    if let Err(wrong) = player.lives_through(script).await {
        return Err(format!("{wrong}\n{}", player.asked()));
    }
    player.story.changes = player.world.memory().changes;
    let requests = player.world.door().requests();
    player.story.requests = player.world.door().request_count();
    let count = |wanted: fn(&RequestRecord) -> bool| requests.iter().filter(|one| wanted(one)).count() as u64;
    player.story.looks = count(|request| {
        request.query.contains("sort_column=registered_at")
            || request.query.contains("sort_column=checked_in_at")
    });
    player.story.shared_walks =
        count(|request| request.path.contains("/organizations/") && request.path.ends_with("/attendees/"));
    Ok(player.story)
}

impl Player {
    async fn open(script: &Script) -> Self {
        let desk = Desk::open().await;
        let (world, secret) = World::open(
            &desk,
            script.provider,
            script.channel.unwrap_or(0) + 1,
            script.rows,
            &script.quirks,
        );
        let integration = desk.connect(script.provider, &secret).await.unwrap();
        // What was there at the beginning has been there for a while.
        desk.sandbox.clock().advance(Duration::from_secs(600));
        Self {
            desk,
            world,
            integration,
            is_channel: script.channel.is_some(),
            item: None,
            seen: BTreeMap::new(),
            claims_count: can_be_held(script),
            lists_are_true: !script.lies(),
            lag: lag_of(script),
            story: Story::default(),
        }
    }

    async fn lives_through(&mut self, script: &Script) -> Result<(), String> {
        for (number, step) in script.steps.iter().enumerate() {
            let taken = self.take(step).await;
            taken.map_err(|wrong| format!("after step {}: {wrong}", number + 1))?;
        }
        self.converges(script).await
    }

    /// Every request, for whoever looks into a defect.
    fn asked(&self) -> String {
        let requests = self.world.door().requests();
        let line = |request: &RequestRecord| {
            format!(
                "{} {} {}?{}\n",
                request.at, request.status, request.path, request.query
            )
        };
        requests.iter().map(line).collect()
    }

    async fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Change(change) => self.world.happens(*change),
            Step::During { pages, secs, change } => self.world.happens_during_walk(*pages, *secs, *change),
            Step::Trouble { after, times, fault } => {
                for further in 0..*times {
                    self.world.door().fails_once_after(after + further, fault.clone());
                }
            }
            Step::Calm => self.world.door().clears_faults(),
            Step::Pass { secs } => self.clock().advance(Duration::from_secs(*secs)),
            Step::Minute {
                secs,
                change,
                killed_at,
            } => {
                self.world.happens(*change);
                self.clock().advance(Duration::from_secs(*secs));
                self.reads(How::Due, *killed_at).await?;
                self.looks().await?;
            }
            Step::Read { how, killed_at } => {
                self.reads(*how, *killed_at).await?;
                self.looks().await?;
            }
        }
        Ok(())
    }

    fn clock(&self) -> SandboxClock {
        self.desk.sandbox.clock()
    }

    /// Reads as `how` says; a kill drops the engine where it stands, and nothing but the disk survives.
    async fn reads(&mut self, how: How, killed_at: Option<u64>) -> Result<(), String> {
        self.story.reads += 1;
        let pause = killed_at.map(|request| self.world.door().pause_at(request));
        let held = async {
            match &pause {
                Some(pause) => pause.reached().await,
                None => std::future::pending().await,
            }
        };
        let survived = tokio::select! {
            biased;
            ended = self.works(how) => { ended?; true }
            () = held => false,
        };
        drop(pause);
        if !survived {
            self.story.kills += 1;
            self.desk.ports = self.desk.restarted();
        }
        self.item = self.only_item().await.map(|record| record.item.id);
        self.story.failed_reads += u64::from(match &self.item {
            Some(item) => survived && self.desk.show(item).await.failure.is_some(),
            None => survived,
        });
        Ok(())
    }

    async fn works(&self, how: How) -> Result<(), String> {
        let ports = &self.desk.ports;
        // How a read ends is told by what is stored.
        let _ended: Option<Result<ItemView, CommandError>> = match (&self.item, how) {
            (None, _) => Some(self.imports().await),
            (Some(item), How::Sync) => Some(actions::sync_item(ports, item, patient()).await),
            (Some(item), How::Retry) => Some(actions::retry_item(ports, item, patient()).await),
            (Some(item), How::Due) => Some(self.is_due(item).await),
            (Some(item), How::Live) => {
                self.lives(item).await?;
                None
            }
        };
        Ok(())
    }

    async fn imports(&self) -> Result<ItemView, CommandError> {
        let (external_id, kind) = match self.is_channel {
            true => (&self.world.channel, ItemKind::PathChannel),
            false => (&self.world.events[0], ItemKind::BadgeEvent),
        };
        self.desk.import(&self.integration, external_id, kind).await
    }

    async fn is_due(&self, item: &ItemId) -> Result<ItemView, CommandError> {
        let ports = &self.desk.ports;
        let turn = take_turn(ports, None).await?;
        actions::begin_check(ports, &turn, item, Default::default())
            .await?
            .finish(ports, patient())
            .await
    }

    /// A window opens and stays until one read has ended, or it knows that none is to come.
    async fn lives(&self, item: &ItemId) -> Result<(), String> {
        self.clock().advance(Duration::from_secs(5));
        let clock = Arc::new(SteppedClock::over(self.clock()));
        let ports = Ports {
            clock: clock.clone(),
            ..self.desk.ports.clone()
        };
        let started = ports.clock.now();
        let runner = Arc::new(Runner::new(ports.clone()));
        let live = Aborting(tokio::spawn(keep_live(runner.clone())));
        let ended = async {
            loop {
                let record = ports
                    .store
                    .item(item)
                    .await
                    .map_err(|error| format!("{error:?}"))?;
                let Some(record) = record else { return Ok(()) };
                let tried = record.last_attempted_at.is_some_and(|at| at >= started);
                // One that was opened before is a dead engine's.
                let works = tried && record.open_job.as_ref().is_some_and(|job| !job.held);
                // The engine ends what a dead one left, and then it is known what is to come.
                let left = record.open_job.as_ref().is_some_and(|job| !job.held);
                let none_to_come =
                    !left && schedule::next_read(&record, runner.engine(), ports.clock.now()).is_none();
                if !works && (tried || none_to_come) {
                    return Ok(());
                }
                // Besides the engine itself, a read that waits for its next try: then only time helps.
                if clock.sleeping() > usize::from(works) {
                    clock.advance(Duration::from_secs(1));
                }
                tokio::task::yield_now().await;
            }
        };
        let ended: Result<Result<(), String>, _> = tokio::time::timeout(PATIENCE, ended).await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(_) => Err(format!(
                "a window does not come to read the list: {} sleep, {:?}",
                clock.sleeping(),
                ports.store.item(item).await
            )),
        };
        live.ends().await;
        ended
    }

    async fn only_item(&self) -> Option<ItemRecord> {
        self.desk.ports.store.items().await.unwrap().pop()
    }

    /// Every registration of the item, and how many rows it makes of them.
    async fn stored(&self) -> (BTreeMap<String, Row>, u64) {
        let Some(item) = &self.item else {
            return Default::default();
        };
        let (mut rows, mut people, mut mark) = (BTreeMap::new(), BTreeSet::new(), None);
        loop {
            let batch = self.desk.ports.store.registrations(item, mark.as_ref(), 1_000);
            let batch = batch.await.unwrap();
            let Some((person_key, last)) = batch.last() else {
                break;
            };
            mark = Some(RowMark {
                person_key: person_key.clone(),
                external_id: last.external_id.clone(),
            });
            for (person_key, row) in batch {
                people.insert(person_key);
                let (id, row) = Row::of_ours(Attendee::of_registration(item, row));
                rows.insert(id, row);
            }
        }
        let shown = if self.is_channel { people.len() } else { rows.len() };
        (rows, shown as u64)
    }

    /// What must hold at any time: nobody is lost, nobody and nothing is invented, and what is claimed to be complete is.
    async fn looks(&mut self) -> Result<(), String> {
        let (stored, shown) = self.stored().await;
        let Some(item) = self.item.clone() else {
            return if self.seen.is_empty() {
                Ok(())
            } else {
                Err("the item is gone, and its rows with it".to_owned())
            };
        };
        let view = self.desk.show(&item).await;
        if view.counts.total != shown {
            return Err(format!("{} are counted, {shown} are there", view.counts.total));
        }
        if let Some(lost) = self.seen.keys().find(|id| !stored.contains_key(*id)) {
            return Err(format!("{lost} was stored and is lost"));
        }
        let memory = self.world.memory();
        for (id, row) in &stored {
            let told = memory.pasts.get(id).is_some_and(|past| {
                let left = past.vanished || !self.lists_are_true;
                past.said.contains(row) || left && past.said.iter().any(|said| said.withdrawn() == *row)
            });
            if !told {
                return Err(format!("{id} never was {row:?}"));
            }
        }
        let claimed = view.last_synced_at.filter(|_| self.claims_count);
        let claimed = claimed.and_then(|at| at.checked_sub(self.lag).ok());
        if let Some(claimed) = claimed {
            for (id, past) in &memory.pasts {
                let settled = past.since < claimed && !past.spoiled && !past.silent && !past.vanished;
                if settled && stored.get(id) != past.said.last() {
                    return Err(format!(
                        "the list is complete as of {claimed}, but {id}, which stands since {}, is {:?} instead of {:?}",
                        past.since,
                        stored.get(id),
                        past.said.last()
                    ));
                }
            }
        }
        drop(memory);
        self.seen = stored;
        Ok(())
    }

    /// The trouble is over: one cycle of a window makes the list the provider's, all but what no cycle can know of, which
    /// the next read of everything finds.
    async fn converges(&mut self, script: &Script) -> Result<(), String> {
        self.world.calms_down();
        let calm_secs = self.calm_secs(script).await;
        self.clock().advance(Duration::from_secs(calm_secs));
        if self.waits_for_a_person().await {
            let read = match &self.item {
                None => self.imports().await,
                Some(item) => actions::retry_item(&self.desk.ports, item, patient()).await,
            };
            let view = read.map_err(|error| format!("the trouble is over, but the read fails: {error:?}"))?;
            self.item = Some(view.id);
            self.looks().await?;
        }
        self.goes_on_with_what_was_cut_off().await?;
        let waits_for_its_day = self.is_read_daily();
        self.cycles(!waits_for_its_day).await?;
        if !(waits_for_its_day || hides_from_checks(script)) {
            self.is_the_providers("after one cycle", |past| !(past.silent && tells_changes(script)))?;
        }
        let all_is_found = !tells_changes(script) && !waits_for_its_day;
        if !all_is_found {
            self.clock().advance(A_DAY);
            self.cycles(true).await?;
        }
        self.is_the_providers("after the read of everything", |_| true)?;
        self.departs().await
    }

    /// How long nothing happens before the cycle that is judged.
    async fn calm_secs(&self, script: &Script) -> u64 {
        let mut secs = script.calm_secs;
        if self.is_channel {
            // Of its events, those that were read a moment ago come with the next cycle.
            secs = secs.max(61);
        }
        if self.is_channel && (script.lies() || script.hides_events()) {
            // Which events there are is asked every quarter of an hour.
            secs = secs.max(901);
        }
        if script.provider == Provider::Luma && self.has_open_walk().await {
            // Pages of a walk that stopped just now are not read again: the list then is as of then, and says so.
            secs = secs.max(601);
        }
        secs
    }

    async fn has_open_walk(&self) -> bool {
        let store = &self.desk.ports.store;
        let Some(record) = self.only_item().await else {
            return false;
        };
        let members = store.members(&record.item.id).await.unwrap();
        let mut feeds: Vec<_> = members.into_iter().map(|member| member.feed).collect();
        feeds.push(record.item.feed);
        for feed in feeds {
            if store.open_walk(&feed).await.unwrap().is_some() {
                return true;
            }
        }
        false
    }

    /// Whether no engine goes on by itself: nothing is imported yet, or an import failed and waits for its Retry.
    async fn waits_for_a_person(&self) -> bool {
        let Some(item) = &self.item else { return true };
        let view = self.desk.show(item).await;
        let code = view.failure.map(|failure| failure.code);
        view.alert == Some(Alert::ImportFailed) && code != Some(FailureCode::Interrupted)
    }

    /// Whether its events are over: then a channel asks for them once a day.
    fn is_read_daily(&self) -> bool {
        self.is_channel && self.clock().now() >= self.world.over_at
    }

    /// A channel's read that was cut off goes on where it stopped: of its events, those that it had read by then come with
    /// the next cycle. The list is as of then, and says so.
    async fn goes_on_with_what_was_cut_off(&mut self) -> Result<(), String> {
        let record = self.only_item().await;
        let Some(record) = record.filter(|record| self.is_channel && record.open_job.is_some()) else {
            return Ok(());
        };
        self.lives(&record.item.id).await?;
        self.looks().await?;
        self.clock().advance(Duration::from_secs(61));
        Ok(())
    }

    /// A window opens, and reads what is due; events long over are read when somebody asks. Then all is well; records that
    /// could be read by now are, if `all_are_read`.
    async fn cycles(&mut self, all_are_read: bool) -> Result<(), String> {
        let Some(item) = self.item.clone() else {
            return Err("there is nothing to keep live".to_owned());
        };
        if self.clock().now() > self.world.over_at + READ_AFTER_END {
            let pulled = actions::sync_item(&self.desk.ports, &item, patient()).await;
            pulled.map_err(|error| format!("a quiet read fails: {error:?}"))?;
        } else {
            self.lives(&item).await?;
        }
        self.looks().await?;
        let view = self.desk.show(&item).await;
        let is_read = view.unreadable == 0 || !all_are_read;
        if (view.sync_status, is_read, view.failure.is_some()) != (SyncStatus::Active, true, false) {
            return Err(format!("in the end not all is well: {view:?}"));
        }
        Ok(())
    }

    /// Whoever is at the provider stands here as there, of those that are looked at.
    fn is_the_providers(&self, when: &str, looked_at: impl Fn(&Past) -> bool) -> Result<(), String> {
        let memory = self.world.memory();
        let differs = memory
            .pasts
            .iter()
            .find(|(id, past)| !past.vanished && looked_at(past) && self.seen.get(*id) != past.said.last());
        match differs {
            None => Ok(()),
            Some((id, past)) => Err(format!(
                "{when} {id} is {:?} instead of {:?}",
                self.seen.get(id),
                past.said.last()
            )),
        }
    }

    /// Two more cycles over a true list: whoever left the provider no longer attends here, or a person is asked.
    async fn departs(&mut self) -> Result<(), String> {
        if !self.world.memory().pasts.values().any(|past| past.vanished) {
            return Ok(());
        }
        for _ in 0..2 {
            let apart = if self.is_read_daily() { A_DAY } else { APART };
            self.clock().advance(apart);
            self.cycles(true).await?;
        }
        let held = match &self.item {
            Some(item) => self.desk.show(item).await.held_removals,
            None => 0,
        };
        let memory = self.world.memory();
        let still_here = |id: &String| self.seen.get(id).is_some_and(Row::is_expected);
        let left = memory
            .pasts
            .iter()
            .filter(|(id, past)| past.vanished && still_here(id))
            .count() as u64;
        if left != held {
            return Err(format!(
                "{left} have left the provider and are expected here, {held} are asked about"
            ));
        }
        Ok(())
    }
}

/// A window's engine, ended with whoever waits for it.
struct Aborting(tokio::task::JoinHandle<()>);

impl Aborting {
    async fn ends(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn lag_of(script: &Script) -> Duration {
    let behind = match script.provider {
        Provider::Eventbrite => u64::from(script.quirks.lag_secs),
        Provider::Luma => 0,
    };
    // A page is made before all that happens during its making, of which there may be several things.
    let making = (MOST_SECS_OF_AN_ANSWER + 1) * script.steps.len() as u64;
    Duration::from_secs(behind + making)
}

/// Who left the list of a provider that counts nobody, while it was read, is past finding out; and so is what Eventbrite
/// hides behind an older reading long after its reads may lag.
fn can_be_held(script: &Script) -> bool {
    let eventbrite = script.provider == Provider::Eventbrite;
    let hidden = script.quirks.older_row_once || !script.quirks.counts && script.vanishes();
    !(script.lies() || script.hides_events() || eventbrite && hidden)
}

/// Whether a check asks for what changed since: then what bears no time of change is found once a day.
fn tells_changes(script: &Script) -> bool {
    script.provider == Provider::Eventbrite
}

/// Whether what changed may have been left out of an earlier answer, and be older by now than what a check asks for.
fn hides_from_checks(script: &Script) -> bool {
    tells_changes(script) && !can_be_held(script)
}
