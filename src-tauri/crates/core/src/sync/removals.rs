//! Registrations that the provider no longer lists, in such numbers that a person is asked: shown, then taken out of the
//! list or kept in it.

use super::absence::withdrawn;
use super::plan::plan_page;
use super::turn::{Turn, take_turn};
use crate::domain::attendee::{Attendee, Registration};
use crate::domain::freshness::EngineView;
use crate::domain::ids::{FeedId, ItemId};
use crate::error::CommandError;
use crate::ports::{Notice, Ports, Ruling};
use crate::query::{self, ItemView, stored_item};
use std::collections::HashMap;

/// The registrations of an item that wait for a decision, one row each whatever the item's kind.
pub async fn held_removals(ports: &Ports, id: &ItemId) -> Result<Vec<Attendee>, CommandError> {
    stored_item(ports, id).await?;
    let held = ports.store.held_removals(id).await?;
    Ok(held
        .into_iter()
        .map(|(_, row)| Attendee::of_registration(id, row))
        .collect())
}

/// What a person says of held removals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They no longer attend.
    Accept,
    /// They stay in the list, and are asked about again only when more go missing.
    Reject,
}

/// Carries out a person's decision about every held removal of an item; with none held nothing changes.
pub async fn decide_removals(
    ports: &Ports,
    id: &ItemId,
    decision: Decision,
) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    // A read that runs may be about to find them again.
    let turn = take_turn(ports, None).await?;
    decide_removals_in(ports, &turn, id, decision).await
}

/// [`decide_removals`] for a caller that holds the turn.
pub async fn decide_removals_in(
    ports: &Ports,
    _turn: &Turn,
    id: &ItemId,
    decision: Decision,
) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let mut by_feed: HashMap<FeedId, Vec<Registration>> = HashMap::new();
    for (feed, row) in ports.store.held_removals(id).await? {
        by_feed.entry(feed).or_default().push(row);
    }
    for (feed, held) in by_feed {
        let ruling = match decision {
            Decision::Reject => Ruling::Rejected,
            Decision::Accept => {
                let withdrawals = held.iter().cloned().map(withdrawn).collect();
                Ruling::Accepted(plan_page(withdrawals, held))
            }
        };
        ports
            .store
            .rule_removals(&feed, &ruling, ports.clock.now())
            .await?;
    }
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    query::item(ports, id, EngineView::default()).await
}
