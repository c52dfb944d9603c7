//! From the contract's records to the domain's. What does not convert names its place.

use gassync_domain::{
    Address, Amount, Block, Calendar, CalendarNight, Change, ChannelError, Collector, Completeness, ConnectionEvent,
    Date, Decoded, Entity, EntityRef, Extra, FieldError, Guest, Hint, HttpRequest, HttpResponse, Intent,
    MAX_STAY_NIGHTS, News, Outcome, Page, Part, Party, PriceKind, PriceLine, Property, Question, RatePlan, RawJson,
    ReceiptOutcome, Report, Reservation, ResumePoint, RoomStay, RoomType, Route, Scope, Status, StayQuery, Subscribed,
    Timestamp, lossless_instant,
};
use serde_json::Value;

use super::bindings::gassync::channel::types as wit;
use crate::CallError;

type Converted<T> = Result<T, CallError>;

fn bad<T>(path: &str, problem: impl Into<String>) -> Converted<T> {
    Err(CallError::BadAnswer { path: path.to_owned(), problem: problem.into() })
}

pub(super) fn request(request: wit::HttpRequest) -> HttpRequest {
    let wit::HttpRequest { method, url, headers, body } = request;
    HttpRequest { method, url, headers: self::headers(headers), body }
}

pub(super) fn response(response: wit::HttpResponse) -> Converted<HttpResponse> {
    let wit::HttpResponse { status, headers, body } = response;
    Ok(HttpResponse { status: self::status(status)?, headers: self::headers(headers), body })
}

fn headers(headers: Vec<wit::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

fn status(status: u16) -> Converted<u16> {
    if (100..600).contains(&status) { Ok(status) } else { bad("status", format!("{status} is not an HTTP status")) }
}

pub(super) fn channel_error(error: wit::ChannelError) -> CallError {
    CallError::Channel(match error {
        wit::ChannelError::Unauthorized(why) => ChannelError::Unauthorized(why),
        wit::ChannelError::RateLimited(seconds) => ChannelError::RateLimited(seconds),
        wit::ChannelError::Unavailable(why) => ChannelError::Unavailable(why),
        wit::ChannelError::Rejected(errors) => ChannelError::Rejected(errors.into_iter().map(field_error).collect()),
        wit::ChannelError::Malformed(place) => ChannelError::Malformed(place),
        wit::ChannelError::Conflict(why) => ChannelError::Conflict(why),
        wit::ChannelError::Unsupported => ChannelError::Unsupported,
        wit::ChannelError::Broken(why) => ChannelError::Broken(why),
    })
}

pub(super) fn decoded(decoded: wit::Decoded, limit: usize) -> Converted<Decoded> {
    Ok(Decoded {
        event_id: decoded.event_id,
        changes: changes(decoded.changes, limit)?,
        reply: decoded.reply.map(response).transpose()?,
    })
}

pub(super) fn page(page: wit::Page, limit: usize) -> Converted<Page> {
    Ok(Page {
        changes: changes(page.changes, limit)?,
        next: page.next,
        resume: page.resume.map(resume_point).transpose()?,
        scope: match page.scope {
            wit::Scope::Delta => Scope::Delta,
            wit::Scope::Whole(nights) => {
                let (start, until) = span("scope", nights)?;
                Scope::Whole { start, until }
            }
            wit::Scope::WholeEntity => Scope::WholeEntity,
        },
        wait_seconds: page.wait_seconds,
    })
}

fn resume_point(point: wit::ResumePoint) -> Converted<ResumePoint> {
    Ok(match point {
        wit::ResumePoint::Instant(text) => ResumePoint::Instant(exactly("resume", &text)?),
        wit::ResumePoint::Token(token) => ResumePoint::Token(token),
    })
}

fn changes(changes: Vec<wit::Change>, limit: usize) -> Converted<Vec<Change>> {
    if changes.len() > limit {
        return Err(CallError::OverLimit { limit: "changes", value: format!("{limit} in one answer") });
    }
    let mut converted = Vec::with_capacity(changes.len());
    for (index, change) in changes.into_iter().enumerate() {
        let place = |error| match error {
            CallError::BadAnswer { path, problem } => {
                CallError::BadAnswer { path: format!("changes[{index}].{path}"), problem }
            }
            other => other,
        };
        let route = Route { property_id: change.route.property_id, account: change.route.account };
        news(change.news, &route, &mut converted).map_err(place)?;
    }
    Ok(converted)
}

fn news(news: wit::News, route: &Route, into: &mut Vec<Change>) -> Converted<()> {
    let mut add = |news, raw| into.push(Change { route: route.clone(), news, raw });
    match news {
        wit::News::Property(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::Property(property(record)?), raw);
        }
        wit::News::RoomType(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::RoomType(room_type(record)?), raw);
        }
        wit::News::Reservation(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::Reservation(Box::new(reservation(record)?)), raw);
        }
        wit::News::Guest(record) => add(News::Guest(guest(record)?), None),
        wit::News::Block(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::Block(block(record)?), raw);
        }
        wit::News::Calendar(rows) => {
            for calendar in calendars(rows)? {
                add(News::Calendar(calendar), None);
            }
        }
        wit::News::Removed(what) => add(News::Removed(entity_ref(what)), None),
        wit::News::LookAgain(hint) => {
            add(News::LookAgain(Hint { entity: entity(hint.entity), id: hint.id }), None);
        }
        wit::News::Connection(event) => add(News::Connection(connection_event(event)?), None),
        wit::News::RatePlan(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::RatePlan(rate_plan(record)?), raw);
        }
        wit::News::Ask(what) => add(News::Ask(question(what)?), None),
        wit::News::Other((name, value)) => add(News::Other { name, value: json("other", &value)? }, None),
    }
    Ok(())
}

