//! Odd forms: what is easy to get wrong about this channel. The account keeps the plain truth; only what is sent is odd.

use serde_json::{Map, Value, json};

use super::{
    booking::SmoobuBooking,
    shown::Place::{self, Webhook},
};

/// How an odd form comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// A booking is sold by a site.
    Sold,
    /// Nights are blocked.
    Blocked,
    /// The whole house is sold, which closes its floor.
    House,
    /// A booking is cancelled, and no webhook says so.
    CancelledSilently,
    /// A booking is cancelled and becomes live again.
    Revived,
    /// A booking is deleted for good.
    Deleted,
    /// A booking is sold, and the next question is answered by an HTML page.
    Page,
}

/// An odd form.
#[derive(Debug)]
pub(super) struct OddKind {
    pub name: &'static str,
    pub deed: Deed,
    /// True if only a person can decide what to do with it.
    pub waits_for_a_person: bool,
    /// Makes what is sent of a booking odd.
    pub distort: fn(&SmoobuBooking, Place, &mut Map<String, Value>),
}

const fn form(
    name: &'static str,
    deed: Deed,
    waits_for_a_person: bool,
    distort: fn(&SmoobuBooking, Place, &mut Map<String, Value>),
) -> OddKind {
    OddKind { name, deed, waits_for_a_person, distort }
}

/// Finds an odd form by name.
pub(super) fn find(name: &str) -> Option<&'static OddKind> {
    FORMS.iter().find(|form| form.name == name)
}

/// All odd forms.
pub(super) static FORMS: [OddKind; 23] = [
    form("guestNameInOneWord", Deed::Sold, false, |booking, _, sent| {
        set(sent, "guest-name", json!(booking.last_name));
        remove(sent, &["firstname", "lastname"]);
    }),
    form("priceAsText", Deed::Sold, false, |booking, _, sent| {
        let cents = booking.price.cents.unwrap_or_default();
        set(sent, "price", json!(format!("{}.{:02}", cents / 100, cents % 100)));
    }),
    form("priceInWords", Deed::Sold, false, |_, _, sent| set(sent, "price", json!("on request"))),
    form("noPrice", Deed::Sold, false, |_, _, sent| set(sent, "price", Value::Null)),
    form("withoutEmail", Deed::Sold, false, |_, _, sent| remove(sent, &["email"])),
    form("emptyEmail", Deed::Sold, false, |_, _, sent| set(sent, "email", json!(""))),
    form("emptyReference", Deed::Sold, false, |_, _, sent| set(sent, "reference-id", json!(""))),
    form("countsUnknown", Deed::Sold, false, |_, _, sent| {
        set(sent, "adults", Value::Null);
        set(sent, "children", Value::Null);
    }),
    form("modifiedWithDash", Deed::Sold, false, |_, _, sent| {
        let at = sent.remove("modifiedAt").unwrap_or_default();
        set(sent, "modified-at", at);
    }),
    form("modifiedWithoutSeconds", Deed::Sold, false, |_, _, sent| {
        let at = sent.get("modifiedAt").and_then(Value::as_str).and_then(|at| at.rsplit_once(':'));
        let minutes = at.map_or(Value::Null, |(minutes, _)| json!(minutes));
        set(sent, "modifiedAt", minutes);
    }),
    form("withoutChannel", Deed::Sold, false, |_, _, sent| set(sent, "channel", Value::Null)),
    form("channelOfAnotherId", Deed::Sold, false, |_, _, sent| {
        if let Some(channel) = sent.get_mut("channel") {
            channel["id"] = json!(63);
            channel["channel_id"] = json!(24);
        }
    }),
    form("smallWebhook", Deed::Sold, false, |_, place, sent| {
        if place == Webhook {
            let kept =
                ["id", "type", "arrival", "departure", "modifiedAt", "apartment", "channel", "guest-name", "price"];
            sent.retain(|key, _| kept.contains(&key.as_str()));
        }
    }),
    form("unpaidAsFlag", Deed::Sold, false, |_, _, sent| set(sent, "price-paid", json!(false))),
    form("unknownType", Deed::Sold, true, |booking, _, sent| {
        if booking.is_active() {
            set(sent, "type", json!("option"));
        }
    }),
    form("blockAsText", Deed::Blocked, false, |_, _, sent| set(sent, "is-blocked-booking", json!("YES"))),
    form("blockAsNumber", Deed::Blocked, false, |_, _, sent| set(sent, "is-blocked-booking", json!(1))),
    form("blockByChannelAlone", Deed::Blocked, false, |_, _, sent| set(sent, "is-blocked-booking", json!(false))),
    form("relatedApartment", Deed::House, false, |_, _, _| {}),
    form("cancelledSilently", Deed::CancelledSilently, false, |_, _, _| {}),
    form("revived", Deed::Revived, true, |_, _, _| {}),
    form("deletedForGood", Deed::Deleted, false, |_, place, sent| {
        if place == Webhook {
            sent.retain(|key, _| key == "id");
        }
    }),
    form("htmlPage", Deed::Page, false, |_, _, _| {}),
];

fn set(sent: &mut Map<String, Value>, key: &str, value: Value) {
    sent.insert(key.to_owned(), value);
}

fn remove(sent: &mut Map<String, Value>, keys: &[&str]) {
    sent.retain(|key, _| !keys.contains(&key.as_str()));
}
