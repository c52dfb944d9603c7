//! Actions in the account: random or manual.

use jiff::Span;
use rand::{RngExt, seq::IndexedRandom};

use super::{Account, ActionKind, Beds24, BookEntry, BookingChange, NewBooking, Notification, webhook::Event};

/// An action in the account.
#[derive(Debug, Clone)]
pub struct BookingAction {
    /// Kind of the action.
    pub kind: ActionKind,
    /// The booking.
    pub booking_id: u64,
    /// Whether the action sends a webhook.
    pub notification: Notification,
    /// Summary without guest data.
    pub summary: String,
}

impl Beds24 {
    /// Performs a random action; `None` if none is possible.
    pub fn act(&self) -> Option<BookingAction> {
        let now = self.now();
        let account = &mut *self.account();
        if let Some(action) = self.be_odd_in_turn(account) {
            return Some(action);
        }
        let notification = if account.rng.random_ratio(1, 4) { Notification::None } else { Notification::Webhook };
        let active: Vec<u64> = account
            .book
            .bookings
            .iter()
            .filter(|b| b.is_active() && b.entry.status != "black" && b.odd.is_none())
            .map(|b| b.entry.id)
            .collect();
        let draw = account.rng.random_range(0..10);
        let old = active.choose(&mut account.rng).copied();
        let (kind, booking_id) = match (draw, old) {
            (5..=7, Some(id)) => {
                let change = any_change(account, id);
                account.book.change(id, &change, now).then_some((ActionKind::Changed, id))
            }
            (8..=9, Some(id)) => account.book.cancel(id, now).then_some((ActionKind::Cancelled, id)),
            _ => account.book.make_any(&mut account.rng, now).map(|id| (ActionKind::Made, id)),
        }?;
        let action = BookingAction { kind, booking_id, notification, summary: summary(account, kind, booking_id) };
        self.notify(account, booking_id, notification, kind);
        Some(action)
    }

    /// Creates a booking; `None` if there is no room.
    pub fn make(&self, new: NewBooking, notification: Notification) -> Option<u64> {
        let now = self.now();
        let account = &mut *self.account();
        let id = account.book.make(new, now)?;
        self.notify(account, id, notification, ActionKind::Made);
        Some(id)
    }

    /// Changes a booking; returns false if it is cancelled or the nights are taken.
    pub fn change(&self, id: u64, change: &BookingChange, notification: Notification) -> bool {
        let now = self.now();
        let account = &mut *self.account();
        let left = account.book.get(id).map(|booking| booking.entry.room_id);
        let changed = account.book.change(id, change, now);
        if changed {
            self.notify(account, id, notification, ActionKind::Changed);
            if let Some(left) = left.filter(|left| change.room_id.is_some_and(|room| room != *left)) {
                account.notify_room(&self.inner.settings, left, now);
            }
        }
        changed
    }

    /// Cancels a booking; returns false if it is already cancelled.
    pub fn cancel(&self, id: u64, notification: Notification) -> bool {
        let now = self.now();
        let account = &mut *self.account();
        let cancelled = account.book.cancel(id, now);
        if cancelled {
            self.notify(account, id, notification, ActionKind::Cancelled);
        }
        cancelled
    }

    /// Adds a guest message and returns its id; `None` for direct bookings.
    pub fn guest_writes(&self, booking: u64, text: &str) -> Option<u64> {
        let now = self.now();
        let account = &mut *self.account();
        account.book.get(booking).filter(|booking| booking.is_of_ota())?;
        let message = account.messages.add(booking, "guest", text, now);
        account.notify_message(&self.inner.settings, &message, now);
        self.inner.delivery_ready.notify_one();
        Some(message.id)
    }

    /// Queues a webhook with the current booking, and one for each booking of the same group. The inventory webhook is
    /// always queued.
    pub(super) fn notify(&self, account: &mut Account, id: u64, notification: Notification, kind: ActionKind) {
        let (now, settings) = (self.now(), &self.inner.settings);
        if let Some(room) = account.book.get(id).map(|booking| booking.entry.room_id) {
            account.notify_room(settings, room, now);
        }
        if notification == Notification::Webhook {
            let event = match kind {
                ActionKind::Made => Event::New,
                ActionKind::Changed => Event::Modify,
                ActionKind::Cancelled => Event::Cancel,
            };
            let same_event = |e: &BookEntry| e.id == id || (kind == ActionKind::Made && e.master_id == Some(id));
            let bookings = account.book.bookings.iter().filter(|b| same_event(&b.entry));
            let members: Vec<u64> = bookings.map(|b| b.entry.id).collect();
            account.oddities.said(members.len());
            for member in members {
                account.notify_booking(settings, member, event, now);
            }
        }
        self.inner.delivery_ready.notify_one();
    }
}

fn any_change(account: &mut Account, id: u64) -> BookingChange {
    let Some(entry) = account.book.get(id).map(|b| b.entry.clone()) else { return BookingChange::default() };
    let rng = &mut account.rng;
    let price_cents = Some(entry.price_cents + rng.random_range(100..5_000));
    match rng.random_range(0..3) {
        0 => BookingChange { num_adult: Some(entry.num_adult % 4 + 1), ..BookingChange::default() },
        1 => BookingChange { price_cents, ..BookingChange::default() },
        _ => {
            let later = Span::new().days(rng.random_range(1..=3));
            let dates = (entry.arrival.saturating_add(later), entry.departure.saturating_add(later));
            BookingChange { dates: Some(dates), price_cents, ..BookingChange::default() }
        }
    }
}

fn summary(account: &Account, kind: ActionKind, id: u64) -> String {
    let what = match kind {
        ActionKind::Made => "made",
        ActionKind::Changed => "changed",
        ActionKind::Cancelled => "cancelled",
    };
    let Some(entry) = account.book.get(id).map(|b| &b.entry) else { return String::new() };
    let room = account.book.properties.iter().flat_map(|p| &p.room_types).find(|r| r.id == entry.room_id);
    let room = room.map_or("", |r| r.name.as_str());
    let word = if entry.status == "black" { "block" } else { "booking" };
    format!("{word} {id} {what}: {room}, {} to {}", entry.arrival, entry.departure)
}
