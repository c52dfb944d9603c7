//! Webhooks: one POST per event to every URL, neither signed nor with a header of ours.

use jiff::{SignedDuration, Timestamp, civil::Date};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Account, Smoobu, SmoobuSettings, booking::SmoobuBooking, shown::Shown};
use crate::{
    chance, json_text,
    webhook::{QueuedWebhook, WebhookMessage, WebhookRequest, WebhookSender},
};

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BookingEvent {
    New,
    Update,
    Cancel,
    /// It is gone for good.
    Delete,
}

impl BookingEvent {
    fn action(self) -> &'static str {
        match self {
            Self::New => "newReservation",
            Self::Update => "updateReservation",
            Self::Cancel => "cancelReservation",
            Self::Delete => "deleteReservation",
        }
    }
}

/// What a webhook is about.
#[derive(Debug, Clone, Copy)]
enum About {
    Booking(u64),
    Apartment(u64),
}

/// A webhook for one URL.
#[derive(Debug, Clone)]
pub(crate) struct SmoobuWebhook {
    about: About,
    /// Index of the URL.
    line: usize,
    body: Value,
}

impl WebhookMessage for SmoobuWebhook {
    fn reservation_id(&self) -> Option<String> {
        if let About::Booking(id) = self.about { Some(id.to_string()) } else { None }
    }

    fn room_type_id(&self) -> Option<String> {
        if let About::Apartment(id) = self.about { Some(id.to_string()) } else { None }
    }
}

impl Account {
    /// Queues the webhook of a booking, and those of the nights that it took or left.
    pub fn notify(&mut self, settings: &SmoobuSettings, id: u64, event: BookingEvent, now: Timestamp) {
        if let Some(booking) = self.book.get(id).cloned() {
            self.notify_of(settings, &booking, event, now);
        }
    }

    /// The same for a booking that may be gone.
    pub fn notify_of(
        &mut self,
        settings: &SmoobuSettings,
        booking: &SmoobuBooking,
        event: BookingEvent,
        now: Timestamp,
    ) {
        let data = self.book.wire(booking, Shown::WEBHOOK);
        self.queue(settings, About::Booking(booking.id), event.action(), &data, now);
        if event != BookingEvent::Update {
            let apartments = self.book.closing_with(booking.apartment);
            let nights: Vec<Date> = chance::nights(booking.arrival, booking.departure).collect();
            self.notify_rates(settings, &apartments, &nights, now);
        }
    }

    /// Queues a webhook for each apartment with these nights.
    pub fn notify_rates(&mut self, settings: &SmoobuSettings, apartments: &[u64], nights: &[Date], now: Timestamp) {
        for apartment in apartments {
            let data = self.book.nights(&[*apartment], nights);
            self.queue(settings, About::Apartment(*apartment), "updateRates", &data, now);
        }
    }

    fn queue(&mut self, settings: &SmoobuSettings, about: About, action: &str, data: &Value, now: Timestamp) {
        for line in 0..self.webhook_urls.len() {
            let late = match settings.webhook_late_seconds {
                0 => 0,
                most => self.fault_rng.random_range(0..=most),
            };
            let late = SignedDuration::from_secs(i64::from(late));
            let body = json!({ "action": action, "user": settings.user(), "data": data });
            let webhook = SmoobuWebhook { about, line, body };
            self.outgoing.push(webhook, (now, late), &mut self.faults, &mut self.fault_rng);
        }
    }
}

impl Smoobu {
    /// Sends webhooks to these URLs from now on, all of them to each.
    pub fn set_webhook_urls(&self, urls: impl IntoIterator<Item = String>) {
        self.account().webhook_urls = urls.into_iter().collect();
    }
}

impl WebhookSender for Smoobu {
    type Message = SmoobuWebhook;

    /// Drops webhooks whose URL was taken away.
    fn take(&self) -> Option<(QueuedWebhook<SmoobuWebhook>, WebhookRequest)> {
        let now = self.now();
        let account = &mut *self.account();
        loop {
            let queued = account.outgoing.take(now, &mut account.faults, &mut account.fault_rng)?;
            let Some(url) = account.webhook_urls.get(queued.message.line) else {
                account.outgoing.drop_taken();
                continue;
            };
            let body = Some(json_text::body(&queued.message.body));
            let request = WebhookRequest { url: url.clone(), headers: Vec::new(), body };
            return Some((queued, request));
        }
    }

    fn settle(&self, sent: QueuedWebhook<SmoobuWebhook>, status: Option<u16>) {
        let now = self.now();
        self.account().outgoing.settle(sent, status, now);
    }

    fn ready(&self) -> &Notify {
        &self.inner.delivery_ready
    }
}
