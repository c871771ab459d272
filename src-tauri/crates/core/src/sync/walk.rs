//! What a walk has seen so far, and what that says of the list: pure bookkeeping, page by page.

use crate::domain::ids::RegistrationId;
use crate::ports::{Cursor, OpenWalk, RegistrationPage, Walk, WalkMark};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// More unreadable records than this AND than one in a hundred mean that the provider changed, not the records.
const SET_ASIDE_TOLERATED: u64 = 5;
/// How long a list is taken to be, while it goes on and nobody says.
const UNKNOWN_LENGTH: u64 = 1_000;
/// Pages in a row without a record that was not met before: a list that never ends.
const BARREN_PAGES_TOLERATED: u32 = 20;

/// The bookkeeping of one walk and its closing pass.
#[derive(Debug, Clone)]
pub struct Tally {
    as_of: Option<Timestamp>,
    /// Records of the walk, readable or not, repeated ones included.
    read: u64,
    /// Pages of the full walk, since it began or was taken up again.
    pages: u64,
    /// The distinct records of the full walk, by a hash: enough to compare with a count.
    distinct: HashSet<u64>,
    /// The distinct records of the closing pass.
    closing: HashSet<u64>,
    /// Those of either that were registered after the start of the full walk.
    arrived: HashSet<u64>,
    /// The records set aside, each once however often it is met.
    set_aside: HashSet<String>,
    hint: Option<u64>,
    first_count: Option<u64>,
    last_count: Option<u64>,
    /// Whether the closing pass, or a walk over changes alone, brought a change from after the start, or fewer were
    /// counted on a later page.
    moved: bool,
    /// How many changes there were, as the last page of them said.
    changes: Option<u64>,
    /// Whether it brought a record without an id: one that changed in mid-walk counts as two, and hides a skipped one.
    nameless: bool,
    cursors: HashSet<String>,
    /// How often each fingerprint of a record without id was met in this walk.
    alike: HashMap<String, u32>,
    barren_pages: u32,
    /// The provider's clock at the start of the closing pass.
    closing_as_of: Option<Timestamp>,
    /// The latest time of change that was told.
    newest_change: Option<Timestamp>,
}

impl Tally {
    /// `hint` is what the event's own record says about the number of registrations.
    pub fn starting(hint: Option<u64>) -> Self {
        Self {
            as_of: None,
            read: 0,
            pages: 0,
            distinct: HashSet::new(),
            closing: HashSet::new(),
            arrived: HashSet::new(),
            set_aside: HashSet::new(),
            hint,
            first_count: None,
            last_count: None,
            moved: false,
            changes: None,
            nameless: false,
            cursors: HashSet::new(),
            alike: HashMap::new(),
            barren_pages: 0,
            closing_as_of: None,
            newest_change: None,
        }
    }

    /// Goes on where an earlier walk of the same list stopped.
    pub fn resumed(hint: Option<u64>, walk: &OpenWalk) -> Self {
        let hashes = |ids: &mut dyn Iterator<Item = &str>| ids.map(hashed).collect::<HashSet<u64>>();
        Self {
            as_of: Some(walk.mark.as_of),
            read: walk.listed.len() as u64,
            distinct: hashes(&mut walk.listed.iter().map(String::as_str)),
            arrived: hashes(&mut walk.arrived.iter().map(RegistrationId::as_str)),
            first_count: walk.mark.first_count,
            last_count: walk.mark.last_count,
            newest_change: walk.newest_change,
            ..Self::starting(hint)
        }
    }

    /// Where the walk stands with the page that `place` fetched.
    pub fn mark(&self, place: Option<Cursor>, next: Option<Cursor>) -> WalkMark {
        WalkMark {
            as_of: self.as_of(),
            place,
            next,
            first_count: self.first_count,
            last_count: self.last_count,
        }
    }

    /// The same bookkeeping, ready for the closing pass: its cursors are its own.
    pub fn closing(self) -> Self {
        Self {
            cursors: HashSet::new(),
            alike: HashMap::new(),
            barren_pages: 0,
            closing_as_of: None,
            changes: None,
            ..self
        }
    }

    /// The provider's clock at the start of the full walk.
    pub fn as_of(&self) -> Timestamp {
        self.as_of.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The provider's clock at the start of the pass that read the changes last: the list is complete from then on.
    pub fn complete_as_of(&self) -> Timestamp {
        self.closing_as_of.unwrap_or_else(|| self.as_of())
    }

    /// Changes up to here have been read, in the provider's times of change; never ahead of the provider's clock.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.newest_change.map(|newest| newest.min(self.complete_as_of()))
    }

    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Records read so far, for progress: never more than there are.
    pub fn done(&self) -> u64 {
        self.distinct.len() as u64
    }

