//! Rendering of webhooks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    super::encode,
    hook::PropertyHook,
    outgoing::{Event, PendingDelivery},
};

/// Version 1 says of one in so many that a booking was modified, whatever became of it.
const SAYS_MODIFY_ONE_IN: u32 = 4;

/// What goes out.
pub(super) struct Rendered {
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// POST when there is one, else GET.
    pub body: Option<Value>,
}

/// News of a booking as a property's hook has it, for one of its addresses.
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
