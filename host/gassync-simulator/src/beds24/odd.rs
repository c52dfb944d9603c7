//! Odd data as observed in production. The account keeps the correct booking; only the API data is odd.
//!
//! An odd booking stays odd in every response and webhook.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Span, Timestamp, civil::Date};
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    Account, ActionKind, Beds24, BookingAction, BookingChange, NewBooking, Notification,
    booking::{BookingRecord, whole_second},
    json_text::HALF_EMOJI,
    money,
    odd_kind::Odd,
};

/// Length of an odd e-mail address.
const EMAIL_CHARS: usize = 270;
/// Length of an odd note, in characters.
const NOTE_CHARS: usize = 23_000;
/// Nights of a long let.
const LET_NIGHTS: i64 = 900;
/// Start of a long let, in days from now: later than any other booking.
const LETS_BEGIN_DAYS: i64 = 1_000;
/// Offset of an odd modification time.
const AHEAD: SignedDuration = SignedDuration::from_hours(48);
/// Number of bookings changed at once, so that a list of changes has several pages.
const BULK_CHANGED: usize = 5;
/// Minimum length of a list that is split or shortened.
const LEAST_LISTED: usize = 4;

impl Odd {
    /// Makes the API data of a booking odd.
    pub(super) fn distort(self, booking: &BookingRecord, object: &mut Value) {
        let entry = &booking.entry;
        match self {
            Self::FinePrice => object["price"] = fine(entry.price_cents, entry.id).0,
            Self::FloatNoise => object["price"] = noisy(entry.price_cents),
            Self::PriceInWords => object["price"] = json!("a lot"),
            Self::NulInComment => object["comments"] = json!("Late arrival\u{0}, about 22:00"),
            Self::HalfEmoji => object["comments"] = json!(format!("See you soon {HALF_EMOJI}")),
            Self::LongEmail => object["email"] = json!(long_email(entry.id)),
            Self::CountAsText => object["numAdult"] = json!(entry.num_adult.to_string()),
            Self::CountAsFlag => {
                object["numAdult"] = json!(entry.num_adult > 0);
                object["numChild"] = json!(entry.num_child > 0);
            }
            Self::LowerCaseCountry => object["country2"] = json!(booking.text("country").to_lowercase()),
            Self::CancelledWithLongNote => object["notes"] = json!("Sorry. ".repeat(NOTE_CHARS / 7)),
            Self::CancelledWithoutNights => object["departure"] = object["arrival"].clone(),
            Self::UnknownStatus if booking.is_active() => object["status"] = json!("allotmentHold"),
            Self::WithoutId => drop(object.as_object_mut().and_then(|keys| keys.remove("id"))),
            Self::ModifiedAhead => object["modifiedTime"] = json!(booking.shown_modified().to_string()),
            Self::GroupTotalOnMaster => {
                if let Some(cents) = booking.group_cents {
                    object["price"] = money::number(cents);
                }
            }
            Self::UnknownStatus | Self::Revived | Self::DeletedBetweenPages | Self::ShortList | Self::LongLet => {}
        }
    }
}

/// Returns a price with five decimal places, and the same in ten-thousandths, rounded half to even.
fn fine(cents: u64, id: u64) -> (Value, u64) {
    let (digits, rounded) = if id.is_multiple_of(2) { ("285", 28) } else { ("735", 74) };
    let text = format!("{}.{:02}{digits}", cents / 100, cents % 100);
    (serde_json::from_str(&text).unwrap_or_default(), cents * 100 + rounded)
}

/// Returns the price with a float rounding error below it.
fn noisy(cents: u64) -> Value {
    let below = cents.saturating_sub(1);
    serde_json::from_str(&format!("{}.{:02}9999999999", below / 100, below % 100)).unwrap_or_default()
}

fn long_email(id: u64) -> String {
    let end = format!("{id}@example.org");
    format!("{}{end}", "a".repeat(EMAIL_CHARS - end.len()))
}

impl BookingRecord {
    /// The modification time shown in the API.
    pub fn shown_modified(&self) -> Timestamp {
        if self.odd == Some(Odd::ModifiedAhead) { self.entry.modified + AHEAD } else { self.entry.modified }
    }

