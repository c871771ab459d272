//! Keeping every list live while a window or `watch` runs: takes up what was kept or cut off, then reads each list when
//! it is due. Decides nothing about when: [`super::schedule`] does.
//!
//! The turn is held only while something is read, so that commands of other processes come between.

use super::actions;
use super::engine::EngineOptions;
use super::opened::{Begun, hold};
use super::reading;
use super::runner::Runner;
use super::schedule;
use super::turn::Turn;
use crate::domain::failure::FailureCode;
use crate::domain::freshness::EngineView;
use crate::domain::ids::{ExternalId, IntegrationId, ItemId};
use crate::domain::job::JobKind;
use crate::domain::provider::Provider;
use crate::error::{CommandError, ErrorCode};
use crate::ports::{ItemRecord, Notice, Patience};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tracing::{debug, error, info, warn};

/// What changes without us (a command elsewhere, an item that was added) is seen within this.
const LOOK_AGAIN_AT_LATEST: Duration = Duration::from_secs(15);
const LOOK_AGAIN_AT_SOONEST: Duration = Duration::from_secs(1);
/// That the computer slept is noticed, and told to the window, so long after it woke.
const NOTICES_A_SLEEP_WITHIN: Duration = Duration::from_secs(1);

/// The one who asked waits in another process and may give up there; a prompt would show where nobody looks.
const FOR_ANOTHER_PROCESS: EngineOptions = EngineOptions {
    wait_limit: None,
    patience: Patience::Background,
};

/// Whose reads rest: those through one provider, or all of them.
type Rest = Arc<Mutex<HashMap<Option<Provider>, Resting>>>;

/// Until when, and what one of them has met.
#[derive(Debug, Clone, Copy)]
struct Resting {
    until: Timestamp,
    code: FailureCode,
}

/// Reads what is due, for ever. Dropping it stops the reads that it began; what arrived is kept, and they go on with
/// the next start.
pub async fn keep_live(runner: Arc<Runner>) {
    let mut engine = runner.engine();
    let mut reads: JoinSet<()> = JoinSet::new();
    let mut under_way: HashMap<Id, Vec<ItemId>> = HashMap::new();
    let rest = Rest::default();
    loop {
        while let Some(ended) = reads.try_join_next_with_id() {
            let task = match &ended {
                Ok((task, ())) => *task,
                Err(broken) => broken.id(),
            };
            let items = under_way.remove(&task);
            if ended.is_err() {
                error!(items = ?items, "a read broke off: this is a defect");
            }
        }
        let pause = match begin_due(&runner, engine, &mut reads, &mut under_way, &rest).await {
            Ok(next) => {
                let now = runner.ports.clock.now();
                let until = next.map_or(LOOK_AGAIN_AT_LATEST, |next| {
                    Duration::try_from(next.duration_since(now)).unwrap_or(Duration::ZERO)
                });
                until.clamp(LOOK_AGAIN_AT_SOONEST, LOOK_AGAIN_AT_LATEST)
            }
            Err(failure) => {
                warn!(code = failure.code.code(), "what is due could not be read");
                LOOK_AGAIN_AT_LATEST
            }
        };
        tokio::select! {
            () = sleep_while_awake(&runner, engine, pause) => {}
            () = runner.ports.store.changed_elsewhere() => {
                runner.ports.notices.notify(Notice::OutOfDate);
            }
        }
        let woken = runner.engine();
        if woken != engine {
            info!("the computer slept: every list is checked again");
            engine = woken;
            // What kept the reads waiting belongs to the time before.
            held(&rest).clear();
            runner.ports.notices.notify(Notice::OutOfDate);
        }
    }
}

/// Waits that long, or until the computer has slept meanwhile: whoever looks at the window then must not see what was
/// green before.
async fn sleep_while_awake(runner: &Runner, engine: EngineView, pause: Duration) {
    let clock = &runner.ports.clock;
    let until = clock.now().checked_add(pause).unwrap_or(Timestamp::MAX);
    while runner.engine() == engine {
        let left = Duration::try_from(until.duration_since(clock.now())).unwrap_or_default();
        if left.is_zero() {
            return;
        }
        clock.sleep(left.min(NOTICES_A_SLEEP_WITHIN)).await;
    }
}