fn raw(text: Option<&str>) -> Converted<Option<RawJson>> {
    match text.map(RawJson::parse) {
        Some(Err(error)) => bad("raw", format!("is not JSON: {error}")),
        Some(Ok(raw)) => Ok(Some(raw)),
        None => Ok(None),
    }
}

fn json(path: &str, text: &str) -> Converted<Value> {
    serde_json::from_str(text).or_else(|error| bad(path, format!("is not JSON: {error}")))
}

fn extra(pairs: wit::Extra) -> Converted<Extra> {
    pairs.into_iter().map(|(name, value)| Ok((name, json("extra", &value)?))).collect()
}

fn address(address: wit::Address) -> Address {
    let wit::Address { street, city, state, postcode, country } = address;
    Address { street, city, state, postcode, country }
}

fn property(record: wit::Property) -> Converted<Property> {
    let mut property = Property {
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
        extra: extra(record.extra)?,
    };
    property.normalise();
    Ok(property)
}

fn room_type(record: wit::RoomType) -> Converted<RoomType> {
    let mut room_type = RoomType {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: record.description,
        max_occupancy: record.max_occupancy,
        quantity: record.quantity,
        amenities: record.amenities,
        extra: extra(record.extra)?,
    };
    room_type.normalise();
    Ok(room_type)
}

fn rate_plan(record: wit::RatePlan) -> Converted<RatePlan> {
    let mut plan = RatePlan {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: None,
        room_type_ids: record.room_type_ids,
        meals: record.meals,
        refundable: record.refundable,
        currency: record.currency,
        extra: extra(record.extra)?,
    };
    plan.normalise();
    Ok(plan)
}

fn guest(record: wit::GuestDetails) -> Converted<Guest> {
    let mut guest = Guest {
        id: record.id,
        name: record.name,
        first_name: record.first_name,
        last_name: record.last_name,
        email: record.email,
        phone: record.phone,
        country: record.country,
        language: record.language,
        address: record.address.map(address),
        extra: extra(record.extra)?,
    };
    guest.normalise();
    Ok(guest)
}

