//! The attendees of one item as a screen reads them: searched, filtered, sorted and cut to a page.
//!
//! Owns the rows of the few items that were looked at last, in memory, and the orders they were asked for in. Rows are
//! read again when the item's facts have changed. Its caller opens a list with [`AttendeeLists::open`], asks it for
//! pages off the threads that must not block, and calls [`AttendeeLists::forget`] when an item is erased.

use super::{attendees, stored_item};
use crate::domain::attendee::{Attendee, AttendeeStatus};
use crate::domain::ids::ItemId;
use crate::error::CommandError;
use crate::ports::Ports;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How many items' rows are kept: the one on screen and the one before it.
const KEPT_LISTS: usize = 2;

/// What rows are sorted by. Rows without the value come last, whichever the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttendeeSort {
    Name,
    Email,
    /// Attending, awaiting, not attending.
    Status,
    CheckedIn,
    Registered,
    Ticket,
}

/// One page of a list, as a person asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttendeeListRequest {
    /// Words in any order; case and accents do not count. Empty matches everybody.
    pub search: String,
    pub status: Option<AttendeeStatus>,
    /// Exactly one of [`AttendeeListPage::tickets`].
    pub ticket: Option<String>,
    pub sort: AttendeeSort,
    pub descending: bool,
    pub offset: usize,
    pub limit: usize,
}

/// The rows asked for, and what they were chosen from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttendeeListPage {
    /// All rows of the item.
    pub total: usize,
    /// Rows that match the search and the filters.
    pub matching: usize,
    /// Every ticket type that a row has, in order.
    pub tickets: Vec<String>,
    pub rows: Vec<Attendee>,
}

/// The lists that were looked at last.
#[derive(Default)]
pub struct AttendeeLists {
    /// With the revision of the rows they were read from, oldest first.
    kept: Mutex<Vec<(ItemId, u64, Arc<AttendeeList>)>>,
}

impl AttendeeLists {
    /// The rows of an item as they are stored now.
    pub async fn open(&self, ports: &Ports, id: &ItemId) -> Result<Arc<AttendeeList>, CommandError> {
        let revision = stored_item(ports, id).await?.revision;
        if let Some(list) = self.kept(id, revision) {
            return Ok(list);
        }
        let mut reader = attendees(ports, id).await?;
        let mut rows = Vec::new();
        loop {
            let batch = reader.next_batch().await?;
            if batch.is_empty() {
                break;
            }
            rows.extend(batch);
        }
        let list = Arc::new(AttendeeList::new(rows));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(item, ..)| item != id);
        if kept.len() >= KEPT_LISTS {
            kept.remove(0);
        }
        kept.push((id.clone(), revision, list.clone()));
        Ok(list)
    }

    /// Drops the rows of an item.
    pub fn forget(&self, id: &ItemId) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(item, ..)| item != id);
    }

    fn kept(&self, id: &ItemId, revision: u64) -> Option<Arc<AttendeeList>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept
            .iter()
            .position(|(item, of, _)| item == id && *of == revision)?;
        let entry = kept.remove(place);
        let list = entry.2.clone();
        kept.push(entry);
        Some(list)
    }
}

/// Row numbers, for each order that was asked for.
type Orders = HashMap<(AttendeeSort, bool), Arc<[u32]>>;

/// All rows of one item, prepared for searching.
pub struct AttendeeList {
    rows: Vec<Attendee>,
    /// What a search looks through, row by row.
    texts: Vec<String>,
    tickets: Vec<String>,
    /// The rows in the orders that were asked for so far.
    orders: Mutex<Orders>,
}

impl AttendeeList {
    pub fn new(rows: Vec<Attendee>) -> Self {
        let tickets: BTreeSet<&str> = rows.iter().filter_map(|row| row.ticket_type.as_deref()).collect();
        let tickets = tickets.into_iter().map(str::to_owned).collect();
        let texts = rows.iter().map(searched_text).collect();
        Self {
            rows,
            texts,
            tickets,
            orders: Mutex::default(),
        }
    }