/// Begins every read that is due and not under way; tells when the next one is.
async fn begin_due(
    runner: &Arc<Runner>,
    engine: EngineView,
    reads: &mut JoinSet<()>,
    under_way: &mut HashMap<Id, Vec<ItemId>>,
    rest: &Rest,
) -> Result<Option<Timestamp>, CommandError> {
    let now = runner.ports.clock.now();
    let mut next: Option<Timestamp> = None;
    let mut due: Vec<(Timestamp, ItemRecord)> = Vec::new();
    let mut handed: Vec<ItemRecord> = Vec::new();
    let mut unknown: Vec<ItemRecord> = Vec::new();
    let busy: HashSet<ItemId> = under_way.values().flatten().cloned().collect();
    for record in runner.ports.store.items().await? {
        let is_handed = record.open_job.as_ref().is_some_and(|job| job.handed);
        if busy.contains(&record.item.id) || runner.is_running(&record) {
            if is_handed {
                // Its read is about to end: somebody waits for the next one.
                next = Some(now);
            }
            continue;
        }
        if is_handed {
            handed.push(record);
            continue;
        }
        if record.open_job.as_ref().is_some_and(|job| !job.held) {
            unknown.push(record);
            continue;
        }
        let Some(read) = schedule::next_read(&record, engine, now) else {
            continue;
        };
        if let Some(rest) = resting(rest, record.item.provider, now) {
            let at = read.at.max(rest.until);
            next = Some(next.map_or(at, |next| next.min(at)));
        } else if read.at <= now {
            due.push((record.item.starts_at.unwrap_or(Timestamp::MAX), record));
        } else {
            next = Some(next.map_or(read.at, |next| next.min(read.at)));
        }
    }
    if due.is_empty() && handed.is_empty() && unknown.is_empty() {
        return Ok(next);
    }
    let Some(turn) = runner.turn_if_free().await? else {
        // Another process acts: it is asked again soon.
        return Ok(Some(now));
    };
    for record in unknown {
        end_stranded(runner, &turn, &record).await;
        next = Some(now);
    }
    // What a person asked for in another process comes first.
    for record in handed {
        if let Some(job) = Begun::handed(&runner.ports, &turn, record).await? {
            runner.start(turn.clone(), job, FOR_ANOTHER_PROCESS);
        } else {
            next = Some(now);
        }
    }
    // Whose doors open first is read first.
    due.sort_by_key(|(starts_at, _)| *starts_at);
    for group in groups(due.into_iter().map(|(_, record)| record), now) {
        let items = group.iter().map(|record| record.item.id.clone()).collect();
        let read = reads.spawn(read_group(
            runner.clone(),
            turn.clone(),
            group,
            engine,
            rest.clone(),
        ));
        under_way.insert(read.id(), items);
    }
    Ok(next)
}

/// Ends a job that is open while nobody works on it. In another process nobody can, for the turn is ours: taking it has
/// ended what a dead one left, and what is still open is our own, whose end could not be saved.
async fn end_stranded(runner: &Runner, turn: &Turn, seen: &ItemRecord) {
    let (ports, id) = (&runner.ports, &seen.item.id);
    // Held by the command that has just begun it, if one has.
    let Some(_claim) = turn.claim(id) else {
        return;
    };
    let ended = async {
        let open = ports.store.item(id).await?.and_then(|record| record.open_job);
        match open.filter(|job| !job.held && !job.handed) {
            Some(job) => hold(ports, id, &job.id, FailureCode::StorageFailed).await,
            None => Ok(()),
        }
    };
    if let Err(failure) = ended.await {
        warn!(item.id = %id, code = failure.code.code(), "a job that nobody runs could not be ended");
    }
}

/// Reads the first, which may read for all of them, and then those that are still due.
async fn read_group(
    runner: Arc<Runner>,
    turn: Arc<Turn>,
    group: Vec<ItemRecord>,
    engine: EngineView,
    rest: Rest,
) {
    let mut group = group.into_iter();
    if let Some(first) = group.next() {
        read_or_tell(runner.clone(), turn.clone(), first, engine, rest.clone()).await;
    }
    let mut others = JoinSet::new();
    for record in group {
        others.spawn(read_or_tell(
            runner.clone(),
            turn.clone(),
            record,
            engine,
            rest.clone(),
        ));
    }
    while let Some(ended) = others.join_next().await {
        if ended.is_err() {
            error!("a read broke off: this is a defect");
        }
    }
}

