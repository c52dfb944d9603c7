//! The adapter to read first: a made-up channel that sends one booking as JSON, and lists them on request.
//!
//! ```json
//! {"number": "B-17", "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04", "state": "booked",
//!  "name": "Ada Example", "price": "410.00", "currency": "EUR", "changed": "2027-01-05T09:00:00Z"}
//! ```

use gassync_plugin::{
    Adapter, ChannelError, Decoded, Entity, GuestDetails, HttpRequest, Inbound, Loose, News, Nights, Page, Pull, Query,
    Reservation, ReservationStatus, RoomStay, Selection, change, http, money, read_json, reply, settings,
};
use serde::Deserialize;

/// The adapter.
pub struct Example;

gassync_plugin::export!(crate::Example: Inbound, Pull);

/// The channel's own record. What a channel may leave out, or write now as a number and now as a text, is `Loose`.
#[derive(Deserialize)]
struct Booking {
    number: String,
    state: String,
    #[serde(default)]
    room: Loose,
    #[serde(default)]
    from: Loose,
    #[serde(default)]
    to: Loose,
    #[serde(default)]
    name: Loose,
    #[serde(default)]
    price: Loose,
    #[serde(default)]
    currency: Loose,
    #[serde(default)]
    changed: Loose,
}

/// The source's settings, as the manifest describes them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    base_url: String,
}

impl Adapter for Example {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Example {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let booking: Booking = read_json(request.bytes(), "")?;
        let changes = vec![change(None, News::Reservation(reservation(booking)?))];
        Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
    }
}

impl Pull for Example {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        if query.entity != Entity::Reservation {
            return Err(ChannelError::Unsupported);
        }
        let Settings { base_url } = settings()?;
        let since = match query.selection {
            Selection::ChangedSince(instant) => format!("?changedSince={instant}"),
            _ => String::new(),
        };
        let request = http::Request::get(format!("{base_url}/bookings{since}"));
        // The guest never has the key: the host fills the placeholder in on the way out.
        let answer = request.header("authorization", "Bearer {{example.key}}").secret("example.key").send()?;
        if answer.status() != 200 {
            return Err(answer.refusal(None));
        }
        let bookings: Vec<Booking> = read_json(answer.body(), "")?;
        let changes = bookings.into_iter().map(|b| Ok(change(None, News::Reservation(reservation(b)?))));
        let changes = changes.collect::<Result<_, ChannelError>>()?;
        Ok(Page::of(changes))
    }
}

fn reservation(booking: Booking) -> Result<Reservation, ChannelError> {
    let status = match booking.state.as_str() {
        "booked" => ReservationStatus::Confirmed,
        "cancelled" => ReservationStatus::Cancelled,
        // A word nobody knows is passed on: the host holds the record back until a person decides.
        other => ReservationStatus::Other(other.to_owned()),
    };
    // What the contract could not take is the channel's mistake, and is named: handed on, it would be the plugin's.
    let nights = match (booking.from.date("from")?, booking.to.date("to")?) {
        (Some(start), Some(until)) => Some(Nights { start, until }),
        _ => None,
    };
    let price = booking.price.amount("price")?;
    let rooms = booking.room.text().map(|room| RoomStay { stay: nights, ..RoomStay::new(Some(room)) });
    Ok(Reservation {
        rooms: rooms.into_iter().collect(),
        stay: nights,
        source: Some("example".to_owned()),
        // One text for the whole name stays one text.
        guest: booking.name.text().map(|name| GuestDetails { name: Some(name), ..GuestDetails::unknown() }),
        total: price.map(|price| money(price, booking.currency.as_str())),
        modified_at: booking.changed.instant("changed")?,
        ..Reservation::new(booking.number, status)
    })
}

#[cfg(test)]
mod tests {
    use gassync_plugin::testing::{FakeHost, post};

    use super::*;

    #[test]
    fn bookings_are_fetched_with_the_key_as_a_placeholder() {
        FakeHost::reset();
        FakeHost::set_settings(r#"{"baseUrl":"https://channel.example/api"}"#);
        FakeHost::answer(200, r#"[{"number":"B-1","state":"moved","from":"2027-06-01","to":"2027-06-02"}]"#);
        let query = Query::new(Entity::Reservation, Selection::ChangedSince("2027-01-01T00:00:00Z".to_owned()));
        let page = Example::fetch(query).expect("a page");
        assert!(matches!(&page.changes[0].news, News::Reservation(r)
            if matches!(&r.status, ReservationStatus::Other(word) if word == "moved")));
        let requests = FakeHost::take_requests();
        assert_eq!(requests[0].url, "https://channel.example/api/bookings?changedSince=2027-01-01T00:00:00Z");
        assert_eq!(requests[0].headers[0].value, "Bearer {{example.key}}");
    }

    #[test]
    fn what_the_contract_has_no_place_for_is_malformed() {
        for (field, text) in
            [("price", "a lot"), ("price", "1.2.3"), ("changed", "2027-02-30T10:00:00Z"), ("changed", "now")]
        {
            let body = format!(r#"{{"number":"B-1","state":"booked","{field}":"{text}"}}"#);
            let Err(ChannelError::Malformed(place)) = Example::decode(post("/", body)) else {
                panic!("{field}: {text}")
            };
            assert!(place.starts_with(field), "{place}");
        }
        for body in ["", "[]", "<html>"] {
            assert!(matches!(Example::decode(post("/", body)), Err(ChannelError::Malformed(_))), "{body}");
        }
    }

    #[test]
    fn the_channels_refusals_have_their_names() {
        let fetched = |status: u16| {
            FakeHost::reset();
            FakeHost::set_settings(r#"{"baseUrl":"https://channel.example/api"}"#);
            FakeHost::answer(status, "");
            Example::fetch(Query::new(Entity::Reservation, Selection::Everything)).expect_err("refused")
        };
        assert!(matches!(fetched(401), ChannelError::Unauthorized(_)));
        assert!(matches!(fetched(429), ChannelError::RateLimited(None)));
        assert!(matches!(fetched(500), ChannelError::Unavailable(_)));
        assert!(matches!(fetched(404), ChannelError::Rejected(_)));
    }
}