    /// Chooses a page. Takes milliseconds for a hundred thousand rows, and the time of one sort where the order is new.
    pub fn page(&self, request: &AttendeeListRequest) -> AttendeeListPage {
        let search = folded(&request.search);
        let words: Vec<&str> = search.split_whitespace().collect();
        let order = self.order(request.sort, request.descending);
        let mut matching = 0;
        let mut rows = Vec::new();
        for place in order.iter() {
            let place = *place as usize;
            let row = &self.rows[place];
            let wanted = request.status.is_none_or(|status| row.status == status)
                && request
                    .ticket
                    .as_deref()
                    .is_none_or(|ticket| row.ticket_type.as_deref() == Some(ticket))
                && words.iter().all(|word| self.texts[place].contains(word));
            if !wanted {
                continue;
            }
            if matching >= request.offset && rows.len() < request.limit {
                rows.push(row.clone());
            }
            matching += 1;
        }
        AttendeeListPage {
            total: self.rows.len(),
            matching,
            tickets: self.tickets.clone(),
            rows,
        }
    }

    fn order(&self, sort: AttendeeSort, descending: bool) -> Arc<[u32]> {
        let known = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = known.get(&(sort, descending)) {
            return order.clone();
        }
        // Sorting takes its time: whoever asks for another order meanwhile must not wait for it.
        drop(known);
        let order: Arc<[u32]> = self.sorted(sort, descending).into();
        let mut known = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((sort, descending), order.clone());
        order
    }

    fn sorted(&self, sort: AttendeeSort, descending: bool) -> Vec<u32> {
        match sort {
            AttendeeSort::Name => self.sorted_by(descending, |row| sortable(row.name.as_deref())),
            AttendeeSort::Email => self.sorted_by(descending, |row| sortable(row.email.as_deref())),
            AttendeeSort::Ticket => self.sorted_by(descending, |row| sortable(row.ticket_type.as_deref())),
            AttendeeSort::Status => self.sorted_by(descending, |row| {
                Some(match row.status {
                    AttendeeStatus::Attending => 0,
                    AttendeeStatus::Awaiting => 1,
                    AttendeeStatus::NotAttending => 2,
                })
            }),
            AttendeeSort::CheckedIn => self.sorted_by(descending, |row| row.checked_in_at),
            AttendeeSort::Registered => self.sorted_by(descending, |row| row.registered_at),
        }
    }

    /// Stable: rows with equal keys keep the order in which they are stored, in both directions.
    fn sorted_by<K: Ord>(&self, descending: bool, key: impl Fn(&Attendee) -> Option<K>) -> Vec<u32> {
        let mut keyed: Vec<(Option<K>, u32)> = self.rows.iter().map(key).zip(0..).collect();
        keyed.sort_by(|(left, _), (right, _)| match (left, right) {
            (Some(left), Some(right)) if descending => right.cmp(left),
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
        keyed.into_iter().map(|(_, place)| place).collect()
    }
}

/// Everything a person may type to find a row. The parts stand apart, so that no word matches across two of them.
fn searched_text(row: &Attendee) -> String {
    let parts = [
        row.name.as_deref(),
        row.email.as_deref(),
        row.company.as_deref(),
        row.order_id.as_deref(),
        Some(row.external_id.as_str()),
    ];
    let mut text = String::new();
    for part in parts.into_iter().flatten() {
        fold_into(&mut text, part);
        text.push('\n');
    }
    text
}

/// A blank name is no name.
fn sortable(text: Option<&str>) -> Option<String> {
    text.map(|text| folded(text.trim()))
        .filter(|text| !text.is_empty())
}

fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(&mut folded, text);
    folded
}

/// Appends `text` in lower case and without accents, so that "Zoë Łuczak" is found by "zoe luczak".
fn fold_into(folded: &mut String, text: &str) {
    if text.is_ascii() {
        folded.extend(text.chars().map(|letter| letter.to_ascii_lowercase()));
        return;
    }
    let plain = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    for letter in plain.flat_map(char::to_lowercase) {
        // Letters that carry their stroke inside have no decomposition.
        match letter {
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            // "İ" in lower case brings a mark of its own.
            letter if is_combining_mark(letter) => {}
            letter => folded.push(letter),
        }
    }
}

#[cfg(test)]
#[path = "attendee_list_tests.rs"]
mod tests;
