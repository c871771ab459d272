//! How a Path channel is read: the list of its events, then each event that is due, as one job. An event that is gone
//! closes its own feed and nothing else.

use super::engine::{Reach, Run, Stop, Target, judge_with_probe, malformed};
use super::event_list::EventList;
use super::schedule::{ChannelRead, member_counts, member_is_due};
use super::verdict::Verdict;
use crate::domain::credential::Credential;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::FailureCode;
use crate::domain::ids::FeedId;
use crate::domain::job::JobKind;
use crate::ports::{Absences, Completion, Cursor, MemberRecord, Notice, ProviderError};
use jiff::{SignedDuration, Timestamp};
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
        let listed_at = self.read_events(read).await?;
        // What is the matter with one event alone must not cost the others; the channel says it in the end.
        let mut of_one_event = None;
        for member in self.ports.store.members(&self.item.id).await? {
            match self.read_member(&member.feed, read).await {
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
            as_of: oldest.map_or(listed_at, |oldest| oldest.min(listed_at)),
            watermark: None,
            everything: true,
            absences: Absences::default(),
            at: now,
        })
    }

    /// Reads the list of events where that is due, and answers as of when it is known.
    async fn read_events(&mut self, read: ChannelRead) -> Result<Timestamp, Stop> {
        let record = self.ports.store.item(&self.item.id).await?;
        let described = record.and_then(|record| record.reads.described_at);
        let now = self.ports.clock.now();
        let known = described.filter(|at| {
            let age = now.duration_since(*at);
            read == ChannelRead::Check && !age.is_negative() && age < LISTED_EVERY
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let credential = self.load_credential().await?;
        self.credential = Some(credential.clone());
        let (events, as_of) = self.list_events(&credential).await?;
        let name = self.channel_name(&credential).await?;
        self.ports.store.set_members(&self.item.id, &events).await?;
        let described = ProviderEvent {
            external_id: self.item.external_id.clone(),
            title: name,
            starts_at: None,
            ends_at: None,
            timezone: None,
            registrations_hint: None,
        };
        // By the provider's clock, as everything that "as of" is made of.
        self.ports
            .store
            .describe_item(&self.item.id, &described, as_of)
            .await?;
        self.ports
            .notices
            .notify(Notice::ItemChanged(self.item.id.clone()));
        Ok(as_of)
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

    /// Reads one event of the channel, unless it is not due, or another item has read it meanwhile.
    async fn read_member(&mut self, feed: &FeedId, read: ChannelRead) -> Result<(), Stop> {
        let _walker = self.feeds.clone().lock(feed).await;
        // Read again: another item may have read it while we waited.
        let Some(member) = self.ports.store.member(&self.item.id, feed).await? else {
            return Ok(());
        };
        if !member_is_due(&member, read, self.ports.clock.now()) {
            return Ok(());
        }
        let own_reach = self.reach;
        if read != ChannelRead::Pull {
            self.reach = Reach::Changes;
        }
        self.mark = None;
        self.target = target_of(&member);
        let result = self.read().await;
        self.reach = own_reach;
        match result {
            Ok(completion) => {
                self.ports
                    .store
                    .complete_member(&self.job, feed, completion)
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
        is_member: true,
    }
}
