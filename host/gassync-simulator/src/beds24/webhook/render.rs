//! How a delivery reads on the wire.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    super::wire,
    hook::PropertyHook,
    outgoing::{Event, News},
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
    news: &News,
    in_array: bool,
    dice: &mut ChaCha8Rng,
) -> Rendered {
    let (headers, url) = (hook.headers(), address.replace("[PROPERTYID]", &news.property.to_string()));
    if hook.version == "one" {
        let word = if dice.random_ratio(1, SAYS_MODIFY_ONE_IN) && news.event != Event::Message {
            "modify"
        } else {
            news.event.word()
        };
        let joint = if url.contains('?') { '&' } else { '?' };
        return Rendered { url: format!("{url}{joint}bookid={}&status={word}", news.about), headers, body: None };
    }
    let mut body = news.body.clone();
    body["retries"] = json!(news.retries);
    if hook.version == "twoNoPersonalData" {
        wire::drop_personal(&mut body["booking"]);
    }
    Rendered { url, headers, body: Some(if in_array { json!([body]) } else { body }) }
}
