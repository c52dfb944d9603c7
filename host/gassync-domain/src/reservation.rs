use std::{convert::Infallible, str::FromStr};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Amount, Extra, Guest, PriceLine, text::said, text::some_instant};

/// The status of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Confirmed.
    Confirmed,
    /// Pending: holds its nights, until `hold_until` if given.
    Pending,
    /// An inquiry; holds no nights.
    Inquiry,
    /// Cancelled.
    Cancelled,
    /// Declined by the host; holds no nights.
    Declined,
    /// Confirmed, but the guest did not arrive.
    NoShow,
    /// The channel's own word: parked until a person decides.
    Other(String),
}

impl Status {
    /// The name in the standard schema.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Pending => "pending",
            Self::Inquiry => "inquiry",
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
            Self::NoShow => "no-show",
            Self::Other(word) => word,
        }
    }

    /// Whether the nights are occupied.
    pub fn holds_nights(&self) -> bool {
        matches!(self, Self::Confirmed | Self::Pending | Self::NoShow)
    }
}

/// Spellings of each status, compared without case, spaces, `_` and `-`. Only unambiguous spellings are listed; any
/// other status is parked for a decision.
const SPELLINGS: [(&str, Status); 22] = [
    ("confirmed", Status::Confirmed),
    ("confirm", Status::Confirmed),
    ("booked", Status::Confirmed),
    ("accepted", Status::Confirmed),
    ("approved", Status::Confirmed),
    ("pending", Status::Pending),
    ("requested", Status::Pending),
    ("request", Status::Pending),
    ("tentative", Status::Pending),
    ("inquiry", Status::Inquiry),
    ("enquiry", Status::Inquiry),
    ("cancelled", Status::Cancelled),
    ("canceled", Status::Cancelled),
    ("cancel", Status::Cancelled),
    ("cancellation", Status::Cancelled),
    ("declined", Status::Declined),
    ("decline", Status::Declined),
    ("rejected", Status::Declined),
    ("denied", Status::Declined),
    ("refused", Status::Declined),
    ("noshow", Status::NoShow),
    ("didnotarrive", Status::NoShow),
];

impl FromStr for Status {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        let letters: String = word
            .chars()
            .filter(|letter| !letter.is_whitespace() && !matches!(letter, '_' | '-'))
            .flat_map(char::to_lowercase)
            .collect();
        let known = SPELLINGS.iter().find(|(spelling, _)| *spelling == letters);
        Ok(known.map_or_else(|| Self::Other(word.to_owned()), |(_, status)| status.clone()))
    }
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        let Ok(status) = word.parse();
        status
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Whether the sender reports a fact or makes a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// It has happened: stored even if it conflicts.
    #[default]
    Fact,
    /// A request: may be refused.
    Request,
}

/// Whether absent fields are empty or unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// The whole record.
    #[default]
    Full,
    /// Absent fields keep their stored values.
    Partial,
}

/// One room of a reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomStay {
    /// The channel's id of this line, if it distinguishes the rooms of one reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The channel's id of the room type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// The unit within the type, if one is assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<String>,
    /// The rate plan it was sold under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_plan_id: Option<String>,
    /// First night.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub check_in: Option<Date>,
    /// Day of departure; its night is not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub check_out: Option<Date>,
    /// Number of guests when ages are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<u32>,
    /// Adults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adults: Option<u32>,
    /// Children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<u32>,
    /// Infants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infants: Option<u32>,
    /// Price of this room, in the reservation's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub total_price: Option<Amount>,
    /// The guest of this room, if other than the one who booked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
    /// Additional members from the channel.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Who collects the guest's payment: `channel`, `property`, or the channel's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentCollectedBy {
    /// The channel, which pays the property.
    Channel,
    /// The property.
    Property,
    /// Neither or both: the channel's own word.
    #[serde(untagged)]
    Other(String),
}

