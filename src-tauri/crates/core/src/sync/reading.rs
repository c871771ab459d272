//! How a job reads its feed: everything page by page, going on where an earlier walk stopped, or only what changed.

use super::absence::{judge, withdrawn};
use super::cost;
use super::engine::{Reach, Run, Stop, malformed};
use super::plan::{Plan, plan_page};
use super::walk::Tally;
use crate::domain::attendee::SetAside;
use crate::domain::credential::Credential;
use crate::domain::event::{Headcount, ProviderEvent};
use crate::domain::job::JobKind;
use crate::domain::provider::Provider;
use crate::ports::{
    Absences, Completion, Cursor, Extent, FeedReads, Notice, OpenWalk, PageCommit, ProviderError,
    RegistrationPage, Walk,
};
use jiff::{SignedDuration, Timestamp};
use tracing::debug;

/// Eventbrite's reads lag by up to five minutes (its reference, "eventual consistency"): re-read twice that.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// A list that moved while it was read is read again, this often at most.
pub(super) const MOST_REPEATED_WALKS: u32 = 2;
/// What changed is asked for between two reads of everything, which find what no change tells of.
const EVERYTHING_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// While removals wait for a person they may turn out to have been a fault of the provider's.
const EVERYTHING_EVERY_WHILE_HELD: SignedDuration = SignedDuration::from_mins(10);
/// The event's own title and times change rarely.
const DESCRIBED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Pages of a walk that stopped longer ago than this say nothing of now where no closing pass mends them.
const PAGES_SPEAK_OF_NOW: SignedDuration = SignedDuration::from_mins(10);

/// Where a walk begins: with what was read before, at a page.
struct Start {
    tally: Tally,
    cursor: Option<Cursor>,
}

impl Start {
    fn fresh(tally: Tally) -> Self {
        Self { tally, cursor: None }
    }
}

