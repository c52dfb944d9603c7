//! Does what is odd: in turn, as often as the rate says, or at once.

use axum::http::Method;
use jiff::Timestamp;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    Account, Settings, Smoobu,
    booking::BookingType,
    channel::Channel,
    odd_form::{Deed, FORMS, OddForm},
    webhook::Event,
};
use crate::{Action, ActionKind, Notification};

/// Rate of odd bookings, and whose turn it is.
pub(super) struct Oddities {
    pub rate: f64,
    acts: u64,
    done: u64,
    order: Vec<&'static OddForm>,
    rng: ChaCha8Rng,
    page_due: bool,
}

impl Oddities {
    pub fn new(rate: f64, mut rng: ChaCha8Rng) -> Self {
        let mut order: Vec<&'static OddForm> = FORMS.iter().collect();
        order.shuffle(&mut rng);
        Self { rate, acts: 0, done: 0, order, rng, page_due: false }
    }

    /// Counts an action, and returns the form that it is to have if the share of odd ones is below the rate.
    pub fn due(&mut self) -> Option<&'static OddForm> {
        self.acts += 1;
        if self.rate <= 0.0 || self.done as f64 + 1.0 > self.rate * self.acts as f64 {
            return None;
        }
        let form = self.order[self.done as usize % self.order.len()];
        self.done += 1;
        Some(form)
    }

    /// True once if the next question is answered by a page.
    pub fn page_is_due(&mut self, method: &Method) -> bool {
        method == Method::GET && std::mem::take(&mut self.page_due)
    }
}

impl Smoobu {
    /// Does something odd of this kind now; `None` if no booking is suitable.
    pub fn be_odd(&self, kind: &str) -> Option<Action> {
        let form = FORMS.iter().find(|form| form.name == kind)?;
        let now = self.now();
        let action = self.account().be_odd(&self.inner.settings, form, now);
        self.inner.delivery_ready.notify_one();
        action
    }
}

impl Account {
    pub fn be_odd(&mut self, settings: &Settings, form: &'static OddForm, now: Timestamp) -> Option<Action> {
        let drawn =
            if self.oddities.rng.random_ratio(1, 4) { Notification::None } else { Notification::Webhook };
        let (kind, id, notification) = match form.deed {
            Deed::Sold | Deed::Page => {
                let (apartment, nights) = self.book.find_nights(&mut self.oddities.rng, now)?;
                let rng = &mut self.oddities.rng;
                let id = self.book.sell(apartment, Channel::BookingCom, nights, rng, now)?;
                self.oddities.page_due |= form.deed == Deed::Page;
                self.say(settings, form, id, (Event::New, drawn), now);
                (ActionKind::Made, id, drawn)
            }
            Deed::House => {
                let house = self.book.apartments.iter().find(|apartment| apartment.related.len() > 1)?.id;
                let nights = self.book.find_nights_of(house, &mut self.oddities.rng, now)?;
                let id = self.book.sell(house, Channel::Airbnb, nights, &mut self.oddities.rng, now)?;
                self.say(settings, form, id, (Event::New, drawn), now);
                (ActionKind::Made, id, drawn)
            }
            Deed::Blocked => {
                let (apartment, nights) = self.book.find_nights(&mut self.oddities.rng, now)?;
                let id = self.book.make(apartment, Channel::Blocked, nights, now)?.id;
                self.say(settings, form, id, (Event::New, drawn), now);
                (ActionKind::Made, id, drawn)
            }
            Deed::CancelledSilently => {
                let id = self.plain().first().copied()?;
                self.book.cancel(id, now);
                self.say(settings, form, id, (Event::Cancel, Notification::None), now);
                (ActionKind::Cancelled, id, Notification::None)
            }
            Deed::Revived => {
                let id = self.plain().first().copied()?;
                self.book.cancel(id, now);
                // This webhook is always sent; otherwise only the last state would be known.
                self.say(settings, form, id, (Event::Cancel, Notification::Webhook), now);
                self.book.get_mut(id)?.touch(BookingType::Modification, now);
                self.say(settings, form, id, (Event::Update, drawn), now);
                (ActionKind::Changed, id, drawn)
            }
            Deed::Deleted => {
                let id = self.plain().first().copied()?;
                let mut booking = self.book.remove(id)?;
                booking.odd = Some(form);
                // No list shows that it is gone.
                self.notify_of(settings, &booking, Event::Delete, now);
                (ActionKind::Cancelled, id, Notification::Webhook)
            }
        };
        let summary = format!("booking {id} is odd: {}", form.name);
        Some(Action { kind, reservation_id: id.to_string(), notification, summary })
    }

    /// Gives a booking the form, and sends it if it is to be sent.
    fn say(
        &mut self,
        settings: &Settings,
        form: &'static OddForm,
        id: u64,
        (event, notification): (Event, Notification),
        now: Timestamp,
    ) {
        if let Some(booking) = self.book.get_mut(id) {
            booking.odd = Some(form);
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
