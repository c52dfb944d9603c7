//! Items to push to a channel: the partner's samples, or else items generated from the ids in the other samples.

use gassync_domain::{
    Acknowledgement, Amount, Attempt, Calendar, CalendarNight, CalendarParts, CalendarUpdate, ChangeKind, ContentItem,
    Date, Entity, Guest, Operation, OperationKind, Reservation, RoomStay, Status, StayRules, Subject, Timestamp,
    utc_day,
};
use jiff::Span;
use serde_json::json;

use super::harness::SampleResult;

/// Arrival of generated stays, in days from now.
const AHEAD_DAYS: i64 = 90;
/// Maximum acknowledgements per call.
const MAX_ACKNOWLEDGEMENTS: usize = 5;

/// The channel's ids found in the samples.
pub(super) struct SampleIds {
    property_id: String,
    room_type_id: String,
    rate_plan_id: Option<String>,
}

impl SampleIds {
    pub fn of<'a>(decoded: impl Iterator<Item = &'a SampleResult>) -> Self {
        let (mut property_id, mut room_type_id, mut rate_plan_id) = (None, None, None);
        for change in decoded.flat_map(|decoded| &decoded.changes) {
            property_id = property_id.or_else(|| change.route.property_id.clone());
            match &change.data {
                ChangeKind::Property(record) => property_id = property_id.or_else(|| Some(record.id.clone())),
                ChangeKind::RoomType(record) => room_type_id = room_type_id.or_else(|| Some(record.id.clone())),
                ChangeKind::RatePlan(record) => rate_plan_id = rate_plan_id.or_else(|| Some(record.id.clone())),
                ChangeKind::Reservation(record) => room_type_id = room_type_id.or_else(|| record.room_type_id.clone()),
                _ => {}
            }
        }
        Self {
            property_id: property_id.unwrap_or_else(|| "1".to_owned()),
            room_type_id: room_type_id.unwrap_or_else(|| "1".to_owned()),
            rate_plan_id,
        }
    }
}

pub(super) fn calendar(own: &[CalendarUpdate], known: &SampleIds, now: Timestamp) -> Vec<CalendarUpdate> {
    if !own.is_empty() {
        return own.to_vec();
    }
    let (date, _) = stay(now);
    let night = CalendarNight {
        available: Some(true),
        units_available: Some(1),
        price: "120.00".parse::<Amount>().ok(),
        currency: Some("EUR".to_owned()),
        rules: StayRules { min_stay: Some(2), ..StayRules::default() }.with_days_said(),
        ..CalendarNight::new(date)
    };
    let calendar = Calendar {
        property_id: Some(known.property_id.clone()),
        room_type_id: known.room_type_id.clone(),
        rate_plan_id: known.rate_plan_id.clone(),
        nights: vec![night],
    };
    vec![CalendarUpdate { calendar, changed: CalendarParts::default() }]
}

pub(super) fn reservations(own: &[Operation], known: &SampleIds, now: Timestamp) -> Vec<Operation> {
    if !own.is_empty() {
        return own.to_vec();
    }
    let (reference, subject) = ("check-1".to_owned(), Subject::Reservation(Box::new(reservation(known, now))));
    vec![Operation { kind: OperationKind::Create, attempt: Attempt::First, reference, channel_id: None, subject }]
}

/// Generates a stay of two fictitious guests.
pub(super) fn reservation(known: &SampleIds, now: Timestamp) -> Reservation {
    let (check_in, check_out) = stay(now);
    let room = RoomStay {
        room_type_id: Some(known.room_type_id.clone()),
        rate_plan_id: known.rate_plan_id.clone(),
        adults: Some(2),
        ..RoomStay::default()
    };
    let guest = Guest {
        first_name: Some("Amara".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        email: Some("amara@example.org".to_owned()),
        ..Guest::default()
    };
    let mut reservation = Reservation {
        property_id: Some(known.property_id.clone()),
        rooms: vec![room],
        check_in: Some(check_in),
        check_out: Some(check_out),
        source: Some("direct".to_owned()),
        guest: Some(guest),
        adults: Some(2),
        total_price: "240.00".parse::<Amount>().ok(),
        currency: Some("EUR".to_owned()),
        booked_at: Some(now),
        ..Reservation::new("", Status::Confirmed)
    };
    reservation.normalise();
    reservation
}

pub(super) fn content(own: &[ContentItem], known: &SampleIds) -> Vec<ContentItem> {
    if !own.is_empty() {
        return own.to_vec();
    }
    vec![ContentItem {
        entity: Entity::Property,
        reference: "check-1".to_owned(),
        channel_id: Some(known.property_id.clone()),
        content: json!({ "name": "Ferry House" }),
    }]
}

/// Returns acknowledgements for the sample reservations that have a token.
pub(super) fn acknowledgements<'a>(
    decoded: impl Iterator<Item = &'a SampleResult>,
    now: Timestamp,
) -> Vec<Acknowledgement> {
    let acknowledgement = |data: &ChangeKind| match data {
        ChangeKind::Reservation(record) => Some(Acknowledgement {
            token: record.acknowledgement_token.clone()?,
            external_id: record.id.clone(),
            reference: Some("check-1".to_owned()),
            refused: None,
            at: now,
        }),
        _ => None,
    };
    decoded
        .flat_map(|decoded| &decoded.changes)
        .filter_map(|change| acknowledgement(&change.data))
        .take(MAX_ACKNOWLEDGEMENTS)
        .collect()
}

fn stay(now: Timestamp) -> (Date, Date) {
    let day = |ahead: i64| utc_day(now).saturating_add(Span::new().days(ahead));
    (day(AHEAD_DAYS), day(AHEAD_DAYS + 2))
}
