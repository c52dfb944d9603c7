//! Webhooks of any channel: queued with the content at the time of the event, sent one by one, out of order or twice if
//! the faults say so, and retried until acknowledged.

mod deliver;
mod outgoing;

pub(crate) use deliver::{WebhookRequest, WebhookSender, deliver};
pub(crate) use outgoing::{Outgoing, QueuedWebhook, WebhookMessage};

pub use outgoing::Delivered;
