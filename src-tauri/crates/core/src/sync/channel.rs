//! How a Path channel is read: the list of its events, then each event that is due, as one job. An event that is gone
//! closes its own feed and nothing else.

use super::engine::{Reach, Run, Stop, Target, judge_with_probe, malformed};
use super::event_list::EventList;
use super::schedule::{ChannelRead, member_counts, member_is_due, member_span};
use super::verdict::Verdict;
use crate::domain::credential::Credential;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::FailureCode;
use crate::domain::ids::{ExternalId, FeedId};
use crate::domain::job::JobKind;
use crate::domain::provider::Provider;
use crate::ports::{Absences, Completion, Cursor, Extent, MemberRecord, Notice, ProviderError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use tracing::info;

/// New events are looked for this often; a person's job always looks.
const LISTED_EVERY: SignedDuration = SignedDuration::from_mins(15);

impl Run<'_> {
    /// Reads the channel. It is complete as of the oldest among its event list and the events that can still change.
    pub(super) async fn read_channel(&mut self) -> Result<Completion, Stop> {
        let read = match (self.reach, self.kind) {
            (Reach::Changes, _) => ChannelRead::Check,
            (Reach::Everything, JobKind::Sync) => ChannelRead::Pull,
            (Reach::Everything, _) => ChannelRead::CatchUp,
        };
        let (listed_at, listed) = self.read_events(read).await?;
        self.read_members_together(read).await?;
        // What is the matter with one event alone must not cost the others; the channel says it in the end.
        let mut of_one_event = None;
        for member in self.ports.store.members(&self.item.id).await? {
            // What is no longer listed may be gone, which no walk over the organization tells.
            let doubted = listed
                .as_ref()
                .is_some_and(|listed| !listed.contains(&member.event.external_id));
            match self.read_member(&member.feed, read, doubted).await {
                Ok(()) => {}
                Err(Stop::Provider(
                    error @ (ProviderError::Malformed { .. } | ProviderError::PermissionMissing),
                )) => {
                    of_one_event.get_or_insert(error);
                }
                Err(stop) => return Err(stop),
            }
        }
        if let Some(error) = of_one_event {
            return Err(Stop::Provider(error));
        }
        let now = self.ports.clock.now();
        let members = self.ports.store.members(&self.item.id).await?;
        let oldest = members
            .iter()
            .filter(|member| member_counts(member, now))
            .filter_map(|member| member.last_synced_at)
            .min();
        Ok(Completion {
            extent: Extent::Everything { pages: 0, gap: None },
            as_of: oldest.map_or(listed_at, |oldest| oldest.min(listed_at)),
            watermark: None,
            absences: Absences::default(),
            at: now,
        })
    }

    /// Reads the list of events where that is due, and answers as of when it is known, and what it lists if it was read.
    async fn read_events(
        &mut self,
        read: ChannelRead,
    ) -> Result<(Timestamp, Option<HashSet<ExternalId>>), Stop> {
        let record = self.ports.store.item(&self.item.id).await?;
        let described = record.and_then(|record| record.reads.described_at);
        let now = self.ports.clock.now();
        let known = described.filter(|at| {
            let age = now.duration_since(*at);
            read == ChannelRead::Check && !age.is_negative() && age < LISTED_EVERY
        });
        if let Some(known) = known {
            return Ok((known, None));
        }
        let credential = self.load_credential().await?;
        self.credential = Some(credential.clone());
        let (mut events, as_of) = self.list_events(&credential).await?;
        if self.item.provider == Provider::Eventbrite {
            for event in &mut events {
                event.organization = Some(self.item.external_id.clone());
            }
        }
        let name = self.channel_name(&credential).await?;
        let now = self.ports.clock.now();
        for item in self.ports.store.set_members(&self.item.id, &events, now).await? {
            self.ports.notices.notify(Notice::ItemChanged(item));
        }
        let described = ProviderEvent {
            external_id: self.item.external_id.clone(),
            title: name,
            starts_at: None,
            ends_at: None,
            timezone: None,
            organization: None,
            headcount: None,
        };
        // By the provider's clock, as everything that "as of" is made of.
        self.ports
            .store
            .describe_item(&self.item.id, &described, as_of)
            .await?;
        self.ports
            .notices
            .notify(Notice::ItemChanged(self.item.id.clone()));
        let listed = events.into_iter().map(|event| event.external_id).collect();
        Ok((as_of, Some(listed)))
    }

    async fn list_events(
        &mut self,
        credential: &Credential,
    ) -> Result<(Vec<ProviderEvent>, Timestamp), Stop> {
        let mut list = EventList::default();
        let mut cursor: Option<Cursor> = None;
        let mut as_of = None;
        loop {
            let (api, place, channel) = (self.api.clone(), cursor.clone(), &self.item.external_id);
            match self
                .call(|| api.event_page(credential, Some(channel), place.as_ref()))
                .await
            {
                Ok(page) => {
                    as_of.get_or_insert(page.server_time);
                    cursor = list.take(page).map_err(malformed)?;
                    if cursor.is_none() {
                        break;
                    }
                }
                Err(Stop::Provider(ProviderError::CursorRejected)) if list.restart() => {
                    (cursor, as_of) = (None, None);
                }
                Err(stop) => return Err(stop),
            }
        }
        let as_of = as_of.unwrap_or_else(|| self.ports.clock.now());
        Ok((list.into_events(), as_of))
    }

    /// What the account calls the channel. One that it does not have is not there.
    async fn channel_name(&mut self, credential: &Credential) -> Result<String, Stop> {
        let (api, account) = (self.api.clone(), &self.integration.account);
        let channels = self.call(|| api.channels(credential, account)).await?;
        channels
            .into_iter()
            .find(|channel| channel.external_id == self.item.external_id)
            .map(|channel| channel.name)
            .ok_or(Stop::Provider(ProviderError::Gone))
    }

    /// Reads what changed in as many events as one walk over the organization reads more cheaply than they themselves.
    async fn read_members_together(&mut self, read: ChannelRead) -> Result<(), Stop> {
        if self.item.provider != Provider::Eventbrite || read == ChannelRead::Pull {
            return Ok(());
        }
        let credential = self.load_credential().await?;
        self.credential = Some(credential.clone());
        let organization = self.item.external_id.clone();
        match self.read_together(&credential, &organization, None).await {
            // It may have been replaced meanwhile: the reads of the events find that out.
            Ok(_) | Err(Stop::Provider(ProviderError::CredentialsRejected)) => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    /// Reads one event of the channel, unless it is not due, or another item has read it meanwhile.
    async fn read_member(&mut self, feed: &FeedId, read: ChannelRead, doubted: bool) -> Result<(), Stop> {
        let _walker = self.feeds.clone().lock(feed).await;
        // Read again: another item may have read it while we waited.
        let Some(member) = self.ports.store.member(&self.item.id, feed).await? else {
            return Ok(());
        };
        let due = member_is_due(&member, read, self.ports.clock.now());
        if !due && (!doubted || member.closed_at.is_some()) {
            return Ok(());
        }
        let own_reach = self.reach;
        // A person is not put off with a look for news.
        self.reach = match (read, self.item.provider) {
            (ChannelRead::Pull, _) | (ChannelRead::CatchUp, Provider::Luma) => Reach::Everything,
            (ChannelRead::CatchUp, Provider::Eventbrite) | (ChannelRead::Check, _) => Reach::Changes,
        };
        self.mark = None;
        self.target = target_of(&member);
        let result = self.read().await;
        self.reach = own_reach;
        match result {
            Ok(completion) => {
                self.ports
                    .store
                    .complete_feeds(&self.job, vec![(feed.clone(), completion)])
                    .await?;
                self.read_before = self.done_so_far().await?;
                Ok(())
            }
            Err(Stop::Provider(error)) if self.is_gone(&error).await => {
                info!(item.id = %self.item.id, "an event of the channel is gone: its list is kept and read no more");
                let at = self.ports.clock.now();
                self.ports.store.close_member(&self.item.id, feed, at).await?;
                Ok(())
            }
            Err(stop) => Err(stop),
        }
    }

    async fn is_gone(&self, error: &ProviderError) -> bool {
        if !matches!(error, ProviderError::Gone | ProviderError::PermissionMissing) {
            return false;
        }
        let judged = {
            let held = self.credential.as_ref();
            judge_with_probe(self.ports, self.integration, held, error, self.patience).await
        };
        judged.verdict == Verdict::Fail(FailureCode::RemoteGone)
    }

    /// How much of the channel this job has read, for its progress.
    async fn done_so_far(&self) -> Result<u64, Stop> {
        let record = self.ports.store.item(&self.item.id).await?;
        let open = record.and_then(|record| record.open_job);
        Ok(open.map_or(self.read_before, |job| job.done))
    }
}

fn target_of(member: &MemberRecord) -> Target {
    Target {
        feed: member.feed.clone(),
        event: member.event.external_id.clone(),
        unreadable: member.unreadable,
        reads: member.reads,
        last_synced_at: member.last_synced_at,
        span: member_span(member),
        organization: None,
        is_member: true,
    }
}
