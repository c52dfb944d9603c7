//! Inbound calls: V2 webhooks, V1 webhooks (which only report that something happened), inventory webhooks.

use gassync_plugin::{
    Change, ChannelError, Decoded, Entity, HttpRequest, Lenient, change, id_of, malformed, read_json, read_one,
    refetch, reply,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{booking_versions, invoice::Invoice, pull::IDS, settings::Settings};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    booking: Option<Box<RawValue>>,
    invoice_items: Option<Box<RawValue>>,
    action: Lenient,
    room_id: Lenient,
    prop_id: Lenient,
}

/// Decodes a call. Beds24 gives no event id, and its messages are identical except for the retry counter, so
/// modification times determine the order.
pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let changes = match (older(request), request.bytes()) {
        (Some(hint), _) => vec![hint],
        (None, []) => return Err(malformed("", "there is neither a body nor a bookid")),
        (None, body) => messages(body)?,
    };
    Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
}

/// Decodes a V1 webhook. The booking id is in the query or in a form, which may also contain card data and is otherwise
/// not read. The action is ignored: "modify" is sent for new and cancelled bookings too.
fn older(request: &HttpRequest) -> Option<Change> {
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let body = std::str::from_utf8(request.bytes()).unwrap_or_default().trim_start();
    let is_json = body.starts_with(['{', '[']);
    let form = if is_json { "" } else { body };
    // A URL with a booking id may belong to a V2 webhook, whose body has the details.
    let texts = if is_json && request.method == "POST" { ["", ""] } else { [query, form] };
    let parameter = |name: &str| texts.iter().find_map(|text| parameter(text, name));
    let booking_id = parameter("bookid")?;
    Some(change(parameter("propid").as_deref(), refetch(Entity::Reservation, Some(booking_id))))
}

/// Decodes a message or a list of messages. An unreadable message does not affect the others; a body that is no message
/// at all is malformed.
fn messages(body: &[u8]) -> Result<Vec<Change>, ChannelError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("", "is not UTF-8"))?;
    let list = text.trim_start().starts_with('[');
    let messages: Vec<Box<RawValue>> = if list { read_json(text, "")? } else { vec![read_json(text, "")?] };
    let reads_invoices = Settings::read()?.invoice_lines;
    let mut changes = Vec::with_capacity(messages.len());
    for (index, raw) in messages.iter().enumerate() {
        let path = if list { format!("/{index}") } else { String::new() };
        if !raw.get().starts_with('{') {
            return Err(malformed(path, "is no message"));
        }
        let booking = booking_of(raw);
        if !list && booking.is_none() {
            // A single message without a booking is of another kind, or invalid.
            changes.push(message(raw, reads_invoices, &path)?);
            continue;
        }
        let id = || booking.and_then(|booking| id_of(booking.get(), &IDS));
        let one = || message(raw, reads_invoices, &path);
        changes.extend(read_one(Entity::Reservation, raw.get(), id, one)?);
    }
    Ok(changes)
}

fn message(raw: &RawValue, reads_invoices: bool, path: &str) -> Result<Change, ChannelError> {
    let message: Message = read_json(raw.get(), path)?;
    Ok(match (&message.booking, message.action.lower().as_str()) {
        // The webhook of a guest's message contains the unchanged booking; reading it is harmless.
        (Some(raw), _) => {
            let beside = message.invoice_items.as_deref();
            let invoice = if reads_invoices { Invoice::Read { beside } } else { Invoice::Ignored };
            booking_versions::read(raw, invoice, &format!("{path}/booking"))?
        }
        (None, "sync_room") => {
            let hint = refetch(Entity::Calendar, message.room_id.unless_zero());
            change(message.prop_id.unless_zero().as_deref(), hint)
        }
        (None, _) => return Err(malformed(format_args!("{path}/booking"), "is missing")),
    })
}

/// Extracts the booking of a message that may otherwise be invalid.
fn booking_of(message: &RawValue) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Named {
        booking: Box<RawValue>,
    }
    read_json::<Named>(message.get(), "").ok().map(|named| named.booking)
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let value =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
    // Ids consist of digits; ignore any other value.
    let value = value.trim();
    (!value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())).then(|| value.to_owned())
}
