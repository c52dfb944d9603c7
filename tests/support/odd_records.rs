//! Odd bookings as channels send them: valid bookings, and damage to every field that neither identifies the booking
//! nor gives its nights.

use jiff::civil::Date;
use serde_json::{Value, json};

/// Stands for half a surrogate pair in a value: JSON values cannot contain one, only JSON text can.
pub const HALF_PAIR: &str = "\u{e000}";
/// Prefix of a number that is written digit by digit.
const AS_WRITTEN: &str = "\u{e001}";

/// A pseudo-random generator, the same for every run of a seed.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Creates a generator from a seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed);
        dice.below(1);
        dice
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(end).expect("few")).expect("few")
    }

    /// A random item.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A booking and the nights that it holds of each room type.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The record in the standard schema, undamaged.
    pub record: Value,
    /// The room type of each room, with first night and departure date.
    pub rooms: Vec<(String, Date, Date)>,
}

/// A valid booking of these room types. Some have 130 rooms, some 900 nights.
pub fn booking(dice: &mut Dice, id: &str, room_types: &[&str]) -> Booking {
    let (rooms, nights) = match dice.below(40) {
        0 => (130, 2),
        1 => (1, 900),
        _ => (1 + dice.below(3), 1 + dice.below(9)),
    };
    let days = |days: usize| jiff::Span::new().days(i64::try_from(days).expect("few"));
    let check_in = jiff::civil::date(2027, 1, 1) + days(dice.below(300));
    let check_out = check_in + days(nights);
    let rooms: Vec<(String, Date, Date)> =
        (0..rooms).map(|_| ((*dice.pick(room_types)).to_owned(), check_in, check_out)).collect();
    let own_dates = dice.below(2) == 0;
    let stays: Vec<Value> = rooms
        .iter()
        .enumerate()
        .map(|(index, (room_type, check_in, check_out))| {
            let mut room = json!({ "id": format!("line-{index}"), "roomTypeId": room_type, "adults": 2, "children": 0,
                "ratePlanId": "flex", "unitId": format!("unit-{index}"), "totalPrice": 99.5, "extra": { "floor": 2 },
                "guest": { "firstName": "Amara", "lastName": "Lindqvist" } });
            if own_dates {
                room["checkIn"] = json!(check_in);
                room["checkOut"] = json!(check_out);
            }
            room
        })
        .collect();
    let mut record = json!({
        "id": id, "status": "confirmed", "checkIn": check_in, "checkOut": check_out, "otaReference": format!("ota-{id}"),
        "groupId": "g-1", "propertyId": "p", "source": "direct", "guests": 2, "adults": 2, "children": 0, "infants": 0,
        "pets": 1, "totalPrice": 390.25, "currency": "EUR", "commission": 12.5, "payout": 300, "paymentCollectedBy": "property",
        "bookedAt": "2026-10-01T10:00:00Z", "notes": "A late arrival.", "extra": { "quiet": true },
        "priceLines": [{ "kind": "stay", "name": "Nights", "amount": 350 }, { "kind": "cleaning", "name": "Cleaning", "amount": "40.25" }],
        "guest": { "firstName": "Birger", "lastName": "Ölund", "email": "birger@example.org", "phone": "+46 70 000 00 00",
            "country": "SE", "language": "sv", "address": { "street": "Havsvägen 4", "city": "Visby", "country": "SE" } },
    });
    match stays.as_slice() {
        [room] if dice.below(2) == 0 => record["roomTypeId"] = room["roomTypeId"].clone(),
        _ => record["rooms"] = json!(stays),
    }
    Booking { record, rooms }
}

/// The cancellation of a booking, half of the time without rooms and dates.
pub fn cancellation(dice: &mut Dice, booking: &Booking) -> Value {
    let mut record = booking.record.clone();
    record["status"] = json!("cancelled");
    if let (0, Some(fields)) = (dice.below(2), record.as_object_mut()) {
        fields.retain(|field, _| !["rooms", "roomTypeId", "checkIn", "checkOut"].contains(&field.as_str()));
    }
    record
}

/// The type a field is parsed as.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Read {
    Text,
    Count,
    Amount,
    Instant,
    Anything,
}

/// Every field except those that identify the booking or give its nights.
const FIELDS: [(&str, Read); 43] = [
    ("/otaReference", Read::Text),
    ("/groupId", Read::Text),
    ("/propertyId", Read::Text),
    ("/source", Read::Text),
    ("/currency", Read::Text),
    ("/paymentCollectedBy", Read::Text),
    ("/notes", Read::Text),
    ("/revision", Read::Anything),
    ("/modifiedAt", Read::Anything),
    ("/bookedAt", Read::Instant),
    ("/holdUntil", Read::Instant),
    ("/guests", Read::Count),
    ("/adults", Read::Count),
    ("/children", Read::Count),
    ("/infants", Read::Count),
    ("/pets", Read::Count),
    ("/totalPrice", Read::Amount),
    ("/commission", Read::Amount),
    ("/payout", Read::Amount),
    ("/extra", Read::Anything),
    ("/completeness", Read::Anything),
    ("/intent", Read::Anything),
    ("/priceLines", Read::Anything),
    ("/priceLines/0/kind", Read::Anything),
    ("/priceLines/0/amount", Read::Amount),
    ("/priceLines/1/name", Read::Text),
    ("/guest", Read::Anything),
    ("/guest/id", Read::Text),
    ("/guest/firstName", Read::Text),
    ("/guest/lastName", Read::Text),
    ("/guest/email", Read::Text),
    ("/guest/phone", Read::Text),
    ("/guest/country", Read::Text),
    ("/guest/address", Read::Anything),
    ("/guest/address/city", Read::Text),
    ("/guest/extra", Read::Anything),
    ("/rooms/0/id", Read::Text),
    ("/rooms/0/adults", Read::Count),
    ("/rooms/0/totalPrice", Read::Amount),
    ("/rooms/0/unitId", Read::Text),
    ("/rooms/0/ratePlanId", Read::Text),
    ("/rooms/0/guest", Read::Anything),
    ("/rooms/0/extra", Read::Anything),
];

