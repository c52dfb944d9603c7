//! Converts domain records to contract records.

mod results;

use gassync_domain::{
    Address, Amount, Attempt, Block, Calendar, CalendarNight, CalendarParts, CalendarUpdate, Change, ChangeKind,
    ChannelError, Completeness, ConnectionEvent, ContentItem, Date, Entity, EntityRef, Extra, FieldError, Guest, Hint,
    HttpRequest, HttpResponse, Intent, Mended, Occupancy, Operation, OperationKind, PaymentCollectedBy, PriceKind,
    PriceLine, Property, Query, Question, RatePlan, Reservation, RoomStay, RoomType, Selection, Status, StayQuery,
    StayRules, Subject, Timestamp, Unreadable,
};

pub(super) use self::results::{acknowledgement, change_result, core_booking, quote, refusal};
use super::bindings::gassync::channel::types as wit;

pub(super) fn request(request: HttpRequest) -> wit::HttpRequest {
    let HttpRequest { method, url, headers, body } = request;
    wit::HttpRequest { method, url, headers: self::headers(headers), body }
}

pub(super) fn response(response: HttpResponse) -> wit::HttpResponse {
    let HttpResponse { status, headers, body } = response;
    wit::HttpResponse { status, headers: self::headers(headers), body }
}

fn headers(headers: Vec<(String, String)>) -> Vec<wit::Header> {
    headers.into_iter().map(|(name, value)| wit::Header { name, value }).collect()
}

pub(super) fn query(query: Query) -> wit::Query {
    wit::Query {
        entity: entity(query.entity),
        selection: match query.selection {
            Selection::Everything => wit::Selection::Everything,
            Selection::ChangedSince(since) => wit::Selection::ChangedSince(instant(since)),
            Selection::After(token) => wit::Selection::After(token),
            Selection::Some(ids) => wit::Selection::Some(ids),
            Selection::Within { start, until } => wit::Selection::Within(nights(start, until)),
            Selection::Queue(queue) => wit::Selection::Queue(queue),
        },
        property_id: query.property_id,
        room_type_id: query.room_type_id,
        cursor: query.cursor,
    }
}

pub(super) fn entity(entity: Entity) -> wit::Entity {
    match entity {
        Entity::Property => wit::Entity::Property,
        Entity::RoomType => wit::Entity::RoomType,
        Entity::RatePlan => wit::Entity::RatePlan,
        Entity::Reservation => wit::Entity::Reservation,
        Entity::Guest => wit::Entity::Guest,
        Entity::Calendar => wit::Entity::Calendar,
        Entity::Block => wit::Entity::Block,
    }
}

fn date(date: Date) -> wit::Date {
    wit::Date { year: date.year(), month: date.month().unsigned_abs(), day: date.day().unsigned_abs() }
}

pub(super) fn nights(start: Date, until: Date) -> wit::Nights {
    wit::Nights { start: date(start), until: date(until) }
}

fn some_nights(start: Option<Date>, until: Option<Date>) -> Option<wit::Nights> {
    Some(nights(start?, until?))
}

pub(super) fn instant(instant: Timestamp) -> String {
    format!("{instant:.0}")
}

fn money(amount: Amount, currency: Option<&str>) -> wit::Money {
    let amount = currency.map_or(amount, |currency| amount.written_in(currency));
    wit::Money { amount: amount.to_string(), currency: currency.map(str::to_owned) }
}

pub(super) fn change(change: Change) -> wit::Change {
    let raw = change.raw.map(|raw| raw.as_str().to_owned());
    wit::Change {
        route: wit::Route { property_id: change.route.property_id, account: change.route.account },
        data: match change.data {
            ChangeKind::Property(record) => wit::ChangeKind::Property(wit::Property { raw, ..property(record) }),
            ChangeKind::RoomType(record) => wit::ChangeKind::RoomType(wit::RoomType { raw, ..room_type(record) }),
            ChangeKind::RatePlan(record) => wit::ChangeKind::RatePlan(wit::RatePlan { raw, ..rate_plan(record) }),
            ChangeKind::Reservation(record) => {
                wit::ChangeKind::Reservation(wit::Reservation { raw, ..reservation(*record) })
            }
            ChangeKind::Guest(record) => wit::ChangeKind::Guest(guest(record)),
            ChangeKind::Block(record) => wit::ChangeKind::Block(wit::Block { raw, ..block(record) }),
            ChangeKind::Calendar(record) => wit::ChangeKind::Calendar(calendar(CalendarUpdate {
                calendar: record,
                changed: CalendarParts::default(),
            })),
            ChangeKind::Removed(what) => wit::ChangeKind::Removed(entity_ref(what)),
            ChangeKind::Refetch(Hint { entity, id }) => {
                wit::ChangeKind::Refetch(wit::Hint { entity: self::entity(entity), id })
            }
            ChangeKind::Unreadable(Unreadable { entity, id, problem, raw }) => {
                wit::ChangeKind::Unreadable(wit::Unreadable { entity: self::entity(entity), id, problem, raw })
            }
            ChangeKind::Connection(event) => wit::ChangeKind::Connection(connection_event(event)),
            ChangeKind::Ask(what) => wit::ChangeKind::Ask(question(what)),
            ChangeKind::Other { name, value } => wit::ChangeKind::Other((name, value.to_string())),
        },
        notes: change.mended.into_iter().map(|Mended { path, problem }| wit::FieldError { path, problem }).collect(),
    }
}

