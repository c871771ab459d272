//! A job that a command wants, run by whoever may: by the command itself where nobody works on the data folder, else by
//! the process that does, to which it is handed as a row that the command waits on.

use super::actions::tell;
use super::engine::EngineOptions;
use super::opened::{Begun, unknown_event};
use super::turn::{LOOK_AGAIN, READERS_GRACE, Turn, try_turn};
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::freshness::EngineView;
use crate::domain::ids::{ItemId, JobId};
use crate::domain::job::JobKind;
use crate::error::CommandError;
use crate::ports::{ItemRecord, Notice, Ports};
use crate::query::history::EndKind;
use crate::query::{self, ItemView, stored_integration, stored_item};
use std::time::Duration;

/// What a command comes to before anything is read.
pub enum Wanted {
    /// There is nothing to read: the item as it is.
    Nothing(Box<ItemView>),
    Job {
        item: ItemId,
        kind: JobKind,
    },
}

impl Wanted {
    pub(crate) fn job(item: &ItemId, kind: JobKind) -> Self {
        Self::Job {
            item: item.clone(),
            kind,
        }
    }

    /// Opens the job, for a caller that holds the turn.
    pub(crate) async fn begin(self, ports: &Ports, turn: &Turn) -> Result<Begun, CommandError> {
        match self {
            Wanted::Nothing(view) => Ok(Begun::nothing(*view)),
            Wanted::Job { item, kind } => {
                Begun::job(ports, turn, stored_item(ports, &item).await?, kind).await
            }
        }
    }

    /// Has the job run, and answers with the item as it is then. `--wait` bounds the waiting for others, too.
    pub(crate) async fn run(self, ports: &Ports, options: EngineOptions) -> Result<ItemView, CommandError> {
        let (item, kind) = match self {
            Wanted::Nothing(view) => return Ok(*view),
            Wanted::Job { item, kind } => (item, kind),
        };
        let mut before = stored_item(ports, &item).await?;
        let started = ports.clock.now();
        let (mut handed, mut told): (Option<JobId>, bool) = (None, false);
        let mut waited = Duration::ZERO;
        loop {
            // First of all: what was handed over may have been done, and its process gone.
            if let Some(job) = &handed
                && let Some(result) = ended(ports, &before, job).await?
            {
                return result;
            }
            if let Some(turn) = try_turn(ports).await? {
                let begun = Wanted::job(&item, kind).begin(ports, &turn).await?;
                return begun
                    .finish(ports, options.after(started, ports.clock.now()))
                    .await;
            }
            if waited >= READERS_GRACE && handed.is_none() {
                if !told {
                    ports.notices.notify(Notice::WaitingForLock);
                    told = true;
                }
                before = stored_item(ports, &item).await?;
                // What is read already may be from before this was asked for: then that has to end first.
                handed = ports.store.hand_job(&item, kind, ports.clock.now()).await?;
            }
            if waited >= READERS_GRACE && options.wait_limit.is_some_and(|limit| waited >= limit) {
                return Err(CommandError::waiting(match &handed {
                    Some(_) => {
                        "Another TalkValue Sync works on this data folder and was not done in the time you gave. It \
                         goes on with what you asked for; what arrives is kept."
                    }
                    None => {
                        "Another TalkValue Sync reads this list and was not done in the time you gave. What arrives \
                         is kept; sync again when it is done."
                    }
                }));
            }
            ports.clock.sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
    }
}

/// What became of a job that another process runs; `None` while it runs, or waits out a provider's limit.
async fn ended(
    ports: &Ports,
    before: &ItemRecord,
    job: &JobId,
) -> Result<Option<Result<ItemView, CommandError>>, CommandError> {
    let id = &before.item.id;
    let Some(record) = ports.store.item(id).await? else {
        let integration = stored_integration(ports, &before.item.integration_id).await?;
        let message = unknown_event(&before.item, &integration);
        return Ok(Some(Err(CommandError::failure(FailureCode::RemoteGone, message))));
    };
    let end = ports.store.ended_job(job).await?;
    let ended_as = end.as_ref().and_then(|end| end.end);
    // What a condition stopped is taken up again as a new job, and the old row ends as cut off or leaves no trace.
    let goes_on = matches!(ended_as, None | Some(EndKind::Interrupted));
    if let Some(open) = record.open_job.filter(|_| goes_on) {
        let waits_for = open
            .waiting
            .map(|waiting| waiting.code)
            .filter(|code| open.held && *code != FailureCode::RateLimited);
        if let Some(code) = waits_for {
            let failure = Failure::new(code, ports.clock.now());
            return Ok(Some(Err(tell(ports, id, &failure).await?)));
        }
        ports.notices.notify(Notice::JobProgressed {
            item: id.clone(),
            job: open.id,
            done: open.done,
            total: open.total,
        });
        return Ok(None);
    }
    // Of a read without a trace the feed tells whether it succeeded: nothing fetched is never a success.
    let succeeded = ended_as == Some(EndKind::Completed)
        || goes_on && record.reads.checked_at > before.reads.checked_at && record.last_failure.is_none();
    if succeeded {
        return Ok(Some(query::item(ports, id, EngineView::default()).await));
    }
    let at = ports.clock.now();
    let of_job = end.and_then(|end| end.failure).map(|code| Failure::new(code, at));
    let failure = record
        .severed
        .or(of_job)
        .or(record.last_failure)
        .unwrap_or_else(|| Failure::new(FailureCode::Interrupted, at));
    Ok(Some(Err(tell(ports, id, &failure).await?)))
}
