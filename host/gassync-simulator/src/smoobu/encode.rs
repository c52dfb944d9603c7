//! Bookings on the wire. Three naming styles meet in one object.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    book::Book,
    booking::{SmoobuBooking, SmoobuCharge},
    odd_kind,
    shown::Shown,
};
use crate::money;

fn amount(cents: Option<u64>) -> Value {
    cents.map_or(Value::Null, money::number)
}

/// Writes a flag as the word it has on the wire.
fn paid(due: SmoobuCharge) -> &'static str {
    if due.paid { "Yes" } else { "No" }
}

impl Book {
    /// Returns an instant as local time of the account, in this format.
    pub fn local(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned(self.time_zone.clone()).strftime(format).to_string()
    }

    /// Returns a booking as it is shown, in its odd form if it has one.
    pub fn wire(&self, booking: &SmoobuBooking, shown: Shown) -> Value {
        let mut object = self.fields(booking);
        let related = self.apartment(booking.apartment).filter(|_| shown.related).into_iter();
        let related = related.flat_map(|apartment| &apartment.related).filter_map(|id| self.apartment(*id));
        object.insert("related".to_owned(), related.map(|apartment| apartment.named()).collect());
        if shown.elements {
            let elements: Value = booking.elements.iter().map(|element| element.wire()).collect();
            object.insert("priceElements".to_owned(), elements);
        }
        if let Some(odd) = booking.odd.and_then(odd_kind::find) {
            (odd.distort)(booking, shown.place, &mut object);
        }
        object.into()
    }

    fn fields(&self, booking: &SmoobuBooking) -> Map<String, Value> {
        let name = format!("{} {}", booking.first_name, booking.last_name);
        let fields = json!({
            "id": booking.id,
            "reference-id": booking.reference_id,
            "type": booking.kind.word(),
            "arrival": booking.arrival.to_string(),
            "departure": booking.departure.to_string(),
            "created-at": self.local(booking.created, "%Y-%m-%d %H:%M"),
            "modifiedAt": self.local(booking.modified, "%Y-%m-%d %H:%M:%S"),
            "apartment": self.apartment(booking.apartment).map(|apartment| apartment.named()),
            "channel": booking.channel.wire(self.first_channel),
            "guest-name": name.trim(),
            "firstname": booking.first_name,
            "lastname": booking.last_name,
            "email": booking.email,
            "phone": booking.phone,
            "adults": booking.adults,
            "children": booking.children,
            "check-in": booking.check_in,
            "check-out": booking.check_out,
            "notice": booking.notice,
            "assistant-notice": booking.assistant_notice,
            "price": amount(booking.price.cents),
            "price-details": "",
            "price-paid": paid(booking.price),
            "prepayment": amount(booking.prepayment.cents),
            "prepayment-paid": paid(booking.prepayment),
            "deposit": amount(booking.deposit.cents),
            "deposit-paid": paid(booking.deposit),
            "city-tax": amount(booking.city_tax),
            "commission-included": amount(booking.commission),
            "language": booking.language,
            "guest-app-url": format!("https://guest.smoobu.com/?t=invented{}", booking.id),
            "is-blocked-booking": booking.is_block(),
            "guestId": booking.guest_id(),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}