fn reservation(record: wit::Reservation) -> Converted<Reservation> {
    let (status, hold_until) = match record.status {
        wit::ReservationStatus::Confirmed => (Status::Confirmed, None),
        wit::ReservationStatus::Pending(until) => (Status::Pending, instant("status", until)?),
        wit::ReservationStatus::Inquiry => (Status::Inquiry, None),
        wit::ReservationStatus::Cancelled => (Status::Cancelled, None),
        wit::ReservationStatus::Declined => (Status::Declined, None),
        wit::ReservationStatus::NoShow => (Status::NoShow, None),
        wit::ReservationStatus::Other(word) => (Status::Other(word), None),
    };
    let (check_in, check_out) = stay("stay", record.stay)?;
    let total = record.total;
    let sums = [&total, &record.commission, &record.payout].into_iter().flatten();
    let lines = record.price_lines.iter().map(|line| &line.amount);
    let currency = sums.chain(lines).find_map(|money| money.currency.clone());
    // In another currency than the total it has no place here, and to misread it would be worse than to leave it out.
    let fits = |money: &wit::Money| money.currency.is_none() || money.currency == currency;
    let commission = amount("commission", record.commission.filter(fits))?;
    let payout = amount("payout", record.payout.filter(fits))?;
    let lines = record.price_lines.into_iter().filter(|line| fits(&line.amount));
    let price_lines = lines.map(price_line).collect::<Converted<_>>()?;
    let mut reservation = Reservation {
        ota_reference: record.ota_reference,
        group_id: record.group_id,
        property_id: record.property_id,
        rooms: record.rooms.into_iter().map(room_stay).collect::<Converted<_>>()?,
        check_in,
        check_out,
        hold_until,
        source: record.source,
        guest: record.guest.map(guest).transpose()?,
        guests: record.guests,
        adults: record.adults,
        children: record.children,
        infants: record.infants,
        pets: record.pets,
        total_price: amount("total", total)?,
        price_lines,
        currency,
        commission,
        payout,
        collector: record.collector.map(|collector| match collector {
            wit::Collector::Channel => Collector::Channel,
            wit::Collector::Property => Collector::Property,
        }),
        booked_at: instant("booked-at", record.booked_at)?,
        modified_at: instant("modified-at", record.modified_at)?,
        revision: record.revision,
        notes: record.notes,
        intent: match record.intent {
            wit::Intent::Fact => Intent::Fact,
            wit::Intent::Request => Intent::Request,
        },
        completeness: match record.completeness {
            wit::Completeness::Full => Completeness::Full,
            wit::Completeness::Partial => Completeness::Partial,
        },
        receipt: record.receipt,
        extra: extra(record.extra)?,
        ..Reservation::new(record.id, status)
    };
    reservation.normalise();
    Ok(reservation)
}

fn price_line(line: wit::PriceLine) -> Converted<PriceLine> {
    Ok(PriceLine {
        kind: match line.kind {
            wit::PriceKind::Stay => PriceKind::Stay,
            wit::PriceKind::Cleaning => PriceKind::Cleaning,
            wit::PriceKind::Fee => PriceKind::Fee,
            wit::PriceKind::Tax => PriceKind::Tax,
            wit::PriceKind::Deposit => PriceKind::Deposit,
            wit::PriceKind::Discount => PriceKind::Discount,
            wit::PriceKind::Other => PriceKind::Other,
        },
        name: line.name,
        amount: money("price-lines.amount", &line.amount)?,
    })
}

fn room_stay(room: wit::RoomStay) -> Converted<RoomStay> {
    let (check_in, check_out) = stay("rooms.stay", room.stay)?;
    Ok(RoomStay {
        id: room.id,
        room_type_id: room.room_type_id,
        unit_id: room.unit_id,
        rate_plan_id: room.rate_plan_id,
        check_in,
        check_out,
        guests: room.guests,
        adults: room.adults,
        children: room.children,
        infants: room.infants,
        total_price: amount("rooms.total", room.total)?,
        guest: room.guest.map(guest).transpose()?,
        extra: extra(room.extra)?,
    })
}

fn block(record: wit::Block) -> Converted<Block> {
    let (check_in, check_out) = span("stay", record.stay)?;
    let mut block = Block {
        id: record.id,
        property_id: record.property_id,
        room_type_id: None,
        room_type_ids: record.room_type_ids,
        unit_id: record.unit_id,
        units: record.units,
        check_in,
        check_out,
        reason: record.reason,
        modified_at: instant("modified-at", record.modified_at)?,
        revision: record.revision,
        extra: extra(record.extra)?,
    };
    block.normalise();
    Ok(block)
}

/// One calendar per room type and rate plan, one entry per night and price.
fn calendars(rows: Vec<wit::CalendarNights>) -> Converted<Vec<Calendar>> {
    let mut calendars: Vec<Calendar> = Vec::new();
    for row in rows {
        let nights = nights_of(&row)?;
        let same = |c: &&mut Calendar| c.room_type_id == row.room_type_id && c.rate_plan_id == row.rate_plan_id;
        match calendars.iter_mut().find(same) {
            Some(calendar) => calendar.nights.extend(nights),
            None => calendars.push(Calendar {
                property_id: row.property_id,
                room_type_id: row.room_type_id,
                rate_plan_id: row.rate_plan_id,
                nights,
            }),
        }
    }
    Ok(calendars)
}