fn entity_ref(what: EntityRef) -> wit::EntityRef {
    wit::EntityRef { entity: entity(what.entity), id: what.id }
}

fn connection_event(event: ConnectionEvent) -> wit::ConnectionEvent {
    match event {
        ConnectionEvent::Revoked => wit::ConnectionEvent::Revoked,
        ConnectionEvent::Unlinked { ids } => wit::ConnectionEvent::Unlinked(ids),
        ConnectionEvent::Linked { ids } => wit::ConnectionEvent::Linked(ids),
        ConnectionEvent::Remapped { from, to } => wit::ConnectionEvent::Remapped((from, to)),
        ConnectionEvent::Other { kind, value } => wit::ConnectionEvent::Other((kind, value.to_string())),
    }
}

fn question(question: Question) -> wit::Question {
    match question {
        Question::Available { stay } => wit::Question::Available(stay_query(stay)),
        Question::Quote { stay } => wit::Question::Quote(stay_query(stay)),
        Question::Hold { reference, stay, minutes } => {
            wit::Question::Hold(wit::HoldRequest { reference, query: stay_query(stay), minutes })
        }
        Question::Release { reference } => wit::Question::Release(reference),
        Question::BookingsSince { since } => wit::Question::BookingsSince(instant(since)),
        Question::Other { kind, value } => wit::Question::Other((kind, value.to_string())),
    }
}

fn stay_query(query: StayQuery) -> wit::StayQuery {
    let occupancy = |Occupancy { adults, children, infants, pets }| wit::Occupancy { adults, children, infants, pets };
    wit::StayQuery {
        property_id: query.property_id,
        room_type_id: query.room_type_id,
        rate_plan_id: query.rate_plan_id,
        stay: nights(query.check_in, query.check_out),
        occupancy: query.occupancy.map(occupancy),
        replaces: query.replaces,
        extra: extra(query.extra),
    }
}

fn extra(extra: Extra) -> wit::Extra {
    extra.into_pairs().map(|(name, value)| (name, value.to_string())).collect()
}

fn address(address: Address) -> wit::Address {
    let Address { street, city, state, postcode, country } = address;
    wit::Address { street, city, state, postcode, country }
}

pub(super) fn property(record: Property) -> wit::Property {
    wit::Property {
        id: record.id,
        name: record.name,
        description: record.description,
        address: record.address.map(address),
        latitude: record.latitude,
        longitude: record.longitude,
        currency: record.currency,
        time_zone: record.time_zone,
        thumbnail: record.thumbnail,
        room_types: record.room_types,
        extra: extra(record.extra),
        raw: None,
    }
}

pub(super) fn room_type(record: RoomType) -> wit::RoomType {
    wit::RoomType {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: record.description,
        max_occupancy: record.max_occupancy,
        quantity: record.quantity,
        amenities: record.amenities,
        extra: extra(record.extra),
        raw: None,
    }
}

pub(super) fn rate_plan(record: RatePlan) -> wit::RatePlan {
    wit::RatePlan {
        id: record.id,
        property_id: record.property_id,
        room_type_ids: record.room_type_ids,
        name: record.name,
        meals: record.meals,
        refundable: record.refundable,
        currency: record.currency,
        extra: extra(record.extra),
        raw: None,
    }
}

fn guest(record: Guest) -> wit::GuestDetails {
    wit::GuestDetails {
        id: record.id,
        name: record.name,
        first_name: record.first_name,
        last_name: record.last_name,
        email: record.email,
        phone: record.phone,
        country: record.country,
        language: record.language,
        address: record.address.map(address),
        extra: extra(record.extra),
    }
}

pub(super) fn block(record: Block) -> wit::Block {
    wit::Block {
        room_type_ids: record.room_types().cloned().collect(),
        id: record.id,
        property_id: record.property_id,
        unit_id: record.unit_id,
        units: record.units,
        stay: nights(record.check_in, record.check_out),
        reason: record.reason,
        modified_at: record.modified_at.map(instant),
        revision: record.revision,
        extra: extra(record.extra),
        raw: None,
    }
}

