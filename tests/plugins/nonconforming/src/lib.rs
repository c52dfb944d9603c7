//! A plugin that decodes its samples, but makes every other error the conformance suite checks for.

use std::hash::{BuildHasher, RandomState};

use gassync_plugin::{
    Adapter, Change, ChangeKind, ChangeResult, ChannelError, Chunk, Connection, Decoded, Feeds, HttpRequest,
    HttpResponse, Inbound, Nights, Page, Pull, Query, Reply, Report, Reservation, ReservationStatus, Subscribed,
    change, core_data, http, log, parse_date, reply, state,
};
use serde::Deserialize;

/// The plugin.
pub struct Nonconforming;

gassync_plugin::export!(crate::Nonconforming: Inbound, Reply, Pull, Feeds, Connection);

/// Has an invalid version, overly broad hosts, a slot that cannot be filled, excessive polling, and a promise of
/// writes.
const MANIFEST: &str = r#"{
    "schemaVersion": 1, "id": "nonconforming", "displayName": "Nonconforming", "version": "1.0", "contract": "1.0.0-rc.5",
    "vendor": "GasSync", "hosts": ["https://*.example"],
    "credentials": [{"slot": "nonconforming", "kind": "api-key"}],
    "routes": [
        {"path": "/", "methods": ["POST"], "verification": {"kind": "none"}, "kind": "ask", "budgetMillis": 1000,
            "fallbackResponse": {"status": 200}},
        {"path": "/feeds/*", "methods": ["GET"], "verification": {"kind": "none"}, "kind": "feed", "budgetMillis": 1000,
            "fallbackResponse": {"status": 503}}
    ],
    "polls": [{"entity": "reservation", "intervalSeconds": 0}],
    "batches": {"calendar": {"items": 10}}
}"#;

/// Rejects unknown fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Booking {
    number: String,
    from: String,
    to: String,
}

impl Adapter for Nonconforming {
    fn manifest() -> String {
        MANIFEST.to_owned()
    }
}

impl Inbound for Nonconforming {
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

impl Reply for Nonconforming {
    /// Accepts everything except cases it does not expect, returns the request's headers, and gives varying replies.
    fn respond(request: HttpRequest, _: Vec<Change>, results: Vec<ChangeResult>) -> Result<HttpResponse, ChannelError> {
        let Some(ChangeResult::Applied(applied)) = results.first() else { panic!("they always take it") };
        let was_here = state::get::<bool>("was-here")?.unwrap_or_default();
        state::set("was-here", &true)?;
        let mut reply = reply(if was_here { 409 } else { 200 }, &format!("{:?}", applied.our_reference));
        reply.headers.extend(request.headers);
        Ok(reply)
    }

    #[expect(clippy::expect_used, reason = "what cannot be read must never cause a trap, and here it does")]
    fn on_error(request: HttpRequest, _: ChannelError) -> Result<HttpResponse, ChannelError> {
        let body = String::from_utf8(request.body.expect("a body")).expect("text");
        Ok(reply(400, &body))
    }
}

impl Feeds for Nonconforming {
    #[expect(clippy::expect_used, reason = "a core that holds nothing must never cause a trap, and here it does")]
    fn render(request: HttpRequest, _: Option<String>) -> Result<Chunk, ChannelError> {
        let house = core_data::properties().into_iter().next().expect("a house");
        let chance = RandomState::new().hash_one(&house.name);
        let next = request.path().ends_with("endless").then(|| "more".to_owned());
        let HttpResponse { status, headers, body } = reply(200, &format!("{} {chance}", house.name));
        Ok(Chunk { status, headers, body, next })
    }
}

impl Connection for Nonconforming {
    /// Reports success whatever the channel answers.
    fn check() -> Result<Report, ChannelError> {
        drop(http::Request::get("https://api.example/me").send());
        Ok(Report { account: None, scopes: Vec::new(), missing: Vec::new(), extra: Vec::new() })
    }

    fn subscribe(endpoint: String) -> Result<Subscribed, ChannelError> {
        drop(http::Request::post_json("https://api.example/hooks", endpoint).send());
        Ok(Subscribed::to(vec!["1".to_owned()]))
    }

    fn unsubscribe(_: Vec<String>) -> Result<Vec<String>, ChannelError> {
        drop(http::Request::bare("DELETE", "https://api.example/hooks").send());
        Ok(vec!["all of them".to_owned()])
    }
}

impl Pull for Nonconforming {
    fn fetch(_: Query) -> Result<Page, ChannelError> {
        drop(http::Request::get("https://elsewhere.test/count-me").send());
        let request = http::Request::get("https://api.example/bookings").header("authorization", "Bearer of-my-own");
        let answer = request.send().map_err(|_| ChannelError::Malformed("nothing came".to_owned()))?;
        if matches!(answer.status(), 401 | 403 | 429) {
            return Err(ChannelError::Malformed(format!("status {}", answer.status())));
        }
        // Treats anything that is not a list of bookings as an empty list.
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
        ChangeKind::Reservation(Reservation { stay, ..Reservation::new(booking.number, ReservationStatus::Confirmed) }),
    )
}
