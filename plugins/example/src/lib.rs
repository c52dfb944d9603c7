//! The adapter to read first: a made-up channel that sends one booking as JSON, and lists them on request.
//!
//! ```json
//! {"number": "B-17", "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04", "state": "booked",
//!  "name": "Ada Example", "price": "410.00", "currency": "EUR", "changed": "2027-01-05T09:00:00Z"}
//! ```

use gassync_plugin::{
    Adapter, Change, ChangeKind, ChannelError, Decoded, Entity, GuestDetails, HttpRequest, Inbound, Lenient, Nights,
    Page, Pull, Query, RawValue, Reservation, ReservationStatus, RoomStay, Selection, change, http, id_of, malformed,
    money, read_each, read_json, read_one, reply, settings,
};
use serde::Deserialize;

/// The adapter.
pub struct Example;

gassync_plugin::export!(crate::Example: Inbound, Pull);

/// The channel's own record. What a channel may leave out, or write now as a number and now as a text, is `Lenient`.
#[derive(Deserialize)]
struct Booking {
    number: String,
    state: String,
    #[serde(default)]
    room: Lenient,
    #[serde(default)]
    from: Lenient,
    #[serde(default)]
    to: Lenient,
    #[serde(default)]
    name: Lenient,
    #[serde(default)]
    price: Lenient,
    #[serde(default)]
    currency: Lenient,
    #[serde(default)]
    changed: Lenient,
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
        let booking: Box<RawValue> = read_json(request.bytes(), "")?;
        if !booking.get().starts_with('{') {
            return Err(malformed("", "is no booking"));
        }
        let id = || id_of(booking.get(), &["number"]);
        let changes = read_one(Entity::Reservation, booking.get(), id, || read(&booking, ""))?;
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
        let bookings: Vec<Box<RawValue>> = read_json(answer.body(), "")?;
        // One by one: one that cannot be read is set aside by the host, and the others are taken.
        Ok(Page::of(read_each(Entity::Reservation, &bookings, "", &["number"], read)?))
    }
}

fn read(booking: &RawValue, place: &str) -> Result<Change, ChannelError> {
    let booking: Booking = read_json(booking.get(), place)?;
    Ok(change(None, ChangeKind::Reservation(reservation(booking, place)?)))
}

fn reservation(booking: Booking, place: &str) -> Result<Reservation, ChannelError> {
    let status = match booking.state.as_str() {
        "booked" => ReservationStatus::Confirmed,
        "cancelled" => ReservationStatus::Cancelled,
        // A word nobody knows is passed on: the host holds the record back until a person decides.
        other => ReservationStatus::Other(other.to_owned()),
    };
    // Without days there is nothing to hold, and the host is told so; but who cancels may name any.
    let is_cancelled = matches!(status, ReservationStatus::Cancelled);
    let day = |said: &Lenient, name: &str| {
        let place = format!("{place}/{name}");
        if is_cancelled { Ok(said.date_or_note(place)) } else { said.date(place) }
    };
    let nights = match (day(&booking.from, "from")?, day(&booking.to, "to")?) {
        (Some(start), Some(until)) => Some(Nights { start, until }),
        _ => None,
    };
    let price = booking.price.amount(format_args!("{place}/price"))?;
    let rooms = booking.room.text().map(|room| RoomStay { stay: nights, ..RoomStay::new(Some(room)) });
    Ok(Reservation {
        rooms: rooms.into_iter().collect(),
        stay: nights,
        source: Some("example".to_owned()),
        // One text for the whole name stays one text.
        guest: booking.name.text().map(|name| GuestDetails { name: Some(name), ..GuestDetails::unknown() }),
        total: price.map(|price| money(price, booking.currency.as_str())),
        modified_at: booking.changed.instant(format_args!("{place}/changed"))?,
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
        assert!(matches!(&page.changes[0].data, ChangeKind::Reservation(r)
            if matches!(&r.status, ReservationStatus::Other(word) if word == "moved")));
        let requests = FakeHost::take_requests();
        assert_eq!(requests[0].url, "https://channel.example/api/bookings?changedSince=2027-01-01T00:00:00Z");
        assert_eq!(requests[0].headers[0].value, "Bearer {{example.key}}");
    }

    #[test]
    fn a_booking_without_days_is_handed_on_as_it_came() {
        let body = r#"{"number":17,"state":"booked","from":"tomorrow","to":"2027-06-02"}"#;
        let body = body.replace("17", r#""B-17""#);
        let decoded = Example::decode(post("/", body.clone())).expect("a change");
        let ChangeKind::Unreadable(odd) = &decoded.changes[0].data else { panic!("{decoded:?}") };
        assert_eq!((odd.id.as_deref(), odd.raw.as_deref()), (Some("B-17"), Some(body.as_str())));
        assert_eq!(odd.problem, "/from: is not a date (YYYY-MM-DD)");
        let cancelled = body.replace("booked", "cancelled");
        let decoded = Example::decode(post("/", cancelled)).expect("a change");
        assert!(
            matches!(&decoded.changes[0].data, ChangeKind::Reservation(r) if r.stay.is_none()),
            "its nights are given back"
        );
        assert_eq!(decoded.changes[0].notes[0].path, "/from");
    }

    #[test]
    fn what_a_booking_can_do_without_goes_to_the_host_as_it_is() {
        for (price, changed) in [("a lot", "now"), ("1714.28571", "2027-02-30T10:00:00Z")] {
            let body = format!(r#"{{"number":"B-1","state":"booked","price":"{price}","changed":"{changed}"}}"#);
            let decoded = Example::decode(post("/", body)).expect("a change");
            let ChangeKind::Reservation(booked) = &decoded.changes[0].data else { panic!("{decoded:?}") };
            assert_eq!(booked.total.as_ref().map(|total| total.amount.as_str()), Some(price));
            assert_eq!(booked.modified_at.as_deref(), Some(changed));
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