async fn read_or_tell(
    runner: Arc<Runner>,
    turn: Arc<Turn>,
    record: ItemRecord,
    engine: EngineView,
    rest: Rest,
) {
    let (item, provider) = (record.item.id.clone(), record.item.provider);
    if let Err(failure) = read(&runner, &turn, record, engine, &rest).await {
        if let ErrorCode::Failure(code) = failure.code
            && schedule::is_this_computers(code)
        {
            let now = runner.ports.clock.now();
            let until = now.checked_add(schedule::REST).unwrap_or(now);
            // A network may let through what goes to the other provider.
            let whose = schedule::is_the_networks(code).then_some(provider);
            held(&rest).insert(whose, Resting { until, code });
        }
        debug!(item.id = %item, code = failure.code.code(), "a read that was due did not succeed");
    }
}

/// Items whose changes one walk over their organization may bring stand together, everything else by itself.
fn groups(due: impl Iterator<Item = ItemRecord>, now: Timestamp) -> Vec<Vec<ItemRecord>> {
    let mut groups: Vec<Vec<ItemRecord>> = Vec::new();
    let mut places: HashMap<(IntegrationId, ExternalId), usize> = HashMap::new();
    for record in due {
        let changes = reading::changes_suffice(&record.reads, record.unreadable, now).is_some();
        let organization = record
            .organization
            .clone()
            .filter(|_| changes && record.open_job.is_none());
        let Some(organization) = organization else {
            groups.push(vec![record]);
            continue;
        };
        let key = (record.item.integration_id.clone(), organization);
        match places.get(&key).and_then(|place| groups.get_mut(*place)) {
            Some(group) => group.push(record),
            None => {
                places.insert(key, groups.len());
                groups.push(vec![record]);
            }
        }
    }
    groups
}

/// Reads one item in its lane, unless another item's read of the same list has made it needless.
async fn read(
    runner: &Arc<Runner>,
    turn: &Turn,
    record: ItemRecord,
    engine: EngineView,
    rest: &Rest,
) -> Result<(), CommandError> {
    let ports = &runner.ports;
    let _lane = runner
        .lane(turn, &record.item.feed, &record.item.integration_id)
        .await;
    let id = record.item.id;
    let Some(record) = ports.store.item(&id).await? else {
        return Ok(());
    };
    let now = ports.clock.now();
    let Some(read) = schedule::next_read(&record, engine, now).filter(|read| read.at <= now) else {
        ports.notices.notify(Notice::ItemChanged(id));
        return Ok(());
    };
    let resting = resting(rest, record.item.provider, now);
    if resting.is_some() && record.open_job.is_some() {
        // It says already what it waits for.
        return Ok(());
    }
    let begun = match read.goes_on {
        Some(kind) if kind != JobKind::Sync => actions::begin_again(ports, turn, &id, kind).await?,
        // A check that a condition held up is due as the check it was.
        _ => actions::begin_check(ports, turn, &id, engine).await?,
    };
    // No prompt and no long wait for what nobody asked for: what a condition stops is kept, and due again later.
    let options = EngineOptions {
        wait_limit: Some(Duration::ZERO),
        patience: Patience::Background,
    };
    let Some(job) = begun.job else {
        return Ok(());
    };
    if let Some(rest) = resting {
        // What another list has just found out holds for this one too, which must not look live meanwhile.
        return hold(ports, &id, job.id(), rest.code).await;
    }
    let result = runner.run_here(job, options).await;
    // Of an item that was removed meanwhile nothing can be saved: that is nobody's trouble.
    if result.is_err() && ports.store.item(&id).await?.is_none() {
        return Ok(());
    }
    result
}

/// Whether reads through that provider rest now.
fn resting(rest: &Rest, provider: Provider, now: Timestamp) -> Option<Resting> {
    let held = held(rest);
    [None, Some(provider)]
        .iter()
        .find_map(|whose| held.get(whose).filter(|rest| rest.until > now))
        .copied()
}

fn held(rest: &Rest) -> MutexGuard<'_, HashMap<Option<Provider>, Resting>> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}
