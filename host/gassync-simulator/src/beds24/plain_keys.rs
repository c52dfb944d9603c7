//! The plain keys of a booking, and what they are when nobody wrote them.

use serde_json::{Map, Value, json};

/// The words of `status`.
pub(super) const STATUSES: [&str; 6] = ["confirmed", "request", "new", "cancelled", "black", "inquiry"];

/// Keys that say who the guest is: left out of webhooks without personal data, and empty without the scope for them.
pub(super) const PERSONAL: [&str; 12] = [
    "title",
    "firstName",
    "lastName",
    "email",
    "phone",
    "mobile",
    "fax",
    "company",
    "address",
    "city",
    "state",
    "postcode",
];

/// Text, empty unless written.
pub(super) const TEXTS: [&str; 34] = [
    "title",
    "email",
    "phone",
    "mobile",
    "fax",
    "company",
    "address",
    "city",
    "state",
    "postcode",
    "country",
    "arrivalTime",
    "voucher",
    "comments",
    "notes",
    "message",
    "groupNote",
    "custom1",
    "custom2",
    "custom3",
    "custom4",
    "custom5",
    "custom6",
    "custom7",
    "custom8",
    "custom9",
    "custom10",
    "flagColor",
    "flagText",
    "lang",
    "rateDescription",
    "refererEditable",
    "apiMessage",
    "referer",
];
/// Money, nothing unless written.
pub(super) const SUMS: [&str; 3] = ["deposit", "tax", "commission"];
/// Words that have a first value.
pub(super) const WORDS: [(&str, &str, &[&str]); 4] = [
    (
        "subStatus",
        "none",
        &[
            "actionRequired",
            "allotment",
            "cancelledByGuest",
            "cancelledByHost",
            "noShow",
            "waitlist",
            "walkin",
            "none",
            "nonPayment",
        ],
    ),
    ("allowChannelUpdate", "all", &["none", "all", "allExceptRoomChange"]),
    ("allowAutoAction", "enable", &["enable", "disable"]),
    ("allowReview", "default", &["default", "enable", "disable"]),
];

/// The plain keys of a booking that nobody wrote.
pub(super) fn untouched() -> Map<String, Value> {
    let texts = TEXTS.map(|key| (key, json!("")));
    let sums = SUMS.map(|key| (key, json!(0)));
    let words = WORDS.map(|(key, first, _)| (key, json!(first)));
    let others = [
        ("offerId", json!(0)),
        ("statusCode", json!(0)),
        ("country2", Value::Null),
        ("invoiceeId", Value::Null),
        ("allowCancellation", json!({ "type": "propertyDefault" })),
    ];
    let all = texts.into_iter().chain(sums).chain(words).chain(others);
    all.map(|(key, value)| (key.to_owned(), value)).collect()
}