fn reservation(record: Reservation) -> wit::Reservation {
    let currency = record.currency.as_deref();
    wit::Reservation {
        rooms: record.rooms.into_iter().map(|room| room_stay(room, currency)).collect(),
        stay: some_nights(record.check_in, record.check_out),
        status: match record.status {
            Status::Confirmed => wit::ReservationStatus::Confirmed,
            Status::Pending => wit::ReservationStatus::Pending(record.hold_until.map(instant)),
            Status::Inquiry => wit::ReservationStatus::Inquiry,
            Status::Cancelled => wit::ReservationStatus::Cancelled,
            Status::Declined => wit::ReservationStatus::Declined,
            Status::NoShow => wit::ReservationStatus::NoShow,
            Status::Other(word) => wit::ReservationStatus::Other(word),
        },
        total: record.total_price.map(|amount| money(amount, currency)),
        price_lines: record.price_lines.into_iter().map(|line| price_line(line, currency)).collect(),
        commission: record.commission.map(|amount| money(amount, currency)),
        payout: record.payout.map(|amount| money(amount, currency)),
        payment_collected_by: record.payment_collected_by.map(|payment_collected_by| match payment_collected_by {
            PaymentCollectedBy::Channel => wit::PaymentCollectedBy::Channel,
            PaymentCollectedBy::Property => wit::PaymentCollectedBy::Property,
            PaymentCollectedBy::Other(word) => wit::PaymentCollectedBy::Other(word),
        }),
        id: record.id,
        ota_reference: record.ota_reference,
        group_id: record.group_id,
        property_id: record.property_id,
        source: record.source,
        guest: record.guest.map(guest),
        guests: record.guests,
        adults: record.adults,
        children: record.children,
        infants: record.infants,
        pets: record.pets,
        booked_at: record.booked_at.map(instant),
        modified_at: record.modified_at.map(instant),
        revision: record.revision,
        notes: record.notes,
        intent: match record.intent {
            Intent::Fact => wit::Intent::Fact,
            Intent::Request => wit::Intent::Request,
        },
        completeness: match record.completeness {
            Completeness::Full => wit::Completeness::Full,
            Completeness::Partial => wit::Completeness::Partial,
        },
        acknowledgement_token: record.acknowledgement_token,
        extra: extra(record.extra),
        raw: None,
    }
}

fn room_stay(room: RoomStay, currency: Option<&str>) -> wit::RoomStay {
    wit::RoomStay {
        id: room.id,
        stay: some_nights(room.check_in, room.check_out),
        room_type_id: room.room_type_id,
        unit_id: room.unit_id,
        rate_plan_id: room.rate_plan_id,
        guests: room.guests,
        adults: room.adults,
        children: room.children,
        infants: room.infants,
        total: room.total_price.map(|amount| money(amount, currency)),
        guest: room.guest.map(guest),
        extra: extra(room.extra),
    }
}

/// Returns one row per run of nights with the same values.
pub(super) fn calendar(update: CalendarUpdate) -> Vec<wit::CalendarNights> {
    let CalendarUpdate { calendar: Calendar { property_id, room_type_id, rate_plan_id, nights }, changed } = update;
    let mut part = wit::CalendarPart::empty();
    for (is_changed, flag) in [
        (changed.availability, wit::CalendarPart::AVAILABILITY),
        (changed.price, wit::CalendarPart::PRICE),
        (changed.rules, wit::CalendarPart::RULES),
    ] {
        if is_changed {
            part |= flag;
        }
    }
    let mut rows: Vec<wit::CalendarNights> = Vec::new();
    // A night has one entry per price.
    for entries in nights.chunk_by(|a, b| a.date == b.date) {
        let Some(first) = entries.first() else { continue };
        let Ok(until) = first.date.tomorrow() else { continue };
        let row = wit::CalendarNights {
            property_id: property_id.clone(),
            room_type_id: room_type_id.clone(),
            rate_plan_id: rate_plan_id.clone(),
            stay: self::nights(first.date, until),
            available: first.available,
            units_available: first.units_available,
            prices: entries.iter().filter_map(|night| price(night, rate_plan_id.as_deref())).collect(),
            rules: stay_rules(first.rules),
            changed: part,
            extra: extra(first.extra.clone()),
        };
        match rows.last_mut() {
            Some(last) if continues(last, &row) => last.stay.until = row.stay.until,
            _ => rows.push(row),
        }
    }
    rows
}

