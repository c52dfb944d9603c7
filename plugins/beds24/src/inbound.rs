//! What Beds24 sends: V2 webhooks, V1 webhooks (which say only that something happened), inventory webhooks.

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

/// There is no event id: Beds24 gives none, and its messages repeat byte for byte when nothing but the retry counter
/// differs. Modification times put them in order instead.
pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let changes = match (older(request), request.bytes()) {
        (Some(hint), _) => vec![hint],
        (None, []) => return Err(malformed("", "there is neither a body nor a bookid")),
        (None, body) => messages(body)?,
    };
    Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
}

/// A call of the older interface: the booking is named behind the question mark, or in a form that carries card data
/// besides, of which nothing is read. Its state says nothing: "modify" is sent for new and cancelled bookings too.
fn older(request: &HttpRequest) -> Option<Change> {
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let body = std::str::from_utf8(request.bytes()).unwrap_or_default().trim_start();
    let is_json = body.starts_with(['{', '[']);
    let form = if is_json { "" } else { body };
    // An address that names the booking may be that of a newer webhook, which says more.
    let texts = if is_json && request.method == "POST" { ["", ""] } else { [query, form] };
    let parameter = |name: &str| texts.iter().find_map(|text| parameter(text, name));
    let booking_id = parameter("bookid")?;
    Some(change(parameter("propid").as_deref(), refetch(Entity::Reservation, Some(booking_id))))
}

/// A list of messages, or one by itself. One that cannot be read stops no other; what is no message at all is malformed.
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
            // A message by itself without a booking is one of another kind, or none.
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
        // What a guest wrote comes with the booking as it is: of the booking there is nothing new then.
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

/// The booking in a message of which nothing else need be right.
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
    // Ids are digits; whatever else stands here is no id.
    let value = value.trim();
    (!value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())).then(|| value.to_owned())
}