fn nights_of(row: &wit::CalendarNights) -> Converted<Vec<CalendarNight>> {
    let (start, until) = span("calendar.stay", row.stay)?;
    let days = start.until(until).map_or(0, |s| s.get_days());
    if !(1..=MAX_STAY_NIGHTS).contains(&days) {
        return bad("calendar.stay", format!("has {days} nights; allowed are 1 to {MAX_STAY_NIGHTS}"));
    }
    let extra = self::extra(row.extra.clone())?;
    let prices: Vec<Option<&wit::Price>> =
        if row.prices.is_empty() { vec![None] } else { row.prices.iter().map(Some).collect() };
    let mut nights = Vec::new();
    let mut date = start;
    while date < until {
        for price in &prices {
            nights.push(CalendarNight {
                available: row.available.or(row.units_available.map(|units| units > 0)),
                units_available: row.units_available,
                price: price.map(|p| money("calendar.price", &p.amount)).transpose()?,
                currency: price.and_then(|p| p.amount.currency.clone()),
                occupancy: price.and_then(|p| p.occupancy),
                tax_included: price.and_then(|p| p.tax_included),
                min_stay: row.rules.min_stay_arrival.or(row.rules.min_stay_through),
                max_stay: row.rules.max_stay,
                closed_to_arrival: row.rules.closed_to_arrival,
                closed_to_departure: row.rules.closed_to_departure,
                min_stay_through: row.rules.min_stay_through,
                exact_stay: row.rules.exact_stay,
                min_advance_days: row.rules.min_advance_days,
                max_advance_days: row.rules.max_advance_days,
                extra: extra.clone(),
                ..CalendarNight::new(date)
            });
        }
        date = date.tomorrow().or_else(|e| bad("calendar.stay", e.to_string()))?;
    }
    Ok(nights)
}

fn question(question: wit::Question) -> Converted<Question> {
    Ok(match question {
        wit::Question::Available(stay) => Question::Available { stay: stay_query(stay)? },
        wit::Question::Quote(stay) => Question::Quote { stay: stay_query(stay)? },
        wit::Question::Hold(hold) => {
            Question::Hold { reference: hold.reference, stay: stay_query(hold.query)?, minutes: hold.minutes }
        }
        wit::Question::Release(reference) => Question::Release { reference },
        wit::Question::BookingsSince(since) => {
            Question::BookingsSince { since: exactly("ask.bookings-since", &since)? }
        }
        wit::Question::Other((kind, value)) => Question::Other { kind, value: json("ask.other", &value)? },
    })
}

pub(super) fn stay_query(query: wit::StayQuery) -> Converted<StayQuery> {
    let (check_in, check_out) = span("stay", query.stay)?;
    let party =
        query.party.map(|wit::Party { adults, children, infants, pets }| Party { adults, children, infants, pets });
    if query.property_id.is_none() && query.replaces.is_none() {
        return bad("property-id", "is missing, and replaces names no reservation whose property could be meant");
    }
    Ok(StayQuery {
        property_id: query.property_id,
        room_type_id: query.room_type_id,
        rate_plan_id: query.rate_plan_id,
        check_in,
        check_out,
        party,
        replaces: query.replaces,
        extra: extra(query.extra)?,
    })
}

/// As many as were given to the plugin, or it answered something else.
pub(super) fn as_many<T>(outcomes: Vec<T>, given: usize) -> Converted<Vec<T>> {
    if outcomes.len() == given {
        Ok(outcomes)
    } else {
        bad("outcomes", format!("has {} entries for {given} items", outcomes.len()))
    }
}

pub(super) fn outcomes(outcomes: Vec<wit::Outcome>, given: usize) -> Converted<Vec<Outcome>> {
    as_many(outcomes, given)?.into_iter().map(outcome).collect()
}

fn outcome(outcome: wit::Outcome) -> Converted<Outcome> {
    Ok(match outcome {
        wit::Outcome::Accepted(accepted) => Outcome::Accepted {
            id: accepted.channel_id,
            replaces: accepted.replaces,
            confirmed: accepted.confirmed,
            warnings: accepted.warnings,
        },
        wit::Outcome::Refused(errors) => Outcome::Refused(errors.into_iter().map(field_error).collect()),
        wit::Outcome::Retry(seconds) => Outcome::Retry(seconds),
        wit::Outcome::Unknown => Outcome::Unknown,
        wit::Outcome::Other((kind, value)) => Outcome::Other { kind, value: json("outcome.other", &value)? },
    })
}

