//! What commands answer and take, field by field as JSON carries it. Times are UTC in RFC 3339, ids are text. The
//! window's TypeScript of these types is generated; a test holds it fresh.

use super::error::CommandError;
use super::words::{
    Alert, AttendeeSort, AttendeeStatus, FailureCode, Freshness, IntegrationStatus, ItemKind, JobKind,
    Provider, Recovery, SignIn, SyncStatus, Withdrawal,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use talkvalue_core::connect;
use talkvalue_core::domain::{attendee, failure};
use talkvalue_core::query::{self, attendee_list};
use ts_rs::TS;

pub(crate) fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// An item with its status, its freshness and its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    pub id: String,
    pub kind: ItemKind,
    pub provider: Provider,
    pub external_id: String,
    pub integration_id: String,
    pub title: String,
    pub starts_at: Option<String>,
    pub ends_at: Option<String>,
    pub timezone: Option<String>,
    pub sync_status: SyncStatus,
    pub freshness: Freshness,
    pub alert: Option<Alert>,
    pub failure: Option<FailureView>,
    pub waiting: Option<Waiting>,
    pub active_job: Option<JobView>,
    pub counts: Counts,
    pub tickets: Tickets,
    /// Registrations that could not be read.
    pub unreadable: u64,
    pub held_removals: u64,
    pub archived: bool,
    pub last_synced_at: Option<String>,
    /// Registrations met since then, between two complete reads.
    pub new_since: u64,
    pub last_attempted_at: Option<String>,
    pub next_attempt_at: Option<String>,
}

impl From<query::ItemView> for ItemView {
    fn from(item: query::ItemView) -> Self {
        Self {
            id: item.id.to_string(),
            kind: item.kind.into(),
            provider: item.provider.into(),
            external_id: item.external_id.to_string(),
            integration_id: item.integration_id.to_string(),
            title: item.title,
            starts_at: time(item.starts_at),
            ends_at: time(item.ends_at),
            timezone: item.timezone,
            sync_status: item.sync_status.into(),
            freshness: item.freshness.into(),
            alert: item.alert.map(Into::into),
            failure: item.failure.map(Into::into),
            waiting: item.waiting.map(Into::into),
            active_job: item.active_job.map(Into::into),
            counts: item.counts.into(),
            tickets: item.tickets.into(),
            unreadable: item.unreadable,
            held_removals: item.held_removals,
            archived: item.archived,
            last_synced_at: time(item.last_synced_at),
            new_since: item.new_since,
            last_attempted_at: time(item.last_attempted_at),
            next_attempt_at: time(item.next_attempt_at),
        }
    }
}

/// Why a status is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FailureView {
    pub code: FailureCode,
    pub recovery: Recovery,
    pub message: String,
    /// When it was first seen.
    pub since: String,
}

impl From<query::FailureView> for FailureView {
    fn from(failure: query::FailureView) -> Self {
        Self {
            code: failure.code.into(),
            recovery: failure.recovery.into(),
            message: failure.message,
            since: failure.since.to_string(),
        }
    }
}

/// Why a job waits, and until when if anybody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    pub code: FailureCode,
    pub until: Option<String>,
}

impl From<failure::Waiting> for Waiting {
    fn from(waiting: failure::Waiting) -> Self {
        Self {
            code: waiting.code.into(),
            until: time(waiting.until),
        }
    }
}

/// The job that works on an item now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    pub id: String,
    pub kind: JobKind,
    pub done: u64,
    /// `null` where the provider does not say.
    pub total: Option<u64>,
}

impl From<query::JobView> for JobView {
    fn from(job: query::JobView) -> Self {
        Self {
            id: job.id.to_string(),
            kind: job.kind.into(),
            done: job.done,
            total: job.total,
        }
    }
}

/// Rows by status; `checkedIn` counts those who attend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub total: u64,
    pub attending: u64,
    pub awaiting: u64,
    pub not_attending: u64,
    pub checked_in: u64,
}

impl From<attendee::Counts> for Counts {
    fn from(counts: attendee::Counts) -> Self {
        Self {
            total: counts.total,
            attending: counts.attending,
            awaiting: counts.awaiting,
            not_attending: counts.not_attending,
            checked_in: counts.checked_in,
        }
    }
}

/// Tickets, beside people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Tickets {
    pub total: u64,
    pub checked_in: u64,
}

impl From<attendee::Tickets> for Tickets {
    fn from(tickets: attendee::Tickets) -> Self {
        Self {
            total: tickets.total,
            checked_in: tickets.checked_in,
        }
    }
}

/// One connected (or once connected) account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationView {
    pub id: String,
    pub provider: Provider,
    pub account_id: String,
    pub account_name: String,
    pub account_email: Option<String>,
    pub status: IntegrationStatus,
    pub sign_in: SignIn,
    pub connected_at: String,
    pub last_verified_at: Option<String>,
    pub expires_at: Option<String>,
    pub failure: Option<FailureView>,
    /// Its provider can be asked to take the sign-in back.
    pub offers_withdrawal: bool,
}

impl From<query::IntegrationView> for IntegrationView {
    fn from(integration: query::IntegrationView) -> Self {
        Self {
            offers_withdrawal: connect::offers_withdrawal(integration.provider, integration.sign_in),
            id: integration.id.to_string(),
            provider: integration.provider.into(),
            account_id: integration.account_id.to_string(),
            account_name: integration.account_name,
            account_email: integration.account_email,
            status: integration.status.into(),
            sign_in: integration.sign_in.into(),
            connected_at: integration.connected_at.to_string(),
            last_verified_at: time(integration.last_verified_at),
            expires_at: time(integration.expires_at),
            failure: integration.failure.map(Into::into),
        }
    }
}

