//! A sketch of an adapter for Airbnb: the checks before a booking, the notifications, and the calendar.
//!
//! A listing is what is sold, so its id stands for the property and for the room type.

mod calendar;
mod check;
mod notification;
mod reservation;

use gassync_plugin::{
    Adapter, Attempt, CalendarNights, Change, ChangeResult, ChannelError, Decoded, HttpRequest, HttpResponse, Inbound,
    Outcome, PushCalendar, Reply, reply_with,
};

/// The adapter.
pub struct Airbnb;

gassync_plugin::export!(crate::Airbnb: Inbound, Reply, PushCalendar);

/// Airbnb's test listing: its checks succeed, and nothing is stored.
const TEST_LISTING: &str = "0";

impl Adapter for Airbnb {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Airbnb {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        if request.url.starts_with("/checks") { check::decode(&request) } else { notification::decode(&request) }
    }
}

impl Reply for Airbnb {
    fn respond(request: HttpRequest, _: Vec<Change>, results: Vec<ChangeResult>) -> Result<HttpResponse, ChannelError> {
        // Refuse unless there is exactly one result.
        Ok(answer(&request, matches!(results.as_slice(), [ChangeResult::Available | ChangeResult::Held(_)])))
    }
}

impl PushCalendar for Airbnb {
    fn push_calendar(updates: Vec<CalendarNights>, _: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        // The operations are idempotent.
        calendar::push(&updates)
    }
}

/// Responds with status 200, since Airbnb treats any other as an outage, not as a refusal. The failure codes are not
/// documented.
fn answer(request: &HttpRequest, yes: bool) -> HttpResponse {
    let key = if request.method == "GET" { "available" } else { "succeed" };
    let body = if yes { format!(r#"{{"{key}":true}}"#) } else { format!(r#"{{"{key}":false,"failure_code":null}}"#) };
    reply_with(200, "application/json", body)
}
