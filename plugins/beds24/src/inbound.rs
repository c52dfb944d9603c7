//! What Beds24 sends: V2 webhooks, V1 webhooks (which say only that something happened), inventory webhooks.

use gassync_plugin::{
    Change, ChannelError, Decoded, Entity, HttpRequest, Loose, change, look_again, malformed, read_json, reply,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::booking;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    booking: Option<Box<RawValue>>,
    action: Loose,
    room_id: Loose,
}

/// There is no event id: Beds24 gives none, and its messages repeat byte for byte when nothing but the retry counter
/// differs. Modification times put them in order instead.
pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let changes = match (parameter(query, "bookid"), request.body.as_deref().filter(|b| !b.is_empty())) {
        // The state in a V1 call says nothing: "modify" is sent for new and cancelled bookings too.
        (Some(id), _) => vec![change(None, look_again(Entity::Reservation, Some(id)))],
        (None, Some(body)) => messages(body)?,
        (None, None) => return Err(malformed("", "there is neither a body nor a bookid")),
    };
    Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
}

fn messages(body: &[u8]) -> Result<Vec<Change>, ChannelError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("", "is not UTF-8"))?;
    let list = text.trim_start().starts_with('[');
    let messages: Vec<Message> = if list { read_json(text, "")? } else { vec![read_json(text, "")?] };
    let mut changes = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let path = if list { format!("/{index}") } else { String::new() };
        match (&message.booking, message.action.as_str(), message.room_id.unless_zero()) {
            (Some(raw), ..) => changes.push(booking::read(raw, &format!("{path}/booking"))?),
            (None, Some("SYNC_ROOM"), Some(id)) => {
                changes.push(change(None, look_again(Entity::Calendar, Some(id))));
            }
            _ => return Err(malformed(format_args!("{path}/booking"), "is missing")),
        }
    }
    Ok(changes)
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let value =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
    // Ids are digits; whatever else stands here is no id.
    (!value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())).then(|| value.to_owned())
}