impl Run<'_> {
    /// The whole read, with the credential of the moment.
    pub(super) async fn read(&mut self) -> Result<Completion, Stop> {
        let mut credential = self.load_credential().await?;
        loop {
            self.credential = Some(credential.clone());
            match self.read_with(&credential).await {
                Err(Stop::Provider(ProviderError::CredentialsRejected)) => {
                    // The credential may have been replaced while we read: the newer one gets its own chance.
                    let newer = self.load_credential().await?;
                    let refused = self.credential.as_ref().unwrap_or(&credential);
                    if newer.generation <= refused.generation {
                        return Err(Stop::Provider(ProviderError::CredentialsRejected));
                    }
                    credential = newer;
                }
                other => return other,
            }
        }
    }

    async fn read_with(&mut self, credential: &Credential) -> Result<Completion, Stop> {
        let open = self.ports.store.open_walk(&self.target.feed).await?;
        if open.is_none() {
            if let Some(watermark) = self.changes_suffice() {
                return self.read_changes(credential, watermark).await;
            }
            if self.news_suffice().await?
                && let Some(news) = self.look_for_news(credential).await?
            {
                return Ok(news);
            }
        }
        // What a channel needs to know of its events their list tells; only long ones are counted between their walks.
        let counted = self.item.provider == Provider::Luma && !cost::is_short(self.target.reads.walk_pages);
        let told = match self.event_is_known() && !counted {
            true => None,
            false => self.read_event(credential).await?.headcount,
        };
        let hint = told.as_ref().map(Headcount::total);
        let tally = match self.item.provider {
            Provider::Luma => self.read_all_of_luma(credential, hint, open).await?,
            Provider::Eventbrite => self.read_all_of_eventbrite(credential, hint, open).await?,
        };
        let absences = self.settle_absences(credential, &tally).await?;
        let everything = Extent::Everything {
            pages: tally.pages(),
            gap: self.remaining_gap(told.as_ref()).await?,
        };
        Ok(self.completion(&tally, everything, absences))
    }

    fn completion(&self, tally: &Tally, extent: Extent, absences: Absences) -> Completion {
        Completion {
            extent,
            as_of: tally.complete_as_of(),
            watermark: tally.watermark(),
            absences,
            at: self.ports.clock.now(),
        }
    }

    /// Judges what the walk did not list. What would be taken to be gone is asked for once more, one by one, where the
    /// provider can be asked that: offsets can skip a row.
    async fn settle_absences(&mut self, credential: &Credential, tally: &Tally) -> Result<Absences, Stop> {
        let feed = self.target.feed.clone();
        let unlisted = self.ports.store.unlisted(&feed).await?;
        let judged = judge(&unlisted, tally.as_of());
        let mut gone = Vec::new();
        for id in judged.gone {
            let (api, event) = (self.api.clone(), self.target.event.clone());
            match self.call(|| api.registration(credential, &event, &id)).await {
                Ok(None) | Err(Stop::Provider(ProviderError::Gone)) => gone.push(id),
                // It is there: listed by hand.
                Ok(Some(page)) => {
                    self.commit(page.rows, &page.set_aside, tally, false).await?;
                }
                Err(stop) => return Err(stop),
            }
        }
        let stored = self.ports.store.stored(&feed, &gone).await?;
        let withdrawals = stored.iter().cloned().map(withdrawn).collect();
        Ok(Absences {
            candidates: judged.candidates,
            held: judged.held,
            gone: plan_page(withdrawals, stored),
            walked_at: tally.as_of(),
        })
    }

    /// From where on changes have to be read, if nobody asked for everything and they are enough.
    fn changes_suffice(&self) -> Option<Timestamp> {
        let target = &self.target;
        (self.reach == Reach::Changes)
            .then(|| changes_suffice(&target.reads, target.unreadable, self.ports.clock.now()))
            .flatten()
    }

    /// Whether the event need not be asked for itself: its channel's list tells of it, or nobody asks for everything and it
    /// was described not long ago, by itself or in the list of a channel.
    fn event_is_known(&self) -> bool {
        let lately = || described_lately(&self.target.reads, self.ports.clock.now());
        self.target.is_member || self.reach == Reach::Changes && !self.in_doubt && lately()
    }

    fn is_recent(&self, then: Timestamp, longest: SignedDuration) -> bool {
        is_recent(then, longest, self.ports.clock.now())
    }

    /// What changed since the watermark; the event itself only now and then.
    async fn read_changes(
        &mut self,
        credential: &Credential,
        watermark: Timestamp,
    ) -> Result<Completion, Stop> {
        if !self.event_is_known() {
            self.read_event(credential).await?;
        }
        if let Some(organization) = self.target.organization.clone() {
            let feed = self.target.feed.clone();
            if let Some(read) = self.read_together(credential, &organization, Some(&feed)).await? {
                return Ok(read);
            }
        }
        let changes = self.changes_since(watermark);
        let mut repeats_left = MOST_REPEATED_WALKS;
        let mut first = None;
        loop {
            let start = Start::fresh(Tally::starting(None));
            let tally = self.walk(credential, &changes, start, None).await?;
            let mut completion = self.completion(&tally, Extent::Changes, Absences::default());
            if !tally.may_have_skipped_a_change() {
                return Ok(completion);
            }
            let first = *first.get_or_insert(completion.as_of);
            if repeats_left == 0 {
                // What the first walk missed, the others met. What they missed, the next check does: it reads all of them
                // once more.
                completion.as_of = first;
                completion.watermark = None;
                return Ok(completion);
            }
            debug!(item.id = %self.item.id, "the changes moved while they were read: reading them again");
            repeats_left -= 1;
        }
    }

    fn changes_since(&self, time: Timestamp) -> Walk {
        Walk::ChangedSince {
            event: self.target.event.clone(),
            since: time.checked_sub(OVERLAP).unwrap_or(time),
        }
    }

    /// Luma's keyset cursor over an unchanging value skips nobody: one walk is the list, as of its beginning.
    async fn read_all_of_luma(
        &mut self,
        credential: &Credential,
        hint: Option<u64>,
        open: Option<OpenWalk>,
    ) -> Result<Tally, Stop> {
        let full = self.full_walk();
        let mut open = open.filter(goes_on);
        loop {
            // A pull is asked for the list of now.
            let resumed = open.take().filter(|open| {
                self.kind != JobKind::Sync || self.is_recent(open.mark.as_of, PAGES_SPEAK_OF_NOW)
            });
            let goes_on = resumed.is_some();
            let tally = match resumed {
                // Its last page was stored, and only its end was not.
                Some(open) if open.mark.next.is_none() => Tally::resumed(hint, &open),
                Some(open) => {
                    let start = Start {
                        tally: Tally::resumed(hint, &open),
                        cursor: open.mark.next,
                    };
                    self.walk(credential, &full, start, hint).await?
                }
                None => {
                    let start = self.begin_walk(hint).await?;
                    self.walk(credential, &full, start, hint).await?
                }
            };
            if !goes_on || self.is_recent(tally.as_of(), PAGES_SPEAK_OF_NOW) {
                return Ok(tally);
            }
            debug!(item.id = %self.item.id, "the walk was begun long ago: its first pages are read again");
        }
    }

    /// Eventbrite cuts pages by offset: a change during the walk can push a row over a page boundary. What changed
    /// since shortly before the walk is read once more; a row that was skipped because another left the list did not
    /// change, and shows only in the counts.
    async fn read_all_of_eventbrite(
        &mut self,
        credential: &Credential,
        hint: Option<u64>,
        open: Option<OpenWalk>,
    ) -> Result<Tally, Stop> {
        let full = self.full_walk();
        let mut open = open.filter(goes_on);
        let mut before: Option<Tally> = None;
        for _ in 0..=MOST_REPEATED_WALKS {
            let tally = match open.take() {
                // Only the closing pass was left.
                Some(open) if open.mark.next.is_none() => {
                    self.mark = Some(open.mark.clone());
                    Tally::resumed(hint, &open)
                }
                Some(open) => {
                    // The page that came last is read again: offsets may have moved since.
                    let start = Start {
                        tally: Tally::resumed(hint, &open),
                        cursor: open.mark.place,
                    };
                    self.walk(credential, &full, start, hint).await?
                }
                None => {
                    let start = self.begin_walk(hint).await?;
                    self.walk(credential, &full, start, hint).await?
                }
            };
            let closing = self.changes_since(tally.as_of());
            let start = Start::fresh(tally.closing());
            let tally = self.walk(credential, &closing, start, hint).await?;
            if !tally.may_have_skipped() || before.as_ref().is_some_and(|before| before.says_the_same(&tally))
            {
                return Ok(tally);
            }
            debug!(item.id = %self.item.id, "the list moved while it was read: reading it again");
            before = Some(tally);
        }
        // The counts are approximate by the provider's own word: they are believed only so often.
        before.ok_or_else(|| malformed("no walk was made"))
    }

    /// What there is to read, where that is known: of a channel nobody says.
    fn total(&self, of_event: Option<u64>) -> Option<u64> {
        of_event.filter(|_| !self.target.is_member)
    }

    fn full_walk(&self) -> Walk {
        Walk::Full {
            event: self.target.event.clone(),
        }
    }

    /// Asks for the event itself, and keeps what it says of the item.
    pub(super) async fn read_event(&mut self, credential: &Credential) -> Result<ProviderEvent, Stop> {
        let (api, external_id) = (self.api.clone(), self.target.event.clone());
        let event = self.call(|| api.event(credential, &external_id)).await?;
        if self.target.is_member {
            return Ok(event);
        }
        let at = self.ports.clock.now();
        self.ports.store.describe_item(&self.item.id, &event, at).await?;
        self.ports
            .notices
            .notify(Notice::ItemChanged(self.item.id.clone()));
        Ok(event)
    }

    async fn begin_walk(&mut self, hint: Option<u64>) -> Result<Start, Stop> {
        self.mark = None;
        self.ports
            .store
            .begin_walk(&self.job, &self.target.feed, self.read_before, self.total(hint))
            .await?;
        Ok(Start::fresh(Tally::starting(hint)))
    }

    /// Walks to the end, page by page: fetch, plan, commit, notify. A continuation that is refused begins the walk
    /// again, unless that brings no progress.
    async fn walk(
        &mut self,
        credential: &Credential,
        walk: &Walk,
        start: Start,
        hint: Option<u64>,
    ) -> Result<Tally, Stop> {
        let is_full = matches!(walk, Walk::Full { .. });
        // A closing pass that begins again keeps what the full walk saw.
        let again = (!is_full).then(|| start.tally.clone());
        let (mut tally, mut cursor) = (start.tally, start.cursor);
        let (mut pages, mut furthest) = (0u64, 0u64);
        let mut restarts_without_progress = 0;
        let mut credential = credential.clone();
        loop {
            self.keep_fresh(&mut credential).await?;
            let (api, place) = (self.api.clone(), cursor.clone());
            let page = match self
                .call(|| api.registration_page(&credential, walk, place.as_ref()))
                .await
            {
                Ok(page) => page,
                Err(Stop::Provider(ProviderError::CursorRejected)) => {
                    if pages <= furthest {
                        restarts_without_progress += 1;
                    }
                    if restarts_without_progress >= 2 {
                        return Err(malformed("the continuation is refused again and again"));
                    }
                    furthest = furthest.max(pages);
                    pages = 0;
                    cursor = None;
                    tally = match &again {
                        Some(tally) => tally.clone(),
                        None => self.begin_walk(hint).await?.tally,
                    };
                    continue;
                }
                Err(stop) => return Err(stop),
            };
            pages += 1;
            self.page_arrived();
            cursor = page.next.clone();
            self.take_page(walk, page, place, &mut tally, is_full).await?;
            if cursor.is_none() {
                return Ok(tally);
            }
        }
    }

    pub(super) async fn take_page(
        &mut self,
        walk: &Walk,
        mut page: RegistrationPage,
        place: Option<Cursor>,
        tally: &mut Tally,
        is_full: bool,
    ) -> Result<Plan, Stop> {
        tally.number_alike(&mut page);
        tally.take(walk, &page).map_err(malformed)?;
        if is_full {
            self.mark = Some(tally.mark(place, page.next));
        }
        let is_news = matches!(walk, Walk::Newest { .. });
        self.commit(page.rows, &page.set_aside, tally, is_news).await
    }

    async fn commit(
        &mut self,
        rows: Vec<crate::domain::attendee::Registration>,
        set_aside: &[SetAside],
        tally: &Tally,
        is_news: bool,
    ) -> Result<Plan, Stop> {
        let ids: Vec<_> = rows.iter().map(|row| row.external_id.clone()).collect();
        let stored = self.ports.store.stored(&self.target.feed, &ids).await?;
        let plan = plan_page(rows, stored);
        let (done, total) = (self.read_before + tally.done(), self.total(tally.total()));
        self.ports
            .store
            .commit_page(PageCommit {
                job: &self.job,
                feed: &self.target.feed,
                plan: &plan,
                set_aside,
                readable: &ids,
                mark: self.mark.as_ref(),
                is_news,
                done,
                total,
                at: self.ports.clock.now(),
            })
            .await?;
        self.ports.notices.notify(Notice::JobProgressed {
            item: self.item.id.clone(),
            job: self.job.clone(),
            done,
            total,
        });
        Ok(plan)
    }
}

