//! Rendering of webhooks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{
    super::{encode, json_text},
    hook::PropertyHook,
    outgoing::{BookingWebhook, Event},
};
use crate::webhook::{QueuedWebhook, WebhookRequest};

/// One in this many version 1 webhooks says "modify", whatever happened.
const SAYS_MODIFY_ONE_IN: u32 = 4;

/// Renders a webhook of a booking for one URL, in the property's version.
pub(super) fn booking(
    (hook, address): (&PropertyHook, &str),
    queued: &QueuedWebhook<BookingWebhook>,
    in_array: bool,
    fault_rng: &mut ChaCha8Rng,
) -> WebhookRequest {
    let message = &queued.message;
    let (headers, url) = (hook.headers(), address.replace("[PROPERTYID]", &message.property.to_string()));
    if hook.version == "one" {
        let word = if fault_rng.random_ratio(1, SAYS_MODIFY_ONE_IN) && message.event != Event::Message {
            "modify"
        } else {
            message.event.as_str()
        };
        let joint = if url.contains('?') { '&' } else { '?' };
        return WebhookRequest {
            url: format!("{url}{joint}bookid={}&status={word}", message.about),
            headers,
            body: None,
        };
    }
    let mut body = message.body.clone();
    body["retries"] = json!(queued.retries);
    if hook.version == "twoNoPersonalData" {
        encode::drop_personal(&mut body["booking"]);
    }
    let body = if in_array { json!([body]) } else { body };
    WebhookRequest { url, headers, body: Some(json_text::body(&body)) }
}
