//! Plain keys of a booking, and their default values.

use serde_json::{Map, Value, json};

/// Values of `status`.
pub(super) const STATUSES: [&str; 6] = ["confirmed", "request", "new", "cancelled", "black", "inquiry"];

/// Personal keys of the guest: omitted from webhooks without personal data, and empty without the scope.
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

/// Text keys, empty by default.
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
/// Money keys, zero by default.
pub(super) const SUMS: [&str; 3] = ["deposit", "tax", "commission"];
/// Enumeration keys with a default, and their values.
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

/// Returns the plain keys of a booking with default values.
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
