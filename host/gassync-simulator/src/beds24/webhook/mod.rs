//! Webhooks of bookings and rooms: with the content at the time of the event, delayed, out of order, and retried until
//! acknowledged.

mod deliver;
mod hook;
mod outgoing;
mod render;

pub(super) use deliver::deliver;
pub(super) use hook::PropertyHook;
pub(super) use outgoing::{Event, Outgoing};

pub use outgoing::Delivered;

use serde_json::Value;

use super::{Beds24, encode};

/// Destination of webhooks.
#[derive(Debug, Clone)]
pub struct WebhookTarget {
    /// Full URL.
    pub url: String,
    /// Static header, which is the only authentication.
    pub header: Option<(String, String)>,
}

impl Beds24 {
    /// Sets the webhook of all properties: version 2 with personal data.
    pub fn set_webhook(&self, webhook: WebhookTarget) {
        let hook = PropertyHook::with_personal_data(webhook);
        let book = &mut self.account().book;
        book.hooks = book.properties.iter().map(|property| (property.id, hook.clone())).collect();
    }

    /// Sets the inventory webhook.
    pub fn set_inventory_webhook(&self, webhook: WebhookTarget) {
        self.account().outgoing.inventory = Some(webhook);
    }

    /// Number of pending deliveries.
    pub fn webhooks_pending(&self) -> usize {
        self.account().outgoing.pending()
    }

    /// Bookings whose webhooks were acknowledged, in order.
    pub fn webhooks_acknowledged(&self) -> Vec<u64> {
        let delivered = &self.account().outgoing.delivered;
        delivered.iter().filter(|d| d.taken()).filter_map(|d| d.booking_id).collect()
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