/// What connecting brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    pub integration: IntegrationView,
    /// Events that the account shows at first sight; `null` where they could not be listed just now.
    pub events: Option<u64>,
}

impl From<connect::Connected> for Connected {
    fn from(connected: connect::Connected) -> Self {
        Self {
            integration: connected.integration.into(),
            events: connected.events.map(count),
        }
    }
}

/// What disconnecting brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Disconnected {
    pub integration: IntegrationView,
    pub withdrawal: Withdrawal,
}

impl From<connect::Disconnected> for Disconnected {
    fn from(disconnected: connect::Disconnected) -> Self {
        Self {
            integration: disconnected.integration.into(),
            withdrawal: disconnected.withdrawal.into(),
        }
    }
}

/// Something that can be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    pub external_id: String,
    pub title: String,
    pub starts_at: Option<String>,
    pub kinds: Vec<ItemKind>,
    pub imported_as: Vec<ImportedAs>,
}

impl From<connect::Candidate> for Candidate {
    fn from(candidate: connect::Candidate) -> Self {
        Self {
            external_id: candidate.external_id.to_string(),
            title: candidate.title,
            starts_at: time(candidate.starts_at),
            kinds: candidate.kinds.into_iter().map(Into::into).collect(),
            imported_as: candidate.imported_as.into_iter().map(Into::into).collect(),
        }
    }
}

/// An item that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportedAs {
    pub kind: ItemKind,
    pub item_id: String,
}

impl From<connect::ImportedAs> for ImportedAs {
    fn from(imported: connect::ImportedAs) -> Self {
        Self {
            kind: imported.kind.into(),
            item_id: imported.item_id.to_string(),
        }
    }
}

/// The accounts of one Reconnect dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReconnectOptions {
    pub own: AccountOption,
    pub others: Vec<AccountOption>,
}

impl From<connect::ReconnectOptions> for ReconnectOptions {
    fn from(options: connect::ReconnectOptions) -> Self {
        Self {
            own: options.own.into(),
            others: options.others.into_iter().map(Into::into).collect(),
        }
    }
}

/// One account that could read the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountOption {
    pub integration: IntegrationView,
    /// Whether a call proved that it sees the event; `null` where it could not be asked.
    pub sees: Option<bool>,
}

impl From<connect::AccountOption> for AccountOption {
    fn from(option: connect::AccountOption) -> Self {
        Self {
            integration: option.integration.into(),
            sees: option.sees,
        }
    }
}

/// One row of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Attendee {
    pub id: String,
    pub external_id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub company: Option<String>,
    pub ticket_type: Option<String>,
    pub status: AttendeeStatus,
    pub provider_status: String,
    pub checked_in_at: Option<String>,
    pub order_id: Option<String>,
    pub registered_at: Option<String>,
    pub updated_at: Option<String>,
    pub registrations: u32,
}

impl From<attendee::Attendee> for Attendee {
    fn from(attendee: attendee::Attendee) -> Self {
        Self {
            id: attendee.id.to_string(),
            external_id: attendee.external_id.to_string(),
            name: attendee.name,
            email: attendee.email,
            company: attendee.company,
            ticket_type: attendee.ticket_type,
            status: attendee.status.into(),
            provider_status: attendee.provider_status,
            checked_in_at: time(attendee.checked_in_at),
            order_id: attendee.order_id,
            registered_at: time(attendee.registered_at),
            updated_at: time(attendee.updated_at),
            registrations: attendee.registrations,
        }
    }
}

/// One page of an item's attendees, as the window asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttendeeRequest {
    pub search: String,
    pub status: Option<AttendeeStatus>,
    /// One of the page's `tickets`.
    pub ticket: Option<String>,
    pub sort: AttendeeSort,
    pub descending: bool,
    pub offset: u32,
    /// At most 200.
    pub limit: u32,
}

impl From<AttendeeRequest> for attendee_list::AttendeeListRequest {
    fn from(request: AttendeeRequest) -> Self {
        Self {
            search: request.search,
            status: request.status.map(Into::into),
            ticket: request.ticket,
            sort: request.sort.into(),
            descending: request.descending,
            offset: request.offset as usize,
            limit: request.limit as usize,
        }
    }
}

/// The rows asked for, and what they were chosen from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AttendeePage {
    pub total: u64,
    pub matching: u64,
    /// Every ticket type that a row has.
    pub tickets: Vec<String>,
    pub rows: Vec<Attendee>,
}

impl From<attendee_list::AttendeeListPage> for AttendeePage {
    fn from(page: attendee_list::AttendeeListPage) -> Self {
        Self {
            total: count(page.total),
            matching: count(page.matching),
            tickets: page.tickets,
            rows: page.rows.into_iter().map(Into::into).collect(),
        }
    }
}

/// What this app is and whether it can use its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppStatus {
    pub version: String,
    pub data_dir: String,
    /// The database's version; `null` while there is a problem.
    pub schema: Option<u64>,
    /// Why no list can be read or written.
    pub problem: Option<CommandError>,
    /// That the data file was damaged at this start, and what was kept.
    pub mended: Option<String>,
    /// That a sign-in is in memory only.
    pub unsaved: Option<String>,
}
