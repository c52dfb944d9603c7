//! Does what is odd: in turn, as often as the rate says, or at once.

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    Account, Smoobu, SmoobuSettings,
    booking::BookingType,
    channel::Channel,
    odd_kind::{self, Deed, FORMS, OddKind},
    webhook::BookingEvent,
};
use crate::{Action, ActionKind, Notification};

/// Rate of odd bookings, and whose turn it is.
pub(super) struct OddTurns {
    pub rate: f64,
    acts: u64,
    turns: usize,
    /// How often each form was sent.
    pub sent: BTreeMap<&'static str, u64>,
    order: Vec<&'static OddKind>,
    rng: ChaCha8Rng,
    page_due: bool,
}

impl OddTurns {
    pub fn new(rate: f64, mut rng: ChaCha8Rng) -> Self {
        let mut order: Vec<&'static OddKind> = FORMS.iter().collect();
        order.shuffle(&mut rng);
        Self { rate, acts: 0, turns: 0, sent: BTreeMap::new(), order, rng, page_due: false }
    }

    /// Counts an action, and returns the form that it is to have if the share of odd ones is below the rate.
    pub fn due(&mut self) -> Option<&'static OddKind> {
        self.acts += 1;
        let sent: u64 = self.sent.values().sum();
        if self.rate <= 0.0 || sent as f64 + 1.0 > self.rate * self.acts as f64 {
            return None;
        }
        let form = self.order.get(self.turns % self.order.len()).copied();
        self.turns += 1;
        form
    }

    /// True once if the next question is answered by a page.
    pub fn page_is_due(&mut self, method: &Method) -> bool {
        method == Method::GET && std::mem::take(&mut self.page_due)
    }
}

impl Smoobu {
    /// Does something odd of this kind now; `None` if no booking is suitable.
    pub fn be_odd(&self, kind: &str) -> Option<Action> {
        let form = odd_kind::find(kind)?;
        self.change(|account, settings, now| account.be_odd(settings, form, now))
    }
}

impl Account {
    pub fn be_odd(&mut self, settings: &SmoobuSettings, form: &'static OddKind, now: Timestamp) -> Option<Action> {
        let drawn = if self.oddities.rng.random_ratio(1, 4) { Notification::None } else { Notification::Webhook };
        let (kind, id, notification) = match form.deed {
            Deed::Sold | Deed::Page => {
                let (apartment, nights) = self.book.find_nights(&mut self.oddities.rng, now)?;
                let rng = &mut self.oddities.rng;
                let id = self.book.sell(apartment, Channel::BookingCom, nights, rng, now)?;
                // The price stands for itself: no parts say it too.
                self.book.get_mut(id)?.elements.clear();
                self.oddities.page_due |= form.deed == Deed::Page;
                self.say(settings, form, id, (BookingEvent::New, drawn), now);
                (ActionKind::Made, id, drawn)
            }
            Deed::House => {
                let house = self.book.apartments.iter().find(|apartment| !apartment.related.is_empty())?.id;
                let (house, nights) = self.book.find_nights_of(&[house], &mut self.oddities.rng, now)?;
                let id = self.book.sell(house, Channel::Airbnb, nights, &mut self.oddities.rng, now)?;
                self.say(settings, form, id, (BookingEvent::New, drawn), now);
                (ActionKind::Made, id, drawn)
            }
            Deed::Blocked => {
                let (apartment, nights) = self.book.find_nights(&mut self.oddities.rng, now)?;
                let id = self.book.make(apartment, Channel::Blocked, nights, now)?.id;
                self.say(settings, form, id, (BookingEvent::New, drawn), now);
                (ActionKind::Made, id, drawn)
            }
            Deed::CancelledSilently => {
                let id = self.plain().first().copied()?;
                self.book.cancel(id, now);
                self.say(settings, form, id, (BookingEvent::Cancel, Notification::None), now);
                (ActionKind::Cancelled, id, Notification::None)
            }
            Deed::Revived => {
                let id = self.plain().first().copied()?;
                self.book.cancel(id, now);
                // This webhook is always sent; otherwise only the last state would be known.
                self.say(settings, form, id, (BookingEvent::Cancel, Notification::Webhook), now);
                self.book.get_mut(id)?.touch(BookingType::Modification, now);
                self.say(settings, form, id, (BookingEvent::Update, drawn), now);
                (ActionKind::Changed, id, drawn)
            }
            Deed::Deleted => {
                let id = self.plain().first().copied()?;
                let mut booking = self.book.remove(id)?;
                booking.odd = Some(form.name);
                // No list shows that it is gone.
                self.notify_of(settings, &booking, BookingEvent::Delete, now);
                (ActionKind::Cancelled, id, Notification::Webhook)
            }
        };
        *self.oddities.sent.entry(form.name).or_default() += 1;
        let summary = format!("booking {id} is odd: {}", form.name);
        Some(Action { kind, reservation_id: id.to_string(), notification, summary })
    }

    /// Gives a booking the form, and sends it if it is to be sent.
    fn say(
        &mut self,
        settings: &SmoobuSettings,
        form: &'static OddKind,
        id: u64,
        (event, notification): (BookingEvent, Notification),
        now: Timestamp,
    ) {
        if let Some(booking) = self.book.get_mut(id) {
            booking.odd = Some(form.name);
        }
        if notification == Notification::Webhook {
            self.notify(settings, id, event, now);
        }
    }

    /// Live bookings of guests that are not odd and were not made by API.
    pub fn plain(&self) -> Vec<u64> {
        let plain = self.book.bookings.iter().filter(|booking| {
            booking.is_active() && !booking.is_block() && booking.odd.is_none() && booking.given_reference.is_none()
        });
        plain.map(|booking| booking.id).collect()
    }
}
