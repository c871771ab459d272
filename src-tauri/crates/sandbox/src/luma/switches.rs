//! Where Luma's real behaviour is unknown or varies, the simulator can be switched. The defaults are the
//! likeliest behaviour.

/// What happens to the sort value of a row when the second page of a guest walk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortChange {
    /// Nothing.
    Still,
    /// A row that is still to come moves before the cursor: it is skipped.
    RowSkipped,
    /// A row that was served moves behind the cursor: it repeats.
    RowRepeated,
}

/// Everything that can be switched, see the fields.
#[derive(Clone, Debug)]
pub struct LumaSwitches {
    /// Status for a request without a key: 401 or 400.
    pub missing_key_status: u16,
    /// Most entries on a page: 100 or 50.
    pub page_cap: usize,
    /// Whether `events/get` carries `guest_counts`.
    pub guest_counts: bool,
    /// Whether events carry `spots_remaining`.
    pub spots_remaining: bool,
    /// Whether events carry `display_price`.
    pub display_price: bool,
    /// Whether the event list carries `description`.
    pub description_in_list: bool,
    /// Whether the old singular routes answer, with wrapped objects.
    pub legacy_routes: bool,
    /// Whether the last page still carries `next_cursor`.
    pub cursor_on_last_page: bool,
    /// Whether answers carry `X-RateLimit-*`.
    pub rate_headers: bool,
    /// Sort values that change during a walk. Not possible for `created_at`, which never changes.
    pub sort_change: SortChange,
    /// Whether a cancelled event stays listed and readable.
    pub cancelled_event_listed: bool,
    /// While set, every request meets this gateway status with an HTML body.
    pub gateway_error: Option<u16>,
    /// Whether objects carry an unknown field and unknown enumeration values.
    pub unknown_values: bool,
    /// Requests allowed per minute and calendar.
    pub requests_per_minute: u64,
}

impl Default for LumaSwitches {
    fn default() -> Self {
        Self {
            missing_key_status: 401,
            page_cap: 100,
            guest_counts: true,
            spots_remaining: true,
            display_price: true,
            description_in_list: true,
            legacy_routes: false,
            cursor_on_last_page: true,
            rate_headers: true,
            sort_change: SortChange::Still,
            cancelled_event_listed: false,
            gateway_error: None,
            unknown_values: false,
            requests_per_minute: 200,
        }
    }
}