/// A damaged record.
#[derive(Debug)]
pub struct Damage {
    /// The record after the damage.
    pub record: Value,
    /// Fields whose values cannot be stored as they are.
    pub noticed: Vec<String>,
}

/// Damages one to eight fields of a record. Its identity, its nights and its version order stay unchanged.
pub fn damaged(dice: &mut Dice, record: &Value) -> Damage {
    let mut record = record.clone();
    let mut done: Vec<(String, Value, Read)> = Vec::new();
    for _ in 0..=dice.below(8) {
        let (path, read) = *dice.pick(&FIELDS);
        let odd = odd_value(dice, path);
        let (way, name) = path.rsplit_once('/').expect("a pointer");
        let Some(place) = record.pointer_mut(way) else { continue };
        let index: Option<usize> = name.parse().ok();
        match (place, index) {
            (Value::Object(members), _) => drop(members.insert(name.to_owned(), odd.clone())),
            (Value::Array(items), Some(index)) if index < items.len() => items[index] = odd.clone(),
            _ => continue,
        }
        done.push((path.to_owned(), odd, read));
    }
    let still = |path: &str, value: &Value| record.pointer(path) == Some(value);
    let noticed = done.iter().filter(|(path, value, read)| still(path, value) && is_noticed(value, *read));
    let noticed: Vec<String> = noticed.map(|(path, ..)| path.clone()).collect();
    Damage { record, noticed }
}

fn is_noticed(value: &Value, read: Read) -> bool {
    let text = value.as_str().unwrap_or_default();
    let cannot_be_kept = text.contains('\0') || text.contains(HALF_PAIR) || text.chars().count() > 20_000;
    match read {
        Read::Text => value.is_object() || cannot_be_kept,
        Read::Count | Read::Amount | Read::Instant => value.is_object() || (text.contains("odd") && !text.is_empty()),
        Read::Anything => false,
    }
}

fn odd_value(dice: &mut Dice, path: &str) -> Value {
    let written = |number: &str| Value::from(format!("{AS_WRITTEN}{number}"));
    if matches!(path, "/revision" | "/modifiedAt") {
        // No readable value: a different valid order would change which record is newer.
        let odd = [json!(null), json!({ "a": 1 }), json!("odd\u{0}"), json!("odd ".repeat(100)), json!([[], {}])];
        return dice.pick(&odd).clone();
    }
    let odd = [
        json!(null),
        json!(true),
        json!(17),
        json!(-3),
        json!(5_000_000_000_u64),
        json!(2.0),
        json!(1714.28571),
        json!(1e300),
        written("1e999"),
        written("0.12345678901234567890123456789012345678901234567890"),
        written("-100000000000.00001"),
        json!(""),
        json!("   "),
        json!("2"),
        json!("yes"),
        json!("NaN"),
        json!("1.714,28"),
        json!("1714.285714285714285714285714285714285714"),
        json!("eur"),
        json!("pt"),
        json!("odd"),
        json!("odd é".repeat(4_600)),
        json!(format!("{}@example.org", "odd".repeat(87))),
        json!("odd\u{0}text"),
        json!(format!("odd {HALF_PAIR}")),
        json!(format!("{HALF_PAIR}{HALF_PAIR} \u{1f600}")),
        json!("0001-01-01"),
        json!("9999-12-31T23:59:59Z"),
        json!("2027-02-30"),
        json!([]),
        json!([null, 1]),
        json!(["odd"]),
        json!([[["odd"]]]),
        json!({}),
        json!({ "amount": 12, "currency": "EUR" }),
        json!({ "0": { "odd\u{0}": [{ "a": HALF_PAIR }] } }),
        json!({ "firstName": { "a": 1 }, "kind": 5, "roomTypeId": {} }),
        nested(200),
        json!((0..60).map(|n| (n.to_string(), json!("odd".repeat(200)))).collect::<serde_json::Map<_, _>>()),
        json!((0..150).map(|_| json!({ "kind": "fee", "name": "Fee", "amount": 1 })).collect::<Vec<_>>()),
    ];
    dice.pick(&odd).clone()
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

/// The record as sent: with halves of surrogate pairs, and with numbers that JSON values cannot hold.
pub fn as_text(record: &Value) -> String {
    let text = record.to_string().replace(HALF_PAIR, "\\ud83d");
    let begin = format!("\"{AS_WRITTEN}");
    let mut parts = text.split(&begin);
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('"').expect("a number ends");
        written.push_str(number);
        written.push_str(rest);
    }
    written
}