/// From where on changes have to be read, if that is enough: the list was read completely not long ago, at a provider
/// that tells times of change, and no record waits to become readable or to be missed again, which no change tells of.
pub(super) fn changes_suffice(reads: &FeedReads, unreadable: u64, now: Timestamp) -> Option<Timestamp> {
    let reconciled = reads.reconciled_at?;
    let nothing_waits = unreadable == 0 && !reads.misses_some;
    let longest = if reads.holds_some {
        EVERYTHING_EVERY_WHILE_HELD
    } else {
        EVERYTHING_EVERY
    };
    (nothing_waits && is_recent(reconciled, longest, now))
        .then_some(reads.watermark)
        .flatten()
}

/// Whether the event itself was asked for, or listed, not long ago.
pub(super) fn described_lately(reads: &FeedReads, now: Timestamp) -> bool {
    reads
        .described_at
        .is_some_and(|at| is_recent(at, DESCRIBED_EVERY, now))
}

fn is_recent(then: Timestamp, longest: SignedDuration, now: Timestamp) -> bool {
    // A time in the future means that a clock was wrong: it proves nothing.
    let age = now.duration_since(then);
    !age.is_negative() && age <= longest
}

/// Records without an id are numbered as the walk meets them: a page read again would count them twice.
fn goes_on(open: &OpenWalk) -> bool {
    !open
        .listed
        .iter()
        .any(|record| record.starts_with(SetAside::NAMELESS))
}
