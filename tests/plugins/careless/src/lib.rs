//! A guest that understands its samples, and makes every other mistake that the conformance kit looks for.

use std::hash::{BuildHasher, RandomState};

use gassync_plugin::{
    Adapter, Change, ChannelError, Decoded, HttpRequest, Inbound, News, Nights, Page, Pull, Query, Reservation,
    ReservationStatus, change, http, log, parse_date,
};
use serde::Deserialize;

/// Does as it likes.
pub struct Careless;

gassync_plugin::export!(crate::Careless: Inbound, Pull);

/// Its version is none, its hosts are half the world, its slot cannot be filled, it polls all the time, and it promises
/// to write.
const MANIFEST: &str = r#"{
    "schemaVersion": 1, "id": "careless", "displayName": "Careless", "version": "1.0", "contract": "1.0.0-rc.3",
    "vendor": "GasSync", "hosts": ["https://*.example"],
    "credentials": [{"slot": "careless", "kind": "api-key"}],
    "routes": [{"path": "/", "methods": ["POST"], "verification": {"kind": "none"}, "kind": "ack",
        "budgetMillis": 1000, "whenUnable": {"status": 200}}],
    "polls": [{"entity": "reservation", "intervalSeconds": 0}],
    "batches": {"calendar": {"items": 10}}
}"#;

/// A field that nobody knows is taken for a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Booking {
    number: String,
    from: String,
    to: String,
}

impl Adapter for Careless {
    fn manifest() -> String {
        MANIFEST.to_owned()
    }
}

impl Inbound for Careless {
    #[expect(clippy::expect_used, reason = "what a channel sends must never cause a trap, and here it does")]
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        drop(http::Request::get("https://api.example/hello").send());
        let body = request.body.expect("a body");
        let booking = serde_json::from_slice(&body).expect("a booking");
        let changes = vec![reservation(booking)];
        (0..60).for_each(|line| log::info(&format!("line {line}")));
        let event_id = RandomState::new().hash_one(&body);
        Ok(Decoded { event_id: Some(event_id.to_string()), changes, reply: None })
    }
}

impl Pull for Careless {
    fn fetch(_: Query) -> Result<Page, ChannelError> {
        drop(http::Request::get("https://elsewhere.test/count-me").send());
        let request = http::Request::get("https://api.example/bookings").header("authorization", "Bearer of-my-own");
        let answer = request.send().map_err(|_| ChannelError::Malformed("nothing came".to_owned()))?;
        if matches!(answer.status(), 401 | 403 | 429) {
            return Err(ChannelError::Malformed(format!("status {}", answer.status())));
        }
        // Whatever is not a list of bookings looks like an empty one.
        let bookings: Vec<Booking> = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok(Page::of(bookings.into_iter().map(reservation).collect()))
    }
}

#[expect(clippy::expect_used, reason = "as above")]
fn reservation(booking: Booking) -> Change {
    let day = |text: &str| parse_date(text).expect("a day");
    let stay = Some(Nights { start: day(&booking.from), until: day(&booking.to) });
    change(
        None,
        News::Reservation(Reservation { stay, ..Reservation::new(booking.number, ReservationStatus::Confirmed) }),
    )
}