pub(super) fn receipt_outcomes(outcomes: Vec<wit::ReceiptOutcome>, given: usize) -> Converted<Vec<ReceiptOutcome>> {
    let outcome = |outcome| match outcome {
        wit::ReceiptOutcome::Taken => ReceiptOutcome::Taken,
        wit::ReceiptOutcome::Retry(seconds) => ReceiptOutcome::Retry(seconds),
        wit::ReceiptOutcome::Outdated(why) => ReceiptOutcome::Outdated(why),
        wit::ReceiptOutcome::Refused(why) => ReceiptOutcome::Refused(why),
    };
    Ok(as_many(outcomes, given)?.into_iter().map(outcome).collect())
}

fn field_error(error: wit::FieldError) -> FieldError {
    FieldError { path: error.path, problem: error.problem }
}

pub(super) fn part(part: wit::Part) -> Converted<Part> {
    let wit::Part { status, headers, body, next } = part;
    Ok(Part { status: self::status(status)?, headers: self::headers(headers), body, next })
}

pub(super) fn report(report: wit::Report) -> Converted<Report> {
    let wit::Report { account, scopes, missing, extra } = report;
    Ok(Report { account, scopes, missing, extra: self::extra(extra)? })
}

pub(super) fn subscribed(subscribed: wit::Subscribed) -> Subscribed {
    let wit::Subscribed { ids, steps } = subscribed;
    Subscribed { ids, steps }
}

pub(super) fn entity_ref(what: wit::EntityRef) -> EntityRef {
    EntityRef { entity: entity(what.entity), id: what.id }
}

fn entity(entity: wit::Entity) -> Entity {
    match entity {
        wit::Entity::Property => Entity::Property,
        wit::Entity::RoomType => Entity::RoomType,
        wit::Entity::RatePlan => Entity::RatePlan,
        wit::Entity::Reservation => Entity::Reservation,
        wit::Entity::Guest => Entity::Guest,
        wit::Entity::Calendar => Entity::Calendar,
        wit::Entity::Block => Entity::Block,
    }
}

fn connection_event(event: wit::ConnectionEvent) -> Converted<ConnectionEvent> {
    Ok(match event {
        wit::ConnectionEvent::Revoked => ConnectionEvent::Revoked,
        wit::ConnectionEvent::Unlinked(ids) => ConnectionEvent::Unlinked { ids },
        wit::ConnectionEvent::Linked(ids) => ConnectionEvent::Linked { ids },
        wit::ConnectionEvent::Remapped((from, to)) => ConnectionEvent::Remapped { from, to },
        wit::ConnectionEvent::Other((kind, value)) => {
            ConnectionEvent::Other { kind, value: json("connection.other", &value)? }
        }
    })
}

fn amount(path: &str, money: Option<wit::Money>) -> Converted<Option<Amount>> {
    money.map(|money| self::money(path, &money)).transpose()
}

fn money(path: &str, money: &wit::Money) -> Converted<Amount> {
    money.amount.parse().or_else(|error: gassync_domain::AmountError| bad(path, error.to_string()))
}

pub(super) fn instant(path: &str, text: Option<String>) -> Converted<Option<Timestamp>> {
    text.map(|text| exactly(path, &text)).transpose()
}

fn exactly(path: &str, text: &str) -> Converted<Timestamp> {
    lossless_instant(text).map_or_else(|| bad(path, "is not an RFC 3339 instant"), Ok)
}

fn stay(path: &str, nights: Option<wit::Nights>) -> Converted<(Option<Date>, Option<Date>)> {
    Ok(match nights {
        Some(nights) => {
            let (start, until) = span(path, nights)?;
            (Some(start), Some(until))
        }
        None => (None, None),
    })
}

pub(super) fn span(path: &str, nights: wit::Nights) -> Converted<(Date, Date)> {
    Ok((date(path, nights.start)?, date(path, nights.until)?))
}

fn date(path: &str, date: wit::Date) -> Converted<Date> {
    let wit::Date { year, month, day } = date;
    let part = |n: u8| i8::try_from(n).unwrap_or(-1);
    Date::new(year, part(month), part(day)).or_else(|_| bad(path, format!("{year}-{month}-{day} is not a date")))
}
