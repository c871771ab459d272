//! Stopping what runs for an item, whichever process runs it. What arrived is kept.

use super::turn::{LOOK_AGAIN, try_turn};
use crate::domain::failure::{Failure, FailureCode, Recovery};
use crate::domain::freshness::EngineView;
use crate::domain::ids::ItemId;
use crate::domain::job::JobEnd;
use crate::error::CommandError;
use crate::ports::{Notice, Ports};
use crate::query::{self, ItemView, stored_item};

/// Stops the item's job and waits until it has stopped. An import that never completed stays stopped until somebody
/// resumes it.
pub async fn cancel_item(ports: &Ports, id: &ItemId) -> Result<ItemView, CommandError> {
    let record = stored_item(ports, id).await?;
    let Some(job) = record.open_job else {
        return Err(CommandError::not_possible(
            format!(
                "Nothing runs for {} that could be stopped.",
                record.item.display_title()
            ),
            Recovery::Wait,
        ));
    };
    let stopped = || Failure::new(FailureCode::ImportCancelled, ports.clock.now());
    let mut asked = false;
    loop {
        let open = stored_item(ports, id).await?.open_job;
        let Some(open) = open.filter(|open| open.id == job.id) else {
            break;
        };
        // What nobody runs ends with that. It may have come to wait, or been taken up, since we looked.
        if !asked || open.held || open.handed {
            ports.store.ask_cancel(&job.id, &stopped()).await?;
            asked = true;
            continue;
        }
        // Nobody works on what a dead process left.
        if let Some(_turn) = try_turn(ports).await? {
            let failure = stopped();
            let (at, end) = (failure.at, JobEnd::Cancelled(failure));
            ports.store.end_job(&job.id, end, at).await?;
            break;
        }
        ports.clock.sleep(LOOK_AGAIN).await;
    }
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    query::item(ports, id, EngineView::default()).await
}