    /// Amount owed by the guest in ten-thousandths: the charges, or else the price; `None` if not a number.
    pub fn owed(&self) -> Option<u64> {
        match self.odd {
            Some(Odd::PriceInWords) => None,
            Some(Odd::FinePrice) => Some(fine(self.entry.price_cents, self.entry.id).1),
            _ => Some(self.invoice_items.charged_cents().unwrap_or(self.entry.price_cents) * 100),
        }
    }
}

/// Rate and counts of odd data.
pub(super) struct Oddities {
    rate: f64,
    said: u64,
    done: BTreeMap<Odd, u64>,
    order: Vec<Odd>,
    next: usize,
    rng: ChaCha8Rng,
    /// A cancelled booking to be confirmed again.
    to_revive: Option<u64>,
    to_delete: Option<u64>,
    cuts_short: bool,
    page_size: Option<usize>,
    removed: Vec<u64>,
}

impl Oddities {
    pub fn new(rate: f64, mut rng: ChaCha8Rng) -> Self {
        let mut order = Odd::ALL.to_vec();
        order.shuffle(&mut rng);
        Self {
            rate,
            said: 0,
            done: BTreeMap::new(),
            order,
            next: 0,
            rng,
            to_revive: None,
            to_delete: None,
            cuts_short: false,
            page_size: None,
            removed: Vec::new(),
        }
    }

    /// Counts bookings sent.
    pub fn said(&mut self, bookings: usize) {
        self.said += bookings as u64;
    }

    /// Returns the kind to produce next if the share of odd data is below the rate. Kinds take turns.
    fn due(&mut self) -> Option<Odd> {
        let odd: u64 = self.done.values().sum();
        if self.rate <= 0.0 || odd as f64 + 1.0 > self.rate * self.said as f64 {
            return None;
        }
        let kind = self.order.get(self.next % self.order.len()).copied();
        self.next += 1;
        kind
    }
}

impl Beds24 {
    /// Makes this share of the bookings sent odd, with kinds in equal numbers.
    pub fn set_odd(&self, rate: f64) {
        self.account().oddities.rate = rate;
    }

    /// Number of times each kind was produced.
    pub fn odd_said(&self) -> BTreeMap<Odd, u64> {
        self.account().oddities.done.clone()
    }

    /// Rate of odd data.
    pub fn odd_rate(&self) -> f64 {
        self.account().oddities.rate
    }

    /// Bookings permanently deleted between two pages.
    pub fn removed(&self) -> Vec<u64> {
        self.account().oddities.removed.clone()
    }

    /// Produces odd data of a kind; `None` if no booking is suitable.
    pub fn say_odd(&self, kind: Odd) -> Option<BookingAction> {
        let account = &mut *self.account();
        self.be_odd(account, kind)
    }

    /// Produces every kind not produced so far.
    pub fn say_every_odd(&self) -> Vec<BookingAction> {
        let account = &mut *self.account();
        let missing = Odd::ALL.into_iter().filter(|kind| !account.oddities.done.contains_key(kind));
        let missing: Vec<Odd> = missing.collect();
        missing.into_iter().filter_map(|kind| self.be_odd(account, kind)).collect()
    }

    /// Produces odd data if due.
    pub(super) fn be_odd_in_turn(&self, account: &mut Account) -> Option<BookingAction> {
        let kind = account.oddities.due()?;
        self.be_odd(account, kind)
    }

    fn be_odd(&self, account: &mut Account, kind: Odd) -> Option<BookingAction> {
        let now = self.now();
        let notification =
            if account.oddities.rng.random_ratio(1, 4) { Notification::None } else { Notification::Webhook };
        if kind == Odd::Revived {
            // Send this webhook too; otherwise only the final state would be reported.
            let id = account.cancel_as(kind, now)?;
            self.notify(account, id, Notification::Webhook, ActionKind::Cancelled);
            account.oddities.to_revive = Some(id);
        }
        let (event, id) = account.be_odd(kind, now)?;
        *account.oddities.done.entry(kind).or_default() += 1;
        if !matches!(kind, Odd::DeletedBetweenPages | Odd::ShortList) {
            self.notify(account, id, notification, event);
        }
        Some(BookingAction {
            kind: event,
            booking_id: id,
            notification,
            summary: format!("booking {id} said oddly: {kind:?}"),
        })
    }
}

