//! A sketch for Booking.com that tests whether the contract fits: two queues emptied by acknowledgements, integer
//! amounts each with its own scale, and calendars that can succeed in part.
//!
//! [`reservation`] and [`price`] parse the queues, [`acknowledgements`] empties them, [`calendar`] writes nights, and
//! [`delivery`] finds out which of them were accepted.

mod acknowledgements;
mod calendar;
mod delivery;
mod price;
mod reservation;
#[cfg(test)]
mod tests;

use gassync_plugin::{
    Acknowledgement, AcknowledgementOutcome, Acknowledgements, Adapter, Attempt, CalendarNights, ChannelError, Entity,
    Outcome, Page, Pull, PushCalendar, Query, Selection, http, log, malformed, settings,
    xml::{Element, element},
};
use serde::Deserialize;

/// The adapter.
pub struct BookingCom;

gassync_plugin::export!(crate::BookingCom: Pull, Acknowledgements, PushCalendar);

const NAMESPACE: &str = "http://www.opentravel.org/OTA/2003/05";
/// Reservations may contain card data.
const RESERVATIONS: &str = "https://secure-supply-xml.booking.com/hotels/ota/";
const AVAILABILITY: &str = "https://supply-xml.booking.com/hotels/ota/";

/// The source's settings, as the manifest describes them.
#[derive(Deserialize)]
struct Settings {
    target: String,
}

/// The queue of a message. It must be kept until the acknowledgement: acknowledging in the wrong queue is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    New,
    Modified,
}

impl Queue {
    const ALL: [Self; 2] = [Self::New, Self::Modified];

    /// Its name in polls and acknowledgements.
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Modified => "modified",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }

    /// The name of its messages, without the suffix: fetched messages are requests (`RQ`), ours are responses (`RS`).
    fn message(self) -> &'static str {
        match self {
            Self::New => "OTA_HotelResNotif",
            Self::Modified => "OTA_HotelResModifyNotif",
        }
    }

    /// The list in a message, and its entries.
    fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("HotelReservations", "HotelReservation"),
            Self::Modified => ("HotelResModifies", "HotelResModify"),
        }
    }
}

impl Adapter for BookingCom {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Pull for BookingCom {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        if query.entity != Entity::Reservation {
            return Err(ChannelError::Unsupported);
        }
        // A full fetch reads both queues.
        let (queue, next) = match (&query.selection, query.cursor.as_deref()) {
            (Selection::Queue(name), _) => (Queue::named(name).ok_or(ChannelError::Unsupported)?, None),
            (Selection::Everything, None) => (Queue::New, Some(Queue::Modified.name().to_owned())),
            (Selection::Everything, Some(name)) => (Queue::named(name).ok_or(ChannelError::Unsupported)?, None),
            _ => return Err(ChannelError::Unsupported),
        };
        let request = http::Request::get(format!("{RESERVATIONS}{}", queue.message()));
        let answer = send(request)?;
        match answer.status() {
            200..=299 => {}
            403 => return Err(ChannelError::Unauthorized("the machine account may not read reservations".to_owned())),
            _ => return Err(answer.refusal(None)),
        }
        let root = Element::parse(answer.body())?;
        // The message itself says which queue it is from.
        let queue = Queue::ALL.into_iter().find(|queue| root.name() == format!("{}RQ", queue.message()));
        let queue = queue.ok_or_else(|| malformed(root.name(), "is none of the queues"))?;
        let (list, entry) = queue.path();
        let changes =
            root.all(&format!("{list}/{entry}")).into_iter().map(|entry| reservation::change_of(queue, entry));
        // Unacknowledged messages are returned again, so there are no further pages.
        Ok(Page { next, ..Page::of(changes.collect::<Result<_, _>>()?) })
    }
}

impl Acknowledgements for BookingCom {
    fn acknowledge(acknowledgements: Vec<Acknowledgement>) -> Result<Vec<AcknowledgementOutcome>, ChannelError> {
        acknowledgements::acknowledge(&acknowledgements)
    }
}

impl PushCalendar for BookingCom {
    fn push_calendar(updates: Vec<CalendarNights>, _: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        // Repeating accepted rows is harmless.
        delivery::push(&updates)
    }
}

/// The root element of our messages.
fn message(name: &str, version: &str, time: impl ToString) -> Result<Element, ChannelError> {
    let Settings { target } = settings()?;
    let message = element(name).with("xmlns", NAMESPACE).with("TimeStamp", time);
    Ok(message.with("Target", target).with("Version", version))
}

/// Sends a request with the token. A status other than 2xx, 400, 403 and 404 is an error; the latter three describe the
/// message sent.
fn send(request: http::Request) -> Result<http::Response, ChannelError> {
    let answer = request.header("authorization", "Bearer {{booking.token}}").secret("booking.token").send()?;
    let status = answer.status();
    if !matches!(status, 200..=299) {
        let support = support_id(answer.body()).unwrap_or_default();
        log::warn(&format!("status {status}, support id {support}"));
    }
    match status {
        200..=299 | 400 | 403 | 404 => Ok(answer),
        401 => Err(answer.refusal(Some("the token is refused".to_owned()))),
        _ => Err(answer.refusal(None)),
    }
}

/// The id that Booking.com's support asks for, found in a comment after the message.
fn support_id(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    Some(text.split_once("RUID: [")?.1.split_once(']')?.0.to_owned())
}
