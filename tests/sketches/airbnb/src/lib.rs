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

/// Airbnb's own, with which it tries us out: it is answered well, and nothing is stored.
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
        // Of several answers, or none, no is the safe one.
        Ok(answer(&request, matches!(results.as_slice(), [ChangeResult::Available | ChangeResult::Held(_)])))
    }
}

impl PushCalendar for Airbnb {
    fn push_calendar(updates: Vec<CalendarNights>, _: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        // The same operations may be sent again and again.
        calendar::push(&updates)
    }
}

/// Always with status 200: any other would be taken for a failure of ours and not for a no. Which codes a failure may
/// have nobody has written down.
fn answer(request: &HttpRequest, yes: bool) -> HttpResponse {
    let key = if request.method == "GET" { "available" } else { "succeed" };
    let body = if yes { format!(r#"{{"{key}":true}}"#) } else { format!(r#"{{"{key}":false,"failure_code":null}}"#) };
    reply_with(200, "application/json", body)
}
