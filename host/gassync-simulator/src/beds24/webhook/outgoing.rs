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

/// How a rule's `only` calls webhooks.
const CALL: &str = "webhook";
/// The first wait after a delivery that was not taken; each further one is twice as long.
const FIRST_WAIT: SignedDuration = SignedDuration::from_millis(200);
/// The longest wait. The true one is minutes; here people watch.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_secs(3);
/// How long news of a room is tried. How long news of a booking is, nobody tells: it is tried until it is taken.
const ROOM_SPAN: SignedDuration = SignedDuration::from_mins(30);

/// A delivery attempt, for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The booking it told of; none when it told of a room.
    pub booking_id: Option<u64>,
    /// The room it told of; none when it told of a booking.
    pub room_id: Option<u64>,
    /// How often it had been tried before.
    pub retries: u32,
    /// How it was answered; none when it was not.
    pub status: Option<u16>,
}

impl Delivered {
    /// Whether the receiver took it.
    pub fn taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Event {
    New,
    Modify,
    Cancel,
    Message,
    /// Not to a booking: availability or prices of a room are others.
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
    /// A booking, or a room.
    pub about: u64,
    pub property: u64,
    /// Which of the property's addresses is told.
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

    /// What is to be delivered next: the first that is due, unless another overtakes it.
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

    /// Notes how it went, and keeps for later what was not taken.
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

    /// Forgets what nobody wants any more.
    pub(super) fn drop_taken(&mut self) {
        self.in_flight -= 1;
    }
}

impl Account {
    /// Queues news of a booking as it is at this moment, where its property has a webhook.
    pub fn notify_booking(&mut self, settings: &Settings, id: u64, event: Event, now: Timestamp) {
        self.notify(settings, id, event, None, now);
    }

    /// Queues a guest's message.
    pub fn notify_message(&mut self, settings: &Settings, message: &GuestMessage, now: Timestamp) {
        self.notify(settings, message.booking_id, Event::Message, Some(message), now);
    }

    /// Queues that a room's availability or prices are others, where anybody wants to know.
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