impl Account {
    /// Performs the action of a kind. Returns its action and booking.
    fn be_odd(&mut self, kind: Odd, now: Timestamp) -> Option<(ActionKind, u64)> {
        match kind {
            Odd::CancelledWithLongNote | Odd::CancelledWithoutNights => {
                Some((ActionKind::Cancelled, self.cancel_as(kind, now)?))
            }
            Odd::Revived => Some((ActionKind::Changed, self.revive(now)?)),
            Odd::DeletedBetweenPages => Some((ActionKind::Cancelled, self.delete_at_the_next_page(now)?)),
            Odd::ShortList => Some((ActionKind::Changed, self.cut_the_next_list(now)?)),
            Odd::LongLet => Some((ActionKind::Made, self.let_long(now)?)),
            Odd::GroupTotalOnMaster => Some((ActionKind::Made, self.make_group(now)?)),
            _ => Some((ActionKind::Made, self.make_as(kind, now)?)),
        }
    }

    fn make_as(&mut self, kind: Odd, now: Timestamp) -> Option<u64> {
        let (room_id, arrival, departure) = self.book.find_room(&mut self.oddities.rng, now)?;
        let id = self.sell(room_id, (arrival, departure), now)?;
        self.mark(id, kind);
        Some(id)
    }

    /// Creates a booking of one adult, sold by a site.
    fn sell(&mut self, room_id: u64, (arrival, departure): (Date, Date), now: Timestamp) -> Option<u64> {
        let price_cents = self.oddities.rng.random_range(10_000..90_000);
        let (first_name, last_name) = ("Maren".to_owned(), "Holmqvist".to_owned());
        let new =
            NewBooking { room_id, arrival, departure, room_qty: 1, num_adult: 1, price_cents, first_name, last_name };
        let id = self.book.make(new, now)?;
        let booking = self.book.get_mut(id)?;
        "booking".clone_into(&mut booking.entry.channel);
        "new".clone_into(&mut booking.entry.status);
        booking.entry.api_reference = format!("7{id}");
        booking.source = (19, "Booking.com");
        Some(id)
    }

    fn mark(&mut self, id: u64, kind: Odd) {
        if let Some(booking) = self.book.get_mut(id) {
            booking.odd = Some(kind);
        }
    }

    /// Returns active, normal bookings: no blocks, group members or bookings made by API.
    fn plain(&self) -> Vec<u64> {
        let of_group = |id: u64| self.book.bookings.iter().any(|other| other.entry.master_id == Some(id));
        let plain = self.book.bookings.iter().filter(|booking| {
            let entry = &booking.entry;
            booking.is_active()
                && booking.odd.is_none()
                && entry.status != "black"
                && entry.reference.is_empty()
                && entry.master_id.is_none()
                && !of_group(entry.id)
        });
        plain.map(|booking| booking.entry.id).collect()
    }

    fn cancel_as(&mut self, kind: Odd, now: Timestamp) -> Option<u64> {
        let id = self.plain().first().copied()?;
        self.book.cancel(id, now);
        self.mark(id, kind);
        Some(id)
    }

    /// Confirms the booking that was just cancelled.
    fn revive(&mut self, now: Timestamp) -> Option<u64> {
        let id = self.oddities.to_revive.take()?;
        let mut booking = self.book.get(id)?.clone();
        "confirmed".clone_into(&mut booking.entry.status);
        booking.cancelled = None;
        self.book.replace(booking, now);
        Some(id)
    }

    /// Changes the price of some bookings, so that the list of changes is long enough to be cut.
    fn change_some(&mut self, now: Timestamp) -> Option<u64> {
        let some: Vec<u64> = self.plain().into_iter().rev().take(BULK_CHANGED).collect();
        for id in &some {
            let price_cents = self.book.get(*id).map(|booking| booking.entry.price_cents + 100);
            self.book.change(*id, &BookingChange { price_cents, ..BookingChange::default() }, now);
        }
        some.first().copied().filter(|_| some.len() >= LEAST_LISTED)
    }

