//! Webhooks of bookings and rooms.

mod hook;
mod outgoing;
mod render;

pub(super) use hook::PropertyHook;
pub(crate) use outgoing::{BookingWebhook, Event};

use serde_json::Value;
use tokio::sync::Notify;

use super::{Beds24, Delivered, WebhookTarget, encode, json_text};
use crate::webhook::{QueuedWebhook, WebhookRequest, WebhookSender};

impl Beds24 {
    /// Sets the webhook of all properties: version 2 with personal data.
    pub fn set_webhook(&self, webhook: WebhookTarget) {
        let hook = PropertyHook::with_personal_data(webhook);
        let book = &mut self.account().book;
        book.hooks = book.properties.iter().map(|property| (property.id, hook.clone())).collect();
    }

    /// Sets the inventory webhook.
    pub fn set_inventory_webhook(&self, webhook: WebhookTarget) {
        self.account().inventory = Some(webhook);
    }

    /// Number of pending deliveries.
    pub fn webhooks_pending(&self) -> usize {
        self.account().outgoing.pending()
    }

    /// Bookings whose webhooks were acknowledged, in order.
    pub fn webhooks_acknowledged(&self) -> Vec<u64> {
        let delivered = &self.account().outgoing.delivered;
        let acknowledged = delivered.iter().filter(|delivered| delivered.is_acknowledged());
        acknowledged.filter_map(|delivered| delivered.reservation_id.as_deref()?.parse().ok()).collect()
    }

    /// All delivery attempts, in order.
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.account().outgoing.delivered.clone()
    }

    /// The current webhook body of a booking.
    pub fn webhook_body(&self, booking: u64) -> Option<Value> {
        let now = self.now();
        let account = self.account();
        account.book.get(booking).map(|booking| encode::whole(booking, &account.book, Vec::new(), now))
    }
}

impl WebhookSender for Beds24 {
    type Message = BookingWebhook;

    /// Drops webhooks whose target no longer exists.
    fn take(&self) -> Option<(QueuedWebhook<BookingWebhook>, WebhookRequest)> {
        let (now, in_array) = (self.now(), self.inner.settings.webhook_in_array);
        let account = &mut *self.account();
        loop {
            let queued = account.outgoing.take(now, &mut account.faults, &mut account.fault_rng)?;
            let message = &queued.message;
            let request = if message.event == Event::Room {
                account.inventory.clone().map(|webhook| WebhookRequest {
                    url: webhook.url,
                    headers: webhook.header.into_iter().collect(),
                    body: Some(json_text::body(&message.body)),
                })
            } else {
                let hook = account.book.hooks.get(&message.property);
                let address = hook.and_then(|hook| Some((hook, *hook.addresses().get(message.line)?)));
                address.map(|hook| render::booking(hook, &queued, in_array, &mut account.fault_rng))
            };
            match request {
                Some(request) => return Some((queued, request)),
                None => account.outgoing.drop_taken(),
            }
        }
    }

    fn settle(&self, sent: QueuedWebhook<BookingWebhook>, status: Option<u16>) {
        let now = self.now();
        self.account().outgoing.settle(sent, status, now);
    }

    fn ready(&self) -> &Notify {
        &self.inner.delivery_ready
    }
}