/// A reservation in the standard schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "res-2027-0417", "roomTypeId": "room-garden", "checkIn": "2027-06-01", "checkOut": "2027-06-04",
    "status": "confirmed", "source": "direct",
    "guest": { "firstName": "Amara", "lastName": "Lindqvist", "email": "amara@example.org" },
    "adults": 2, "children": 0, "totalPrice": 390.0, "currency": "EUR", "rooms": [], "intent": "fact",
    "completeness": "full"
}))]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The channel's id.
    pub id: String,
    /// The number at the selling site; not unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ota_reference: Option<String>,
    /// The id that bookings of one group share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// The channel's id of the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// The channel's id of the room type, if there is one room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// Short form for several rooms that differ only in their type; read, never written.
    #[serde(default, skip_serializing)]
    pub room_type_ids: Vec<String>,
    /// One entry per room; may be empty on a bare cancellation.
    #[serde(default)]
    pub rooms: Vec<RoomStay>,
    /// First night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub check_in: Option<Date>,
    /// Day of departure; its night is not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub check_out: Option<Date>,
    /// Its status.
    #[schema(value_type = String, example = "confirmed")]
    pub status: Status,
    /// The end of the hold of a pending reservation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub hold_until: Option<Timestamp>,
    /// The selling site: `direct`, `airbnb`, `booking.com`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The guest who booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
    /// Number of guests when ages are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<u32>,
    /// Adults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adults: Option<u32>,
    /// Children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<u32>,
    /// Infants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infants: Option<u32>,
    /// Animals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pets: Option<u32>,
    /// The total that the guest pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub total_price: Option<Amount>,
    /// The lines of the total, in the same currency; the total excludes deposits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_lines: Vec<PriceLine>,
    /// ISO 4217; absent means the property's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The seller's commission, in the same currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub commission: Option<Amount>,
    /// What the property receives, in the same currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub payout: Option<Amount>,
    /// Who collects the guest's payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "property")]
    pub payment_collected_by: Option<PaymentCollectedBy>,
    /// The time of booking.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub booked_at: Option<Timestamp>,
    /// The time of the channel's last change.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub modified_at: Option<Timestamp>,
    /// The channel's own version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// A fact or a request.
    #[serde(default)]
    pub intent: Intent,
    /// A full record or a partial one.
    #[serde(default)]
    pub completeness: Completeness,
    /// The token to acknowledge it with, if the channel requires acknowledgement.
    #[serde(skip)]
    pub acknowledgement_token: Option<String>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Reservation {
    /// A record with only an id and a status.
    pub fn new(id: impl Into<String>, status: Status) -> Self {
        Self {
            id: id.into(),
            status,
            ota_reference: None,
            group_id: None,
            property_id: None,
            room_type_id: None,
            room_type_ids: Vec::new(),
            rooms: Vec::new(),
            check_in: None,
            check_out: None,
            hold_until: None,
            source: None,
            guest: None,
            guests: None,
            adults: None,
            children: None,
            infants: None,
            pets: None,
            total_price: None,
            price_lines: Vec::new(),
            currency: None,
            commission: None,
            payout: None,
            payment_collected_by: None,
            booked_at: None,
            modified_at: None,
            revision: None,
            notes: None,
            intent: Intent::Fact,
            completeness: Completeness::Full,
            acknowledgement_token: None,
            extra: Extra::default(),
        }
    }

    /// Normalises short forms: every room is in `rooms` with its dates, `room_type_id` is set for a single room type,
    /// the outer dates span all rooms, and empty texts are removed.
    pub fn normalise(&mut self) {
        for text in [
            &mut self.ota_reference,
            &mut self.group_id,
            &mut self.property_id,
            &mut self.room_type_id,
            &mut self.source,
            &mut self.currency,
            &mut self.revision,
            &mut self.notes,
        ] {
            said(text);
        }
        if let Some(guest) = &mut self.guest {
            guest.normalise();
        }
        self.guest = self.guest.take().filter(|guest| !guest.is_empty());
        self.rooms_from_short_forms();
        // Without a stated currency the property's applies, which is unknown here; most have two decimal places.
        let currency = self.currency.clone().unwrap_or_default();
        self.each_amount(|amount| *amount = amount.written_in(&currency));
        for room in &mut self.rooms {
            room.check_in = room.check_in.or(self.check_in);
            room.check_out = room.check_out.or(self.check_out);
        }
        self.check_in = self.check_in.or_else(|| self.rooms.iter().filter_map(|r| r.check_in).min());
        self.check_out = self.check_out.or_else(|| self.rooms.iter().filter_map(|r| r.check_out).max());
        self.room_type_id = match self.rooms.as_slice() {
            [room] => room.room_type_id.clone(),
            _ => None,
        };
    }

    /// Every amount in it.
    pub(crate) fn each_amount(&mut self, act: impl FnMut(&mut Amount)) {
        let rooms = self.rooms.iter_mut().filter_map(|room| room.total_price.as_mut());
        let lines = self.price_lines.iter_mut().map(|line| &mut line.amount);
        let sums = [&mut self.total_price, &mut self.commission, &mut self.payout].into_iter().flatten();
        rooms.chain(lines).chain(sums).for_each(act);
    }

    fn rooms_from_short_forms(&mut self) {
        let mut types = std::mem::take(&mut self.room_type_ids);
        if !self.rooms.is_empty() {
            return;
        }
        if types.is_empty() {
            types.extend(self.room_type_id.clone());
        }
        let one = types.len() == 1;
        self.rooms = types
            .into_iter()
            .map(|room_type_id| RoomStay {
                room_type_id: Some(room_type_id),
                check_in: self.check_in,
                check_out: self.check_out,
                guests: self.guests.filter(|_| one),
                adults: self.adults.filter(|_| one),
                children: self.children.filter(|_| one),
                infants: self.infants.filter(|_| one),
                total_price: self.total_price.filter(|_| one),
                ..RoomStay::default()
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_status_are_one() {
        for (word, status) in [
            ("canceled", Status::Cancelled),
            ("CANCELLED", Status::Cancelled),
            ("No_Show", Status::NoShow),
            ("no show", Status::NoShow),
            ("Booked", Status::Confirmed),
            ("rejected", Status::Declined),
            ("enquiry", Status::Inquiry),
            ("Tentative", Status::Pending),
            ("waitlisted", Status::Other("waitlisted".to_owned())),
            ("not confirmed", Status::Other("not confirmed".to_owned())),
            ("", Status::Other(String::new())),
        ] {
            assert_eq!(word.parse(), Ok(status), "{word}");
        }
        for (spelling, status) in SPELLINGS {
            assert_eq!(status.as_str().parse(), Ok(status.clone()), "{spelling}: it is written as it is read");
        }
    }

    #[test]
    fn short_and_long_forms_become_one() {
        let mut short: Reservation = serde_json::from_str(
            r#"{"id":"r1","roomTypeId":"t1","checkIn":"2027-05-01","checkOut":"2027-05-03","status":"confirmed",
                "adults":2,"totalPrice":"120.50","currency":"","guest":{"firstName":"","email":""}}"#,
        )
        .expect("a reservation");
        short.normalise();
        assert_eq!(short.rooms.len(), 1);
        assert_eq!(short.rooms[0].adults, Some(2));
        assert_eq!(short.room_type_id.as_deref(), Some("t1"));
        assert_eq!((short.currency.as_ref(), short.guest.as_ref()), (None, None));
        let written = serde_json::to_string(&short).expect("json");
        assert!(written.contains(r#""totalPrice":120.50"#), "{written}");

        let mut several: Reservation = serde_json::from_str(
            r#"{"id":"r2","status":"waitlisted","roomTypeIds":["a","b"],"checkIn":"2027-05-01","checkOut":"2027-05-03"}"#,
        )
        .expect("a reservation");
        several.normalise();
        assert_eq!((several.rooms.len(), several.room_type_id.as_ref()), (2, None));
        assert_eq!(several.status, Status::Other("waitlisted".into()));
    }
}
