//! Registrations that the provider no longer lists, in such numbers that a person is asked: shown, then taken out of the
//! list or kept in it.

use super::absence::withdrawn;
use super::plan::plan_page;
use super::turn::{Turn, take_turn};
use crate::domain::attendee::{Attendee, Registration};
use crate::domain::failure::Recovery;
use crate::domain::freshness::EngineView;
use crate::domain::ids::{FeedId, ItemId};
use crate::domain::words;
use crate::error::CommandError;
use crate::ports::{Notice, Ports, Ruling};
use crate::query::{self, ItemView, stored_item};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Registrations that wait for a decision, as they are shown to whoever decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRemovals {
    /// One row each, whatever the item's kind.
    pub rows: Vec<Attendee>,
    pub shown: Shown,
}

/// What somebody saw before they decided: at least how many, and who where they were shown one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub count: u64,
    /// Stands for exactly this set of registrations.
    pub mark: Option<String>,
}

/// The registrations of an item that wait for a decision.
pub async fn held_removals(ports: &Ports, id: &ItemId) -> Result<HeldRemovals, CommandError> {
    stored_item(ports, id).await?;
    let held = ports.store.held_removals(id).await?;
    let shown = Shown::of(&held);
    let rows = held
        .into_iter()
        .map(|(_, row)| Attendee::of_registration(id, row))
        .collect();
    Ok(HeldRemovals { rows, shown })
}

impl Shown {
    fn of(held: &[(FeedId, Registration)]) -> Self {
        let mut set: Vec<(&str, &str)> = held
            .iter()
            .map(|(feed, row)| (feed.as_str(), row.external_id.as_str()))
            .collect();
        set.sort_unstable();
        let mut hasher = DefaultHasher::new();
        set.hash(&mut hasher);
        Self {
            count: held.len() as u64,
            mark: Some(format!("{:016x}", hasher.finish())),
        }
    }

    /// Refuses a decision about others than those who were shown.
    fn require(&self, held: &[(FeedId, Registration)]) -> Result<(), CommandError> {
        let now = Self::of(held);
        let changed = match now.count.checked_sub(self.count) {
            Some(0) if self.mark.is_none() || self.mark == now.mark => return Ok(()),
            Some(0) => "Others are missing now.".to_owned(),
            Some(1) => "1 more is missing now.".to_owned(),
            Some(more) => format!("{} more are missing now.", words::number(more)),
            None => "Fewer are missing now.".to_owned(),
        };
        Err(CommandError::not_possible(
            format!("{changed} Look again."),
            Recovery::CorrectInput,
        ))
    }
}

/// What a person says of held removals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They no longer attend.
    Accept,
    /// They stay in the list, and are asked about again only when more go missing.
    Reject,
}

/// Carries out a person's decision about every held removal of an item, if those are the ones who were shown; with none
/// held nothing changes.
pub async fn decide_removals(
    ports: &Ports,
    id: &ItemId,
    decision: Decision,
    shown: &Shown,
) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    // A read that runs may be about to find them again.
    let turn = take_turn(ports, None).await?;
    decide_removals_in(ports, &turn, id, decision, shown).await
}

/// [`decide_removals`] for a caller that holds the turn.
pub async fn decide_removals_in(
    ports: &Ports,
    _turn: &Turn,
    id: &ItemId,
    decision: Decision,
    shown: &Shown,
) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let held = ports.store.held_removals(id).await?;
    shown.require(&held)?;
    let mut by_feed: HashMap<FeedId, Vec<Registration>> = HashMap::new();
    for (feed, row) in held {
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
