//! The webhook queue and delivery attempts.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    super::{Account, FaultSettings, InjectedFault, Settings, encode, messages::GuestMessage},
    WebhookTarget,
};

/// Name of webhooks in a rule's `only`.
const CALL: &str = "webhook";
/// Delay before the first retry; it doubles with each further one.
const FIRST_WAIT: SignedDuration = SignedDuration::from_millis(200);
/// Maximum delay between retries. The real one is minutes; this one suits people who watch.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_secs(3);
/// How long webhooks of rooms are retried. The limit for bookings is not documented, so they are retried until
/// acknowledged.
const ROOM_SPAN: SignedDuration = SignedDuration::from_mins(30);

/// A delivery attempt, for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The booking; `None` for a room.
    pub booking_id: Option<u64>,
    /// The room; `None` for a booking.
    pub room_id: Option<u64>,
    /// Number of earlier attempts.
    pub retries: u32,
    /// Response status; `None` without a response.
    pub status: Option<u16>,
}

impl Delivered {
    /// True if the receiver acknowledged it.
    pub fn taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Event {
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

/// A queued webhook with its content at the time of the event.
#[derive(Debug, Clone)]
pub(super) struct PendingDelivery {
    pub event: Event,
    /// Id of the booking or room.
    pub about: u64,
    pub property: u64,
    /// Index of the property's URL.
    pub line: usize,
    pub body: Value,
    pub retries: u32,
    since: Timestamp,
    not_before: Timestamp,
}

#[derive(Clone, Default)]
pub(in super::super) struct Outgoing {
    pub inventory: Option<WebhookTarget>,
    pub delivered: Vec<Delivered>,
    queue: Vec<PendingDelivery>,
    in_flight: usize,
}

impl Outgoing {
    pub fn pending(&self) -> usize {
        self.queue.len() + self.in_flight
    }

    /// Takes the next delivery: the first that is due, unless another one overtakes it.
    pub(super) fn take(
        &mut self,
        now: Timestamp,
        faults: &mut FaultSettings,
        fault_rng: &mut ChaCha8Rng,
    ) -> Option<PendingDelivery> {
        let due = self.queue.iter().enumerate().filter(|(_, delivery)| delivery.not_before <= now);
        let due: Vec<usize> = due.map(|(place, _)| place).collect();
        let first = *due.first()?;
        let overtakes = due.len() > 1 && faults.strikes(InjectedFault::ReorderedWebhook, CALL, fault_rng);
        let place = if overtakes { due[fault_rng.random_range(0..due.len())] } else { first };
        self.in_flight += 1;
        Some(self.queue.remove(place))
    }

    /// Records a result, and schedules a retry if necessary.
    pub(super) fn settle(&mut self, mut delivery: PendingDelivery, status: Option<u16>, now: Timestamp) {
        self.in_flight -= 1;
        let of_room = delivery.event == Event::Room;
        let delivered = Delivered {
            booking_id: (!of_room).then_some(delivery.about),
            room_id: of_room.then_some(delivery.about),
            retries: delivery.retries,
            status,
        };
        let given_up = of_room && now.duration_since(delivery.since) >= ROOM_SPAN;
        if !delivered.taken() && !given_up {
            let wait = (FIRST_WAIT * 2_i32.pow(delivery.retries.min(6))).min(MAX_BUDGET_WAIT);
            delivery.retries += 1;
            delivery.not_before = now + wait;
            self.queue.push(delivery);
        }
        self.delivered.push(delivered);
    }

    /// Drops a delivery in flight whose webhook no longer exists.
    pub(super) fn drop_taken(&mut self) {
        self.in_flight -= 1;
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
        let Some((property, room)) = self.book.room(id).filter(|_| self.outgoing.inventory.is_some()) else { return };
        let text = |number: u64| number.to_string();
        let body = json!({ "roomId": text(room.id), "propId": text(property.id),
            "ownerId": text(settings.owner_id()), "action": Event::Room.as_str() });
        let property = property.id;
        self.queue(
            settings,
            PendingDelivery {
                event: Event::Room,
                about: id,
                property,
                line: 0,
                body,
                retries: 0,
                since: now,
                not_before: now,
            },
        );
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
            self.queue(
                settings,
                PendingDelivery { event, about: id, property, line, body, retries: 0, since: now, not_before: now },
            );
        }
    }

    fn queue(&mut self, settings: &Settings, mut delivery: PendingDelivery) {
        if settings.webhook_late_seconds > 0 {
            let late = self.fault_rng.random_range(0..=settings.webhook_late_seconds);
            delivery.not_before = delivery.since + SignedDuration::from_secs(i64::from(late));
        }
        if self.faults.strikes(InjectedFault::DuplicateWebhook, CALL, &mut self.fault_rng) {
            self.outgoing.queue.push(delivery.clone());
        }
        self.outgoing.queue.push(delivery);
    }
}
