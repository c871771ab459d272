//! What a test asks for: [`EventSpec`], [`AttendeeSpec`] and [`GuestSpec`]. Owns defaults; the worlds
//! turn a spec into records.

use jiff::Timestamp;

/// An event to be made.
#[derive(Clone, Debug)]
pub struct EventSpec {
    pub(crate) title: String,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) timezone: String,
    pub(crate) status: String,
}

impl EventSpec {
    /// A live event in London, tomorrow, for three hours.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            starts_at: None,
            ends_at: None,
            timezone: "Europe/London".to_owned(),
            status: "live".to_owned(),
        }
    }

    /// The start.
    #[must_use]
    pub fn starts_at(mut self, at: Timestamp) -> Self {
        self.starts_at = Some(at);
        self
    }

    /// The end; three hours after the start where not given.
    #[must_use]
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }

    /// An IANA zone name.
    #[must_use]
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.timezone = name.into();
        self
    }

    /// Eventbrite's status word; a `live` event is served as `started` and `ended` when its time comes.
    #[must_use]
    pub fn status(mut self, word: impl Into<String>) -> Self {
        self.status = word.into();
        self
    }
}

/// An Eventbrite attendee to be made, exactly.
#[derive(Clone, Debug)]
pub struct AttendeeSpec {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) ticket: String,
    pub(crate) status: Option<String>,
    pub(crate) cancelled: bool,
    pub(crate) refunded: bool,
    pub(crate) checked_in_at: Option<Timestamp>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) changed: Option<Timestamp>,
    pub(crate) order_id: Option<String>,
    pub(crate) has_profile: bool,
}

impl AttendeeSpec {
    /// An attending person without e-mail, registered now.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            email: None,
            company: None,
            ticket: "General admission".to_owned(),
            status: None,
            cancelled: false,
            refunded: false,
            checked_in_at: None,
            created: None,
            changed: None,
            order_id: None,
            has_profile: true,
        }
    }

    /// The e-mail, sent as given.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// No e-mail at all.
    #[must_use]
    pub fn without_email(mut self) -> Self {
        self.email = None;
        self
    }

    /// The profile is null: neither name nor e-mail.
    #[must_use]
    pub fn without_profile(mut self) -> Self {
        self.has_profile = false;
        self
    }

    /// The company.
    #[must_use]
    pub fn company(mut self, company: impl Into<String>) -> Self {
        self.company = Some(company.into());
        self
    }

    /// The ticket class, made if the event has none of that name.
    #[must_use]
    pub fn ticket(mut self, name: impl Into<String>) -> Self {
        self.ticket = name.into();
        self
    }

    /// The provider's status word; derived from the other facts where not given.
    #[must_use]
    pub fn status(mut self, word: impl Into<String>) -> Self {
        self.status = Some(word.into());
        self
    }

    /// Cancelled.
    #[must_use]
    pub fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }

    /// Refunded.
    #[must_use]
    pub fn refunded(mut self) -> Self {
        self.refunded = true;
        self
    }

    /// Checked in at that time.
    #[must_use]
    pub fn checked_in_at(mut self, at: Timestamp) -> Self {
        self.checked_in_at = Some(at);
        self
    }

    /// When the ticket was sold; the clock's now where not given.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = Some(at);
        self
    }

    /// The last change; check-in or creation where not given.
    #[must_use]
    pub fn changed(mut self, at: Timestamp) -> Self {
        self.changed = Some(at);
        self
    }

    /// The order; a new one where not given.
    #[must_use]
    pub fn order_id(mut self, id: impl Into<String>) -> Self {
        self.order_id = Some(id.into());
        self
    }
}

/// A Luma guest to be made, exactly.
#[derive(Clone, Debug)]
pub struct GuestSpec {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) company_as_text: bool,
    pub(crate) approval_status: String,
    pub(crate) tickets: Vec<GuestTicket>,
    pub(crate) registered_at: Option<Timestamp>,
    pub(crate) created_at: Option<Timestamp>,
}

/// One ticket of a [`GuestSpec`].
#[derive(Clone, Debug)]
pub(crate) struct GuestTicket {
    pub(crate) name: String,
    pub(crate) captured: bool,
    pub(crate) checked_in_at: Option<Timestamp>,
}

impl GuestSpec {
    /// An approved guest without tickets, registered now.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            email: None,
            company: None,
            company_as_text: false,
            approval_status: "approved".to_owned(),
            tickets: Vec::new(),
            registered_at: None,
            created_at: None,
        }
    }

    /// The e-mail, sent as given.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Null names.
    #[must_use]
    pub fn without_name(mut self) -> Self {
        self.name = None;
        self
    }

    /// A company, as an answer `{company, job_title}`.
    #[must_use]
    pub fn company(mut self, company: impl Into<String>) -> Self {
        self.company = Some(company.into());
        self.company_as_text = false;
        self
    }

    /// A company, as an answer that is a plain string.
    #[must_use]
    pub fn company_as_text(mut self, company: impl Into<String>) -> Self {
        self.company = Some(company.into());
        self.company_as_text = true;
        self
    }

    /// The approval status word.
    #[must_use]
    pub fn status(mut self, word: impl Into<String>) -> Self {
        self.approval_status = word.into();
        self
    }

    /// One more captured ticket.
    #[must_use]
    pub fn ticket(self, name: impl Into<String>) -> Self {
        self.with_ticket(name.into(), true, None)
    }

    /// One more captured ticket, checked in.
    #[must_use]
    pub fn ticket_checked_in(self, name: impl Into<String>, at: Timestamp) -> Self {
        self.with_ticket(name.into(), true, Some(at))
    }

    /// One more ticket that was never paid: to be ignored.
    #[must_use]
    pub fn uncaptured_ticket(self, name: impl Into<String>) -> Self {
        self.with_ticket(name.into(), false, None)
    }

    /// When the guest registered; the clock's now where not given.
    #[must_use]
    pub fn registered_at(mut self, at: Timestamp) -> Self {
        self.registered_at = Some(at);
        self
    }

    /// When the guest record was made (sortable, never sent); the clock's now where not given.
    #[must_use]
    pub fn created_at(mut self, at: Timestamp) -> Self {
        self.created_at = Some(at);
        self
    }

    fn with_ticket(mut self, name: String, captured: bool, checked_in_at: Option<Timestamp>) -> Self {
        self.tickets.push(GuestTicket {
            name,
            captured,
            checked_in_at,
        });
        self
    }
}