    /// What there is, where anybody said; at least what was read.
    pub fn total(&self) -> Option<u64> {
        self.last_count.or(self.hint).map(|total| total.max(self.done()))
    }

    /// Numbers the records without id that look alike, in the order of the walk: each counts, and the same one keeps
    /// its number in the next walk.
    pub fn number_alike(&mut self, page: &mut RegistrationPage) {
        for record in page
            .set_aside
            .iter_mut()
            .filter(|record| record.external_id.is_none())
        {
            let met = self.alike.entry(record.fingerprint.clone()).or_insert(0);
            *met += 1;
            if *met > 1 {
                record.fingerprint = format!("{}-{met}", record.fingerprint);
            }
        }
    }

    /// Takes a page in. `Err` says why the list is of no known form; the page is then not to be applied.
    pub fn take(&mut self, walk: &Walk, page: &RegistrationPage) -> Result<(), &'static str> {
        if let Some(next) = &page.next
            && !self.cursors.insert(next.0.clone())
        {
            return Err("the list repeats itself without end");
        }
        let as_of = *self.as_of.get_or_insert(page.server_time);
        if let Walk::ChangedSince { .. } = walk {
            self.closing_as_of.get_or_insert(page.server_time);
        }
        self.newest_change = self
            .newest_change
            .max(page.rows.iter().filter_map(|row| row.updated_at).max());
        self.read += (page.rows.len() + page.set_aside.len()) as u64;
        self.set_aside
            .extend(page.set_aside.iter().map(|record| record.key().to_owned()));
        let ids = page.rows.iter().map(|row| row.external_id.as_str());
        let aside = page.set_aside.iter().map(|record| record.key());
        let met = match walk {
            Walk::Full { .. } => &mut self.distinct,
            Walk::ChangedSince { .. } | Walk::Newest { .. } => &mut self.closing,
        };
        let before = met.len();
        met.extend(ids.chain(aside).map(hashed));
        self.barren_pages = if met.len() == before {
            self.barren_pages + 1
        } else {
            0
        };
        if self.barren_pages > BARREN_PAGES_TOLERATED && page.next.is_some() {
            return Err("the list goes on without anything new");
        }
        let late = page
            .rows
            .iter()
            .filter(|row| row.registered_at.is_some_and(|at| at >= as_of));
        self.arrived
            .extend(late.map(|row| hashed(row.external_id.as_str())));
        match walk {
            Walk::Full { .. } => {
                self.pages += 1;
                if let Some(count) = page.total {
                    self.first_count.get_or_insert(count);
                    self.last_count = Some(count);
                }
            }
            Walk::Newest { .. } => {}
            Walk::ChangedSince { .. } => {
                self.nameless |= page.set_aside.iter().any(|record| record.external_id.is_none());
                let fewer = page
                    .total
                    .is_some_and(|now| self.changes.is_some_and(|before| now < before));
                self.changes = page.total;
                // A record that cannot be read does not tell when it changed.
                self.moved |= fewer
                    || !page.set_aside.is_empty()
                    || page
                        .rows
                        .iter()
                        .any(|row| row.updated_at.is_some_and(|changed| changed >= as_of));
            }
        }
        // Until the last page, what there is counts as read: what is said of it, else a list of fair length.
        let records = match page.next {
            Some(_) => self.read.max(self.total().unwrap_or(UNKNOWN_LENGTH)),
            None => self.read,
        };
        self.refuse_too_many_unreadable(records)
    }

    fn refuse_too_many_unreadable(&self, records: u64) -> Result<(), &'static str> {
        let unreadable = self.set_aside.len() as u64;
        if unreadable > SET_ASIDE_TOLERATED && unreadable * 100 > records {
            return Err("too many records cannot be read");
        }
        Ok(())
    }

    /// Whether a row may have slipped over a page boundary unseen: the count fell during the walk (arrivals set aside,
    /// which would hide it), fewer were seen than counted, or, where nothing is counted or can be counted, something
    /// changed meanwhile.
    pub fn may_have_skipped(&self) -> bool {
        match (self.first_count, self.last_count) {
            (Some(first), Some(last)) => {
                self.nameless
                    || last < first.saturating_add(self.arrived.len() as u64)
                    || (self.distinct.len() as u64) < last
            }
            _ => self.moved,
        }
    }

    /// Whether a change may have slipped over a page boundary unseen, in a walk over changes alone.
    pub fn may_have_skipped_a_change(&self) -> bool {
        !self.cursors.is_empty() && self.moved
    }

    /// Whether another walk came to the same: then the count is approximate rather than the walk incomplete.
    pub fn says_the_same(&self, other: &Tally) -> bool {
        self.distinct == other.distinct
            && self.last_count == other.last_count
            && other.last_count >= other.first_count
    }
}

fn hashed(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
