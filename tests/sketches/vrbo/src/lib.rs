//! A sketch for Vrbo that tests whether the contract fits: Vrbo is the client that asks, books and fetches from us.
//!
//! [`booking`] parses requests and writes responses, [`order`] handles prices; [`feeds`] renders the fetched feeds, and
//! [`booking_update`] one booking.

mod availability;
mod booking;
mod booking_update;
mod feeds;
mod order;
mod refusal;
#[cfg(test)]
mod tests;

use gassync_plugin::{
    Adapter, Change, ChangeResult, ChannelError, Chunk, Decoded, Feeds, HttpRequest, HttpResponse, Inbound, Question,
    Reply, Route, change, malformed, percent_decode, percent_encode, read_json, reply, reply_with,
    xml::{Element, element, leaf},
};
use serde::Deserialize;

/// The adapter.
pub struct Vrbo;

gassync_plugin::export!(crate::Vrbo: Inbound, Reply, Feeds);

/// The source's settings, as the manifest describes them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    advertiser_id: String,
    public_url: String,
    language: String,
    rental_agreement: Option<String>,
    horizon_days: i64,
    longest_stay: u32,
}

/// A request from Vrbo, classified by its content and not by its path: paths are agreed individually.
enum Asked {
    Booking(Element),
    Quote(Element),
    Index(Element),
    Availability(availability::Request),
}

impl Adapter for Vrbo {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Vrbo {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let (event_id, changes) = match read(&request)? {
            Asked::Booking(details) => {
                let id = details.field("trackingUuid").required()?.to_owned();
                // The prefix keeps a quote with the same number from being taken for this booking.
                (Some(format!("booking-{id}")), vec![booking::request(&details, id)?])
            }
            Asked::Quote(details) => (None, vec![booking::ask(&details)?]),
            Asked::Index(root) => (None, vec![booking_index_question(&root)?]),
            Asked::Availability(asked) => (None, availability::questions(&asked)?),
        };
        Ok(Decoded { event_id, changes, reply: None })
    }
}

impl Reply for Vrbo {
    fn respond(request: HttpRequest, _: Vec<Change>, results: Vec<ChangeResult>) -> Result<HttpResponse, ChannelError> {
        match read(&request)? {
            Asked::Booking(details) => Ok(xml(&booking::answer(&details, results.first())?)),
            Asked::Quote(details) => Ok(xml(&booking::quote_answer(&details, results.first())?)),
            Asked::Index(root) => Ok(xml(&booking_index(&root, &results)?)),
            Asked::Availability(asked) => availability::answer(&asked, &results),
        }
    }

    /// An unreadable booking or quote request gets an error document; everything else gets the manifest's response.
    fn on_error(request: HttpRequest, why: ChannelError) -> Result<HttpResponse, ChannelError> {
        let ChannelError::Malformed(problem) = &why else { return Err(why) };
        let name = Element::parse(request.bytes()).map(|root| root.name().to_owned()).unwrap_or_default();
        // If the content is unreadable, the path decides.
        match (name.as_str(), request.path()) {
            ("quoteRequest", _) | (_, "/quotes") => Ok(xml(&refusal::unreadable("quoteResponse", problem))),
            ("bookingRequest", _) | (_, "/bookings") => Ok(xml(&refusal::unreadable("bookingResponse", problem))),
            _ => Err(why),
        }
    }
}

impl Feeds for Vrbo {
    fn render(request: HttpRequest, _: Option<String>) -> Result<Chunk, ChannelError> {
        let steps: Vec<String> = request.path().split('/').skip(1).map(percent_decode).collect();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let document = match *steps.as_slice() {
            ["bookings", reference] => booking_update::of(reference)?,
            ["availability", listing, unit] => feeds::availability(listing, unit)?,
            ["rates", listing, unit] => feeds::rates(listing, unit)?,
            _ => None,
        };
        let reply = document.map_or_else(|| reply(404, "nobody knows it"), |document| xml(&document));
        Ok(Chunk { status: reply.status, headers: reply.headers, body: reply.body, next: None })
    }
}

fn read(request: &HttpRequest) -> Result<Asked, ChannelError> {
    let body = request.bytes();
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(Asked::Availability(read_json(body, "")?));
    }
    let root = Element::parse(body)?;
    match root.name() {
        "bookingRequest" => Ok(Asked::Booking(root.required("bookingRequestDetails")?.clone())),
        "quoteRequest" => Ok(Asked::Quote(root.required("quoteRequestDetails")?.clone())),
        "bookingContentIndexRequest" => Ok(Asked::Index(root)),
        other => Err(malformed(other, "is none of Vrbo's requests")),
    }
}

fn booking_index_question(root: &Element) -> Result<Change, ChannelError> {
    let since = root.field("startDate").required_instant()?;
    let route = Route { property_id: None, account: root.text_at("advertiser/assignedId").map(str::to_owned) };
    Ok(Change { route, ..change(None, gassync_plugin::ChangeKind::Ask(Question::BookingsSince(since))) })
}

fn booking_index(root: &Element, results: &[ChangeResult]) -> Result<Element, ChannelError> {
    let Some(ChangeResult::Bookings(bookings)) = results.first() else {
        return Err(ChannelError::Unavailable("the bookings were not told".to_owned()));
    };
    let Settings { public_url, .. } = gassync_plugin::settings()?;
    let entries = bookings.iter().map(|booked| {
        let address =
            format!("{}/bookings/{}", public_url.trim_end_matches('/'), percent_encode(&booked.our_reference));
        element("bookingContentIndexEntry")
            .with_children([leaf("bookingUpdateUrl", address), leaf("lastUpdatedDate", &booked.changed_at)])
    });
    let advertiser = root.text_at("advertiser/assignedId").unwrap_or_default();
    Ok(element("bookingContentIndex").with_children([
        leaf("documentVersion", booking::VERSION),
        element("advertiser").with_children([leaf("assignedId", advertiser)]).with_children(entries),
    ]))
}

fn xml(document: &Element) -> HttpResponse {
    reply_with(200, "application/xml; charset=utf-8", document.document())
}
