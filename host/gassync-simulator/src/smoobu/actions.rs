//! What happens in the account: by chance, or by hand.

use jiff::{Span, Timestamp, civil::Date};
use rand::{RngExt, seq::IndexedRandom};

use super::{Account, SmoobuSettings, booking::BookingType, channel::Channel, webhook::BookingEvent};
use crate::{Action, ActionKind, NewReservation, Notification, chance};

impl Account {
    /// Performs a random action; `None` if none is possible.
    pub fn act(&mut self, settings: &SmoobuSettings, now: Timestamp) -> Option<Action> {
        if let Some(form) = self.oddities.due() {
            return self.be_odd(settings, form, now);
        }
        let notification = if self.rng.random_ratio(1, 4) { Notification::None } else { Notification::Webhook };
        let draw = self.rng.random_range(0..10);
        let old = self.plain().choose(&mut self.rng).copied();
        let (kind, id, done) = match (draw, old) {
            (5..=6, Some(id)) => {
                let nights = self.other_nights(id, now)?;
                (ActionKind::Changed, id, self.rebook(settings, id, nights, now, notification))
            }
            (7, Some(id)) => (ActionKind::Changed, id, self.reprice(settings, id, now, notification)),
            (8..=9, Some(id)) => (ActionKind::Cancelled, id, self.cancel(settings, id, now, notification)),
            _ => {
                let id = self.book.make_any(&mut self.rng, now)?;
                self.notify_if(settings, id, (BookingEvent::New, notification), now);
                (ActionKind::Made, id, true)
            }
        };
        done.then(|| Action { kind, reservation_id: id.to_string(), notification, summary: summary(kind, id) })
    }

    fn notify_if(
        &mut self,
        settings: &SmoobuSettings,
        id: u64,
        (event, how): (BookingEvent, Notification),
        now: Timestamp,
    ) {
        if how == Notification::Webhook {
            self.notify(settings, id, event, now);
        }
    }

    /// Chooses other nights of the same length for a booking.
    fn other_nights(&mut self, id: u64, now: Timestamp) -> Option<(Date, Date)> {
        let booking = self.book.get(id)?;
        let stay = booking.departure.since(booking.arrival).ok()?;
        let arrival = booking.arrival.saturating_add(Span::new().days(self.rng.random_range(1..5)));
        let arrival = arrival.max(chance::today(now));
        Some((arrival, arrival.saturating_add(stay)))
    }

    /// Changes price and adults of a booking, whose price is then in one piece.
    fn reprice(&mut self, settings: &SmoobuSettings, id: u64, now: Timestamp, notification: Notification) -> bool {
        let more = self.rng.random_range(1..40) * 100;
        let Some(booking) = self.book.get_mut(id) else { return false };
        booking.price.cents = booking.price.cents.map(|cents| cents + more);
        booking.adults = booking.adults.map(|adults| adults % 2 + 1);
        booking.elements.clear();
        booking.touch(BookingType::Modification, now);
        self.notify_if(settings, id, (BookingEvent::Update, notification), now);
        true
    }

    /// Adds a direct booking by hand; `None` if there is no room.
    pub fn make(
        &mut self,
        settings: &SmoobuSettings,
        new: &NewReservation,
        now: Timestamp,
        notification: Notification,
    ) -> Option<u64> {
        let apartment = new.room_type_id.parse().ok()?;
        let booking = self.book.make(apartment, Channel::Direct, (new.check_in, new.check_out), now)?;
        booking.adults = Some(new.adults);
        booking.children = Some(0);
        booking.price.cents = Some(new.total_cents);
        (booking.first_name, booking.last_name) = new.guest.clone();
        booking.email = Some(format!("guest{}@example.org", booking.id));
        let id = booking.id;
        self.notify_if(settings, id, (BookingEvent::New, notification), now);
        Some(id)
    }

    /// Moves a booking by hand; the nights that it left are told too.
    pub fn rebook(
        &mut self,
        settings: &SmoobuSettings,
        id: u64,
        nights: (Date, Date),
        now: Timestamp,
        notification: Notification,
    ) -> bool {
        let Some(before) = self.book.get(id).cloned() else { return false };
        if !self.book.rebook(id, nights, now) {
            return false;
        }
        if notification == Notification::Webhook {
            self.notify(settings, id, BookingEvent::Update, now);
            let left = chance::nights(before.arrival, before.departure);
            let mut changed: Vec<Date> = left.chain(chance::nights(nights.0, nights.1)).collect();
            changed.sort_unstable();
            changed.dedup();
            self.notify_rates(settings, &self.book.closing_with(before.apartment), &changed, now);
        }
        true
    }

    /// Cancels a booking or block; false if it is cancelled or unknown.
    pub fn cancel(&mut self, settings: &SmoobuSettings, id: u64, now: Timestamp, notification: Notification) -> bool {
        let vanishes = settings.deleted_blocks_vanish && self.book.get(id).is_some_and(|booking| booking.is_block());
        if vanishes {
            let Some(block) = self.book.remove(id) else { return false };
            if notification == Notification::Webhook {
                self.notify_of(settings, &block, BookingEvent::Delete, now);
            }
            return true;
        }
        let cancelled = self.book.cancel(id, now);
        if cancelled {
            self.notify_if(settings, id, (BookingEvent::Cancel, notification), now);
        }
        cancelled
    }
}

fn summary(kind: ActionKind, id: u64) -> String {
    let what = match kind {
        ActionKind::Made => "made",
        ActionKind::Changed => "changed",
        ActionKind::Cancelled => "cancelled",
    };
    format!("booking {id} {what}")
}
