//! One walk over an Eventbrite organization in place of one request per event, where that is cheaper. Its lists advance
//! together when it is complete, and not at all when it is not; what it met stays, for it was read.

use super::cost::{self, PAGE_OF_CHANGES};
use super::engine::{Run, Stop};
use super::plan::{Plan, plan_page};
use super::reading::{MOST_REPEATED_WALKS, OVERLAP, changes_suffice, described_lately};
use super::schedule;
use super::walk::Tally;
use crate::domain::attendee::Registration;
use crate::domain::credential::Credential;
use crate::domain::ids::{ExternalId, FeedId, RegistrationId};
use crate::ports::{
    Completion, Cursor, Extent, Neighbour, Notice, OrganizationPage, PageCommit, ProviderError,
    RegistrationPage, Walk,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use tokio::sync::OwnedMutexGuard;
use tracing::debug;

/// Where such a walk came to nothing (it goes through events that nobody shows here, or may not be made), each list is
/// read by itself for so long.
const ALONE_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Lists that one walk reads.
struct Together {
    since: Timestamp,
    /// By the event they are of.
    feeds: HashMap<ExternalId, Shared>,
    /// One walker per feed.
    _walkers: Vec<OwnedMutexGuard<()>>,
}

struct Shared {
    feed: FeedId,
    newest_change: Option<Timestamp>,
}

/// A walk that came to its end.
struct Walked {
    /// The provider's clock at its start.
    as_of: Timestamp,
    /// Whether no change can have slipped through.
    is_still: bool,
}

impl Run<'_> {
    /// Reads what changed in those lists of the organization that are due and that one walk reads more cheaply. The
    /// answer is the completion of `own`, which the caller holds; `None`: that one is still to be read.
    pub(super) async fn read_together(
        &mut self,
        credential: &Credential,
        organization: &ExternalId,
        own: Option<&FeedId>,
    ) -> Result<Option<Completion>, Stop> {
        let Some(mut together) = self.gather(organization, own).await? else {
            return Ok(None);
        };
        let walked = match self
            .walk_until_still(credential, organization, &mut together)
            .await
        {
            Ok(walked) => walked,
            // Its list may be closed to an account that sees the events: then they are asked one by one.
            Err(Stop::Provider(
                ProviderError::PermissionMissing
                | ProviderError::Gone
                | ProviderError::CursorRejected
                | ProviderError::Malformed { .. },
            )) => None,
            Err(stop) => return Err(stop),
        };
        let now = self.ports.clock.now();
        let Some(walked) = walked else {
            debug!(item.id = %self.item.id, "the walk over the organization came to nothing: its events are read alone");
            let feeds: Vec<FeedId> = together.feeds.into_values().map(|shared| shared.feed).collect();
            let until = now.checked_add(ALONE_FOR).unwrap_or(Timestamp::MAX);
            self.ports.store.read_alone(&feeds, until).await?;
            return Ok(None);
        };
        let mut own_completion = None;
        let mut completions = Vec::new();
        for shared in together.feeds.into_values() {
            let completion = Completion {
                extent: Extent::Changes,
                as_of: walked.as_of,
                watermark: shared
                    .newest_change
                    .filter(|_| walked.is_still)
                    .map(|newest| newest.min(walked.as_of)),
                absences: Default::default(),
                at: now,
            };
            if own == Some(&shared.feed) {
                own_completion = Some(completion);
            } else {
                completions.push((shared.feed, completion));
            }
        }
        for item in self.ports.store.complete_feeds(&self.job, completions).await? {
            self.ports.notices.notify(Notice::ItemChanged(item));
        }
        Ok(own_completion)
    }

    /// The lists that one walk reads more cheaply than each by itself, locked.
    async fn gather(
        &self,
        organization: &ExternalId,
        own: Option<&FeedId>,
    ) -> Result<Option<Together>, Stop> {
        let now = self.ports.clock.now();
        let store = &self.ports.store;
        let all = store.neighbours(&self.integration.id, organization, now).await?;
        let due: Vec<(Neighbour, Timestamp)> = all
            .into_iter()
            .filter(|list| own == Some(&list.feed) || schedule::joins_a_walk(list, now))
            .filter(|list| !list.has_item || described_lately(&list.reads, now))
            .filter_map(|list| {
                let watermark = changes_suffice(&list.reads, list.unreadable, now)?;
                let since = watermark.checked_sub(OVERLAP).unwrap_or(watermark);
                Some((list, since))
            })
            .collect();
        let feeds: Vec<FeedId> = due.iter().map(|(list, _)| list.feed.clone()).collect();
        if feeds.len() < 2 {
            return Ok(None);
        }
        let changes = store
            .newest_changes(&feeds, feeds.len() * PAGE_OF_CHANGES)
            .await?;
        let since: Vec<Timestamp> = due.iter().map(|(_, since)| *since).collect();
        let Some(since) = cost::organization_walk(&since, &changes) else {
            return Ok(None);
        };
        let mut together = Together {
            since,
            feeds: HashMap::new(),
            _walkers: Vec::new(),
        };
        for (list, from) in due {
            if from < since {
                continue;
            }
            if own != Some(&list.feed) {
                // Whoever holds it reads it.
                let Some(walker) = self.feeds.try_lock(&list.feed) else {
                    continue;
                };
                together._walkers.push(walker);
            }
            let shared = Shared {
                feed: list.feed,
                newest_change: None,
            };
            together.feeds.insert(list.event, shared);
        }
        Ok((together.feeds.len() >= 2).then_some(together))
    }

    /// Walks again where the changes moved meanwhile, as long as that is worth it. Then the lists are as of the first
    /// walk, and the next check reads all those changes once more.
    async fn walk_until_still(
        &mut self,
        credential: &Credential,
        organization: &ExternalId,
        together: &mut Together,
    ) -> Result<Option<Walked>, Stop> {
        let mut first = None;
        for _ in 0..=MOST_REPEATED_WALKS {
            let walked = match self.walk_organization(credential, organization, together).await? {
                Some(walked) if !walked.is_still => walked,
                ended => return Ok(ended),
            };
            first.get_or_insert(walked);
        }
        Ok(first)
    }

    /// Walks to the end. `None`: it did not come to an end that can be believed, or would cost more than it spares.
    async fn walk_organization(
        &mut self,
        credential: &Credential,
        organization: &ExternalId,
        together: &mut Together,
    ) -> Result<Option<Walked>, Stop> {
        // The bookkeeping of any walk over changes: it does not look at the event.
        let as_walk = Walk::ChangedSince {
            event: organization.clone(),
            since: together.since,
        };
        let mut tally = Tally::starting(None);
        let (mut cursor, mut counted) = (None::<Cursor>, None::<u64>);
        for _ in 0..together.feeds.len() {
            let (api, place, since) = (self.api.clone(), cursor.take(), together.since);
            let page = self
                .call(|| api.organization_page(credential, organization, since, place.as_ref()))
                .await?;
            let (next, total, readable) = (page.next.clone(), page.total, page.set_aside.is_empty());
            self.take_organization_page(&as_walk, page, &mut tally, together)
                .await?;
            // Nobody can tell whose an unreadable record is; and where fewer are counted than before, somebody left the
            // list, and another may have slipped over a page boundary.
            if !readable || total.is_some_and(|total| counted.is_some_and(|before| total < before)) {
                return Ok(None);
            }
            counted = counted.max(total);
            match next {
                None => {
                    return Ok(Some(Walked {
                        as_of: tally.complete_as_of(),
                        is_still: !tally.may_have_skipped_a_change(),
                    }));
                }
                next => cursor = next,
            }
        }
        Ok(None)
    }

    async fn take_organization_page(
        &mut self,
        as_walk: &Walk,
        page: OrganizationPage,
        tally: &mut Tally,
        together: &mut Together,
    ) -> Result<(), Stop> {
        let mut by_event: HashMap<ExternalId, Vec<Registration>> = HashMap::new();
        for (event, row) in &page.rows {
            by_event.entry(event.clone()).or_default().push(row.clone());
        }
        let whole = RegistrationPage {
            rows: page.rows.into_iter().map(|(_, row)| row).collect(),
            set_aside: page.set_aside,
            next: page.next,
            total: None,
            server_time: page.server_time,
        };
        tally.take(as_walk, &whole).map_err(super::engine::malformed)?;
        let mut plans: Vec<(FeedId, Vec<RegistrationId>, Plan)> = Vec::new();
        for (event, rows) in by_event {
            // Events that nobody shows here are passed over.
            let Some(shared) = together.feeds.get_mut(&event) else {
                continue;
            };
            let changed = rows.iter().filter_map(|row| row.updated_at).max();
            shared.newest_change = shared.newest_change.max(changed);
            let ids: Vec<RegistrationId> = rows.iter().map(|row| row.external_id.clone()).collect();
            let stored = self.ports.store.stored(&shared.feed, &ids).await?;
            plans.push((shared.feed.clone(), ids, plan_page(rows, stored)));
        }
        let at = self.ports.clock.now();
        let pages = plans.iter().map(|(feed, ids, plan)| PageCommit {
            job: &self.job,
            feed,
            plan,
            set_aside: &[],
            readable: ids,
            mark: None,
            is_news: false,
            done: self.read_before,
            total: None,
            at,
        });
        self.ports.store.commit_pages(pages.collect()).await?;
        Ok(())
    }
}
