//! Where Eventbrite's real behaviour is unknown or varies, the simulator can be switched. The defaults are
//! the likeliest behaviour.

/// Order of attendee lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttendeeOrder {
    /// As sold.
    ById,
    /// Least recently changed first.
    ByChanged,
    /// Latest sale first.
    ByCreatedDescending,
}

/// What happens to the list when the second page of a walk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkChange {
    /// Nothing.
    Still,
    /// An attendee appears before the offset: the last row of the first page repeats.
    InsertBefore,
    /// The first attendee vanishes: a row slips through between the pages.
    DeleteBefore,
}

/// Everything that can be switched, see the fields.
#[derive(Clone, Debug)]
pub struct EventbriteSwitches {
    /// Status that goes with `INVALID_AUTH`: 401 (recorded in 2026) or 400 (documented).
    pub invalid_auth_status: u16,
    /// Whether the last page still carries a continuation token.
    pub continuation_on_last_page: bool,
    /// Whether `object_count` and `page_count` are sent.
    pub counts: bool,
    /// Seconds until a new row shows and a changed row shows its change; by the sandbox's clock.
    pub replica_lag_secs: u32,
    /// After a change a row is served new, then once as it was before, then new for good.
    pub older_row_once: bool,
    /// Order of attendee lists.
    pub attendee_order: AttendeeOrder,
    /// Change at the second page of every walk.
    pub change_during_walk: WalkChange,
    /// Whether lists without a `status` filter contain `Deleted` attendees.
    pub deleted_without_filter: bool,
    /// Rows on a page of attendees.
    pub attendees_per_page: usize,
    /// Whether `page_size` counts on attendee lists (up to 100).
    pub page_size_on_attendees: bool,
    /// Minutes until a continuation token is refused; unlimited when absent.
    pub continuation_lifetime_minutes: Option<u32>,
    /// Whether the limiter's 429 carries `Retry-After`.
    pub retry_after_on_429: bool,
    /// Whether answers carry `x-rate-limit`.
    pub rate_header: bool,
    /// While set, every request meets this gateway status with an HTML body.
    pub gateway_error: Option<u16>,
    /// Calls allowed per hour, for a token and for an API key.
    pub calls_per_hour: u64,
}

impl Default for EventbriteSwitches {
    fn default() -> Self {
        Self {
            invalid_auth_status: 401,
            continuation_on_last_page: true,
            counts: true,
            replica_lag_secs: 0,
            older_row_once: false,
            attendee_order: AttendeeOrder::ById,
            change_during_walk: WalkChange::Still,
            deleted_without_filter: true,
            attendees_per_page: super::lists::PAGE_SIZE,
            page_size_on_attendees: false,
            continuation_lifetime_minutes: None,
            retry_after_on_429: false,
            rate_header: true,
            gateway_error: None,
            calls_per_hour: 2_000,
        }
    }
}
