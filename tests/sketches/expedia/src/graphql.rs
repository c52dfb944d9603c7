//! Reservations of a property by the newer GraphQL interface, with a token that the host requests, and errors behind
//! status 200.

use gassync_plugin::{
    Change, ChangeKind, ChannelError, Completeness, Date, FieldError, GuestDetails, Lenient, Nights, Page,
    PaymentCollectedBy, Reservation, ReservationStatus, RoomStay, change, http, malformed, read_json,
};
use serde_json::{Value, json};

use crate::send;

const URL: &str = "https://api.expediagroup.com/supply/lodging/graphql";
const PAGE_SIZE: u32 = 50;
const QUERY: &str = "query Reservations($propertyId: String!, $pageSize: Int!, $cursor: String) { \
    property(id: $propertyId, idSource: EXPEDIA) { reservations(pageSize: $pageSize, after: $cursor) { \
    pageInfo { hasNextPage endCursor } edges { node { id status checkInDate checkOutDate creationDateTime \
    lastUpdatedDateTime adultCount childCount petCount merchantOfRecord specialRequest unitIds { id } rateIds { id } \
    reservationIds { id idSource } \
    primaryGuest { firstName lastName emailAddress phoneNumbers { fullPhoneNumber } } } } } } }";

/// A page of a property's reservations.
pub fn fetch(property: &str, cursor: Option<&str>) -> Result<Page, ChannelError> {
    let variables = json!({ "propertyId": property, "pageSize": PAGE_SIZE, "cursor": cursor });
    // In JSON, double braces can only occur in a string, where they must not name a secret: the cursor comes from the
    // channel.
    let body = json!({ "query": QUERY, "variables": variables }).to_string();
    let request =
        http::Request::post_json(URL, body).header("authorization", "Bearer {{graphql.token}}").secret("graphql.token");
    let answer = send(request)?;
    let answer: Value = read_json(answer.body(), "")?;
    // A partial response counts as an error: missing records would count as removed.
    if let Some(errors) = answer.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty()) {
        return Err(ChannelError::Rejected(errors.iter().map(problem).collect()));
    }
    let reservations = answer.pointer("/data/property/reservations");
    let reservations = reservations.ok_or_else(|| malformed("/data/property/reservations", "is missing"))?;
    // The list and its items may be null.
    let edges = reservations.get("edges").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let nodes = edges.iter().filter_map(|edge| edge.get("node"));
    let changes = nodes.map(|node| reservation(node, property)).collect::<Result<_, _>>()?;
    let more = reservations.pointer("/pageInfo/hasNextPage") == Some(&Value::Bool(true));
    Ok(Page { next: said(reservations, "/pageInfo/endCursor").filter(|_| more), ..Page::of(changes) })
}

fn problem(error: &Value) -> FieldError {
    let steps = error.get("path").and_then(Value::as_array).into_iter().flatten();
    let path: String =
        steps.map(|step| format!("/{}", step.as_str().map_or_else(|| step.to_string(), str::to_owned))).collect();
    FieldError::new(path, said(error, "/message").as_deref().unwrap_or("not said why"))
}

fn reservation(node: &Value, property: &str) -> Result<Change, ChannelError> {
    let must =
        |pointer: &str| said(node, pointer).ok_or_else(|| malformed(format_args!("node{pointer}"), "is missing"));
    let day = |pointer: &str| -> Result<Option<Date>, ChannelError> {
        Lenient::from(node.pointer(pointer).and_then(Value::as_str)).date(format_args!("node{pointer}"))
    };
    let instant = |pointer: &str| {
        Lenient::from(node.pointer(pointer).and_then(Value::as_str)).instant(format_args!("node{pointer}"))
    };
    let count = |pointer: &str| node.pointer(pointer).and_then(Value::as_u64).and_then(|count| count.try_into().ok());
    let stay = day("/checkInDate")?.zip(day("/checkOutDate")?).map(|(start, until)| Nights { start, until });
    let room = RoomStay {
        stay,
        rate_plan_id: said(node, "/rateIds/0/id"),
        adults: count("/adultCount"),
        children: count("/childCount"),
        ..RoomStay::new(said(node, "/unitIds/0/id"))
    };
    let guest = GuestDetails {
        first_name: said(node, "/primaryGuest/firstName"),
        last_name: said(node, "/primaryGuest/lastName"),
        email: said(node, "/primaryGuest/emailAddress"),
        phone: said(node, "/primaryGuest/phoneNumbers/0/fullPhoneNumber"),
        ..GuestDetails::unknown()
    };
    let id = must("/id")?;
    let reservation = Reservation {
        ota_reference: sold_as(node, &id),
        property_id: Some(property.to_owned()),
        adults: room.adults,
        children: room.children,
        pets: count("/petCount"),
        rooms: vec![room],
        stay,
        source: Some("expedia".to_owned()),
        guest: Some(guest).filter(|guest| !guest.is_unknown()),
        payment_collected_by: match node.get("merchantOfRecord").and_then(Value::as_str) {
            Some("EXPEDIA_GROUP") => Some(PaymentCollectedBy::Channel),
            Some("SUPPLIER") => Some(PaymentCollectedBy::Property),
            _ => None,
        },
        booked_at: instant("/creationDateTime")?,
        modified_at: instant("/lastUpdatedDateTime")?,
        notes: said(node, "/specialRequest"),
        // Prices are not requested: known ones stay.
        completeness: Completeness::Partial,
        raw: Some(node.to_string()),
        ..Reservation::new(id, status(&must("/status")?))
    };
    Ok(change(Some(property), ChangeKind::Reservation(reservation)))
}

/// Its number at the Expedia site that sold it; the supplier's number is ours.
fn sold_as(node: &Value, id: &str) -> Option<String> {
    let listed = node.get("reservationIds").and_then(Value::as_array).into_iter().flatten();
    let theirs = listed.filter(|listed| listed.get("idSource").and_then(Value::as_str) != Some("SUPPLIER"));
    theirs.filter_map(|listed| said(listed, "/id")).find(|number| number != id)
}

fn said(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

fn status(word: &str) -> ReservationStatus {
    match word {
        "BOOKED" | "CONFIRMED" | "RESERVED" | "COMPLETE" | "STAY_IN_PROGRESS" => ReservationStatus::Confirmed,
        "CREATED" | "BUILDING" | "IN_PROGRESS" | "UNCONFIRMED" | "UNCONFIRMED_BY_OWNER" | "UNCONFIRMED_BY_TRAVELER" => {
            ReservationStatus::Pending(None)
        }
        // The misspelling of the last one is Expedia's.
        "CANCELLED"
        | "CANCELLED_BY_HOMEAWAY"
        | "CANCELLED_BY_OWNER"
        | "CANCELLED_BY_TRAVELER"
        | "CANCELLED_BY_SYSTEM"
        | "RAVELER_CANCEL_PENDING_BOOKING" => ReservationStatus::Cancelled,
        "DECLINED" | "DECLINED_BY_OWNER" | "DECLINED_BY_SYSTEM" | "DECLINED_BY_TRAVELER_PAY_FAILURE" | "INVALID" => {
            ReservationStatus::Declined
        }
        other => ReservationStatus::Other(other.to_owned()),
    }
}
