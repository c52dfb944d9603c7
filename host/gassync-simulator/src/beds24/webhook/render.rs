//! Rendering of webhooks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    super::encode,
    hook::PropertyHook,
    outgoing::{Event, PendingDelivery},
};

/// One in this many version 1 webhooks says "modify", whatever happened.
const SAYS_MODIFY_ONE_IN: u32 = 4;

/// A request to send.
pub(super) struct Rendered {
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// `Some` for POST, `None` for GET.
    pub body: Option<Value>,
}

/// Renders a webhook of a booking for one URL, in the property's version.
pub(super) fn booking(
    (hook, address): (&PropertyHook, &str),
    delivery: &PendingDelivery,
    in_array: bool,
    fault_rng: &mut ChaCha8Rng,
) -> Rendered {
    let (headers, url) = (hook.headers(), address.replace("[PROPERTYID]", &delivery.property.to_string()));
    if hook.version == "one" {
        let word = if fault_rng.random_ratio(1, SAYS_MODIFY_ONE_IN) && delivery.event != Event::Message {
            "modify"
        } else {
            delivery.event.as_str()
        };
        let joint = if url.contains('?') { '&' } else { '?' };
        return Rendered { url: format!("{url}{joint}bookid={}&status={word}", delivery.about), headers, body: None };
    }
    let mut body = delivery.body.clone();
    body["retries"] = json!(delivery.retries);
    if hook.version == "twoNoPersonalData" {
        encode::drop_personal(&mut body["booking"]);
    }
    Rendered { url, headers, body: Some(if in_array { json!([body]) } else { body }) }
}