fn stay_rules(rules: StayRules) -> wit::StayRules {
    let StayRules { min_stay, max_stay, closed_to_arrival, closed_to_departure, .. } = rules;
    let StayRules { min_stay_through, exact_stay, min_advance_days, max_advance_days, .. } = rules;
    wit::StayRules {
        min_stay_arrival: min_stay,
        min_stay_through,
        max_stay,
        exact_stay,
        closed_to_arrival,
        closed_to_departure,
        min_advance_days,
        max_advance_days,
    }
}

fn price(night: &CalendarNight, rate_plan_id: Option<&str>) -> Option<wit::Price> {
    Some(wit::Price {
        rate_plan_id: rate_plan_id.map(str::to_owned),
        occupancy: night.occupancy,
        amount: money(night.price?, night.currency.as_deref()),
        tax_included: night.tax_included,
    })
}

fn continues(last: &wit::CalendarNights, row: &wit::CalendarNights) -> bool {
    let day = |date: wit::Date| (date.year, date.month, date.day);
    let same_price = |a: &wit::Price, b: &wit::Price| {
        (&a.amount.amount, &a.amount.currency, a.occupancy, a.tax_included)
            == (&b.amount.amount, &b.amount.currency, b.occupancy, b.tax_included)
    };
    day(last.stay.until) == day(row.stay.start)
        && (last.available, last.units_available) == (row.available, row.units_available)
        && last.rules == row.rules
        && last.extra == row.extra
        && last.prices.len() == row.prices.len()
        && last.prices.iter().zip(&row.prices).all(|(a, b)| same_price(a, b))
}

pub(super) fn operation(operation: Operation) -> wit::Operation {
    wit::Operation {
        kind: match operation.kind {
            OperationKind::Create => wit::OperationKind::Create,
            OperationKind::Change => wit::OperationKind::Change,
            OperationKind::Cancel => wit::OperationKind::Cancel,
            OperationKind::Accept => wit::OperationKind::Accept,
            OperationKind::Decline => wit::OperationKind::Decline,
            OperationKind::Block => wit::OperationKind::Block,
            OperationKind::Unblock => wit::OperationKind::Unblock,
        },
        attempt: attempt(operation.attempt),
        reference: operation.reference,
        channel_id: operation.channel_id,
        subject: match operation.subject {
            Subject::Reservation(record) => wit::Subject::Reservation(reservation(*record)),
            Subject::Block(record) => wit::Subject::Block(block(*record)),
        },
    }
}

pub(super) fn attempt(attempt: Attempt) -> wit::Attempt {
    match attempt {
        Attempt::First => wit::Attempt::First,
        Attempt::AfterUnknown => wit::Attempt::AfterUnknown,
    }
}

pub(super) fn channel_error(error: ChannelError) -> wit::ChannelError {
    let field_error = |FieldError { path, problem }| wit::FieldError { path, problem };
    match error {
        ChannelError::Unauthorized(why) => wit::ChannelError::Unauthorized(why),
        ChannelError::RateLimited(seconds) => wit::ChannelError::RateLimited(seconds),
        ChannelError::Unavailable(why) => wit::ChannelError::Unavailable(why),
        ChannelError::Rejected(errors) => wit::ChannelError::Rejected(errors.into_iter().map(field_error).collect()),
        ChannelError::Malformed(place) => wit::ChannelError::Malformed(place),
        ChannelError::Conflict(why) => wit::ChannelError::Conflict(why),
        ChannelError::Unsupported => wit::ChannelError::Unsupported,
        ChannelError::Broken(why) => wit::ChannelError::Broken(why),
    }
}

pub(super) fn content(item: ContentItem) -> wit::ContentItem {
    wit::ContentItem {
        entity: entity(item.entity),
        reference: item.reference,
        channel_id: item.channel_id,
        content: item.content.to_string(),
    }
}

fn price_line(line: PriceLine, currency: Option<&str>) -> wit::PriceLine {
    wit::PriceLine {
        kind: match line.kind {
            PriceKind::Stay => wit::PriceKind::Stay,
            PriceKind::Cleaning => wit::PriceKind::Cleaning,
            PriceKind::Fee => wit::PriceKind::Fee,
            PriceKind::Tax => wit::PriceKind::Tax,
            PriceKind::Deposit => wit::PriceKind::Deposit,
            PriceKind::Discount => wit::PriceKind::Discount,
            PriceKind::Other => wit::PriceKind::Other,
        },
        name: line.name,
        amount: money(line.amount, currency),
    }
}

/// The core's calendar, with no night marked as changed.
pub(super) fn calendar_as_it_is(calendar: Calendar) -> Vec<wit::CalendarNights> {
    let changed = CalendarParts { availability: false, price: false, rules: false };
    self::calendar(CalendarUpdate { calendar, changed })
}
