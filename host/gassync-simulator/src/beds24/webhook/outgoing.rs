//! What is queued when a booking or a room changes.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde_json::{Value, json};

use super::super::{Account, Settings, encode, messages::GuestMessage};
use crate::webhook::WebhookMessage;

/// How long webhooks of rooms are retried. The limit for bookings is not documented, so they are retried until
/// acknowledged.
const ROOM_SPAN: SignedDuration = SignedDuration::from_mins(30);

/// Kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    New,
    Modify,
    Cancel,
    Message,
    /// Not about a booking: a room's availability or prices changed.
    Room,
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Modify => "modify",
            Self::Cancel => "cancel",
            Self::Message => "message",
            Self::Room => "SYNC_ROOM",
        }
    }
}

/// A webhook of a booking or room.
#[derive(Debug, Clone)]
pub(crate) struct BookingWebhook {
    pub event: Event,
    /// Id of the booking or room.
    pub about: u64,
    pub property: u64,
    /// Index of the property's URL.
    pub line: usize,
    pub body: Value,
}

impl WebhookMessage for BookingWebhook {
    fn reservation_id(&self) -> Option<String> {
        (self.event != Event::Room).then(|| self.about.to_string())
    }

    fn room_type_id(&self) -> Option<String> {
        (self.event == Event::Room).then(|| self.about.to_string())
    }

    fn is_retried_for(&self) -> Option<SignedDuration> {
        (self.event == Event::Room).then_some(ROOM_SPAN)
    }
}

impl Account {
    /// Queues a webhook with a booking's current state, if its property has a webhook.
    pub fn notify_booking(&mut self, settings: &Settings, id: u64, event: Event, now: Timestamp) {
        self.notify(settings, id, event, None, now);
    }

    /// Queues a guest's message.
    pub fn notify_message(&mut self, settings: &Settings, message: &GuestMessage, now: Timestamp) {
        self.notify(settings, message.booking_id, Event::Message, Some(message), now);
    }

    /// Queues a webhook about a room's changed availability or prices, if configured.
    pub fn notify_room(&mut self, settings: &Settings, id: u64, now: Timestamp) {
        let Some((property, room)) = self.book.room(id).filter(|_| self.inventory.is_some()) else { return };
        let text = |number: u64| number.to_string();
        let body = json!({ "roomId": text(room.id), "propId": text(property.id),
            "ownerId": text(settings.owner_id()), "action": Event::Room.as_str() });
        let property = property.id;
        self.queue(settings, BookingWebhook { event: Event::Room, about: id, property, line: 0, body }, now);
    }

    fn notify(&mut self, settings: &Settings, id: u64, event: Event, message: Option<&GuestMessage>, now: Timestamp) {
        let Some(booking) = self.book.get(id) else { return };
        let property = booking.entry.property_id;
        let lines = self.book.hooks.get(&property).map_or(0, |hook| hook.addresses().len());
        if lines == 0 {
            return;
        }
        let messages = message.map(|message| message.wire(booking, settings.owner_id())).into_iter().collect();
        let body = encode::whole(booking, &self.book, messages, now);
        for line in 0..lines {
            let body = body.clone();
            self.queue(settings, BookingWebhook { event, about: id, property, line, body }, now);
        }
    }

    fn queue(&mut self, settings: &Settings, webhook: BookingWebhook, now: Timestamp) {
        let late = if settings.webhook_late_seconds > 0 {
            self.fault_rng.random_range(0..=settings.webhook_late_seconds)
        } else {
            0
        };
        let late = SignedDuration::from_secs(i64::from(late));
        self.outgoing.push(webhook, (now, late), &mut self.faults, &mut self.fault_rng);
    }
}
