//! Between two complete walks of a long Luma list: a look for what is new. It finds registrations and check-ins, and that
//! something else changed; it never makes a list complete.

use super::cost::{LumaList, LumaWay, luma_way};
use super::engine::{Reach, Run, Stop};
use super::walk::Tally;
use crate::domain::credential::Credential;
use crate::domain::event::{Gap, Headcount};
use crate::domain::freshness::Span;
use crate::domain::provider::Provider;
use crate::ports::{Completion, Extent, NewestBy, Walk};
use tracing::debug;

/// Where so many pages in a row bring news, a complete walk is the better way.
const MOST_PAGES_OF_NEWS: u32 = 3;
const A_CHANNEL: Span = Span {
    starts_at: None,
    ends_at: None,
    standing: true,
};

impl Run<'_> {
    /// Whether a look for news is enough for now.
    pub(super) async fn news_suffice(&self) -> Result<bool, Stop> {
        if self.item.provider != Provider::Luma || self.reach != Reach::Changes {
            return Ok(false);
        }
        let reads = &self.target.reads;
        let spans = [self.target.span, A_CHANNEL];
        let list = LumaList {
            spans: if self.target.is_member {
                &spans
            } else {
                &spans[..1]
            },
            pages: reads.walk_pages,
            complete_as_of: self.target.last_synced_at,
            checked_at: reads.checked_at,
            watched_since: self.watched_since,
            in_doubt: self.in_doubt || self.target.unreadable > 0 || reads.misses_some,
            pages_of_account: self.ports.store.walk_pages(&self.integration.id).await?,
        };
        Ok(luma_way(&list, self.ports.clock.now()) == LumaWay::News)
    }

    /// Looks for news. `None`: what was met does not explain what is counted, so that everything has to be read.
    pub(super) async fn look_for_news(
        &mut self,
        credential: &Credential,
    ) -> Result<Option<Completion>, Stop> {
        let told = self.read_event(credential).await?.headcount;
        let differing = match &told {
            None => None,
            Some(told) => match self.unexplained(told).await? {
                None => return Ok(Some(self.news())),
                gap => gap,
            },
        };
        // Where nothing is counted, anything may have happened.
        let registered = differing.as_ref().is_none_or(|gap| !gap.by_status.is_empty());
        let came = differing.as_ref().is_none_or(|gap| gap.checked_in != 0);
        let kinds = [(registered, NewestBy::Registration), (came, NewestBy::CheckIn)];
        for (_, by) in kinds.into_iter().filter(|(wanted, _)| *wanted) {
            if !self.read_newest(credential, by).await? {
                return Ok(None);
            }
        }
        if let Some(told) = told
            && self.unexplained(&told).await?.is_some()
        {
            // Somebody may have come between the count and the list.
            let told = self.read_event(credential).await?.headcount;
            let explained = match told {
                Some(told) => self.unexplained(&told).await?.is_none(),
                None => false,
            };
            if !explained {
                debug!(item.id = %self.item.id, "what is counted differs from what was met: everything is read");
                return Ok(None);
            }
        }
        Ok(Some(self.news()))
    }

    /// By how much the provider counts otherwise than what is stored, unless it did so after the last complete walk too.
    async fn unexplained(&self, told: &Headcount) -> Result<Option<Gap>, Stop> {
        let stock = self.ports.store.take_stock(&self.target.feed).await?;
        let gap = told.gap(&stock.stored);
        Ok((!gap.is_none() && gap != stock.tolerated).then_some(gap))
    }

    /// What the provider counts otherwise even after a read of everything.
    pub(super) async fn remaining_gap(&self, told: Option<&Headcount>) -> Result<Option<Gap>, Stop> {
        let Some(told) = told else { return Ok(None) };
        let stock = self.ports.store.take_stock(&self.target.feed).await?;
        Ok(Some(told.gap(&stock.stored)).filter(|gap| !gap.is_none()))
    }

    /// Reads the newest, page by page, as long as a page ends in news. `false` where that does not end soon.
    async fn read_newest(&mut self, credential: &Credential, by: NewestBy) -> Result<bool, Stop> {
        let walk = Walk::Newest {
            event: self.target.event.clone(),
            by,
        };
        let mut tally = Tally::starting(None);
        let mut cursor = None;
        for _ in 0..MOST_PAGES_OF_NEWS {
            let (api, place) = (self.api.clone(), cursor.take());
            let page = self
                .call(|| api.registration_page(credential, &walk, place.as_ref()))
                .await?;
            cursor = page.next.clone();
            let last = page.rows.last().map(|row| row.external_id.clone());
            let plan = self.take_page(&walk, page, place, &mut tally, false).await?;
            // In this order, what comes after somebody known is older still.
            let ends_in_news = last.is_some_and(|last| plan.changes.iter().any(|change| change.of(&last)));
            if cursor.is_none() || !ends_in_news {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn news(&self) -> Completion {
        let at = self.ports.clock.now();
        Completion {
            extent: Extent::News,
            as_of: self.target.last_synced_at.unwrap_or(at),
            watermark: None,
            absences: Default::default(),
            at,
        }
    }
}
