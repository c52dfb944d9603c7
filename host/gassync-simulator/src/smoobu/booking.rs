//! Bookings and blocks, which are the same kind of record here.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{channel::Channel, price_element::PriceElement};

/// The only status there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BookingType {
    Reservation,
    /// A live booking that was ever changed.
    Modification,
    Cancellation,
}

impl BookingType {
    pub fn word(self) -> &'static str {
        match self {
            Self::Reservation => "reservation",
            Self::Modification => "modification of booking",
            Self::Cancellation => "cancellation",
        }
    }

    /// Returns what it is after a change other than a cancellation.
    pub fn after_change(self) -> Self {
        if self == Self::Cancellation { self } else { Self::Modification }
    }
}

/// An amount that is asked for, and whether it is paid.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SmoobuCharge {
    pub cents: Option<u64>,
    pub paid: bool,
}

/// Where a guest lives.
#[derive(Debug, Clone, Default)]
pub(super) struct GuestAddress {
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: String,
}

#[derive(Debug, Clone)]
pub(super) struct SmoobuBooking {
    pub id: u64,
    pub apartment: u64,
    pub channel: Channel,
    pub kind: BookingType,
    pub arrival: Date,
    pub departure: Date,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// Number at the site that sold it.
    pub reference_id: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub address: GuestAddress,
    pub adults: Option<u32>,
    pub children: Option<u32>,
    pub check_in: Option<String>,
    pub check_out: Option<String>,
    pub notice: String,
    pub assistant_notice: String,
    pub price: SmoobuCharge,
    pub prepayment: SmoobuCharge,
    pub deposit: SmoobuCharge,
    pub city_tax: Option<u64>,
    pub commission: Option<u64>,
    pub language: String,
    pub elements: Vec<PriceElement>,
    /// What stands for the caller's reference, if it was created by API.
    pub given_reference: Option<String>,
    /// Name of the odd form in which it is sent.
    pub odd: Option<&'static str>,
}

impl SmoobuBooking {
    /// Creates a booking without a guest.
    pub fn new(id: u64, apartment: u64, channel: Channel, (arrival, departure): (Date, Date), now: Timestamp) -> Self {
        let created = whole_second(now);
        Self {
            id,
            apartment,
            channel,
            kind: BookingType::Reservation,
            arrival,
            departure,
            created,
            modified: created,
            reference_id: None,
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            phone: None,
            address: GuestAddress::default(),
            adults: None,
            children: None,
            check_in: None,
            check_out: None,
            notice: String::new(),
            assistant_notice: String::new(),
            price: SmoobuCharge { cents: Some(0), paid: false },
            prepayment: SmoobuCharge::default(),
            deposit: SmoobuCharge::default(),
            city_tax: None,
            commission: None,
            language: String::new(),
            elements: Vec::new(),
            given_reference: None,
            odd: None,
        }
    }

    pub fn is_block(&self) -> bool {
        self.channel == Channel::Blocked
    }

    pub fn is_active(&self) -> bool {
        self.kind != BookingType::Cancellation
    }

    /// True if it takes this night.
    pub fn takes(&self, night: Date) -> bool {
        self.is_active() && self.arrival <= night && night < self.departure
    }

    /// True if it takes a night of these.
    pub fn meets(&self, (arrival, departure): (Date, Date)) -> bool {
        self.is_active() && self.arrival < departure && arrival < self.departure
    }

    /// Id of the guest; a block has none.
    pub fn guest_id(&self) -> Option<u64> {
        (!self.is_block()).then(|| self.id - 30_000_000)
    }

    /// Marks it as changed. The wire shows seconds, so each change is at least one second after the last.
    pub fn touch(&mut self, kind: BookingType, now: Timestamp) {
        self.kind = kind;
        self.modified = whole_second(now).max(self.modified + SignedDuration::from_secs(1));
    }

    /// Sets the guest's name from one text: the first word, and the rest.
    pub fn name_guest(&mut self, name: &str) {
        let (first, last) = name.trim().split_once(' ').unwrap_or((name.trim(), ""));
        (self.first_name, self.last_name) = (first.to_owned(), last.trim().to_owned());
    }
}

/// Truncates to whole seconds, the precision of the wire.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