    /// Creates and cancels a booking at the head of the list, which is deleted after it was listed.
    fn delete_at_the_next_page(&mut self, now: Timestamp) -> Option<u64> {
        self.change_some(now)?;
        let id = self.make_as(Odd::DeletedBetweenPages, now)?;
        self.book.cancel(id, now);
        let last = self.book.bookings.pop()?;
        self.book.bookings.insert(0, last);
        self.oddities.to_delete = Some(id);
        Some(id)
    }

    fn cut_the_next_list(&mut self, now: Timestamp) -> Option<u64> {
        let id = self.change_some(now)?;
        self.oddities.cuts_short = true;
        Some(id)
    }

    fn let_long(&mut self, now: Timestamp) -> Option<u64> {
        let rooms: Vec<u64> = self.book.room_types().map(|(_, room)| room.id).collect();
        let first = super::today(now).saturating_add(Span::new().days(LETS_BEGIN_DAYS));
        let stay = (first, first.saturating_add(Span::new().days(LET_NIGHTS)));
        let room = rooms.into_iter().find(|room| self.book.free(*room, stay, None) > 0)?;
        let id = self.sell(room, stay, now)?;
        self.mark(id, Odd::LongLet);
        Some(id)
    }

    /// Creates a group of two or three rooms, each with its own charges, and the total price on the first.
    fn make_group(&mut self, now: Timestamp) -> Option<u64> {
        let (room_id, arrival, departure) = self.book.find_room(&mut self.oddities.rng, now)?;
        let stay = (arrival, departure);
        let first = self.sell(room_id, stay, now)?;
        let rooms: Vec<u64> = self.book.room_types().map(|(_, room)| room.id).collect();
        let free = rooms.into_iter().filter(|room| self.book.free(*room, stay, None) > 0).take(2);
        let rooms: Vec<u64> = free.collect();
        let members: Vec<u64> = rooms.into_iter().filter_map(|room| self.sell(room, stay, now)).collect();
        let mut total = 0;
        for id in members.iter().chain([&first]) {
            let mut item_id = self.book.last_item_id;
            let booking = self.book.get_mut(*id)?;
            let price_cents = booking.entry.price_cents;
            if *id != first {
                booking.entry.master_id = Some(first);
            }
            booking.odd = Some(Odd::GroupTotalOnMaster);
            let mut charge = |booking: &mut BookingRecord, what: &str, cents: u64| {
                item_id += 1;
                let keys = json!({ "type": "charge", "description": what, "qty": 1, "amount": money::number(cents) });
                booking.invoice_items.add(item_id, *id, keys, now);
                total += cents;
            };
            charge(booking, "Room", price_cents);
            if *id == first {
                charge(booking, "Towels", 1_200);
            }
            self.book.last_item_id = item_id;
        }
        let booking = self.book.get_mut(first)?;
        booking.group_cents = Some(total).filter(|_| !members.is_empty());
        Some(first)
    }

    /// Returns the number of records to list in total, and per page.
    pub(super) fn distort_list(&mut self, found: &[u64], page: usize, page_size: usize) -> (usize, usize) {
        if page > 1 {
            return (found.len(), self.oddities.page_size.unwrap_or(page_size));
        }
        self.oddities.page_size = None;
        let half = found.len() / 2;
        if found.len() < LEAST_LISTED {
            return (found.len(), page_size);
        }
        let on_first_page = |id: &u64| found[..half].contains(id);
        if self.oddities.to_delete.as_ref().is_some_and(on_first_page) {
            self.oddities.page_size = Some(half);
            return (found.len(), half);
        }
        if std::mem::take(&mut self.oddities.cuts_short) { (1, page_size) } else { (found.len(), page_size) }
    }

    /// Applies the effects of a page that was read.
    pub(super) fn after_page(&mut self, left_out: &[u64], now: Timestamp) {
        if self.oddities.page_size.is_some()
            && let Some(id) = self.oddities.to_delete.take()
        {
            self.book.bookings.retain(|booking| booking.entry.id != id);
            self.oddities.removed.push(id);
        }
        for id in left_out {
            // Update the modification time of omitted bookings, so that the next query for changes finds them.
            if let Some(booking) = self.book.get_mut(*id) {
                let next = booking.entry.modified + SignedDuration::from_secs(1);
                booking.entry.modified = whole_second(now).max(next);
            }
        }
    }
}
