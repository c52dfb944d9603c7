//! A fake host for unit tests, one per thread.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
};

pub use crate::generated::gassync::channel::core_data::{PageOfProperties, PageOfReservations};
use crate::{
    Block, CalendarNights, CoreBooking, EntityRef, HttpRequest, HttpResponse, Property, Quote, RatePlan, Refusal,
    RoomType, clock, http::HttpError,
};

thread_local! {
    static HOST: RefCell<FakeHost> = RefCell::new(FakeHost::default());
}

/// Signing function: slot, field, algorithm, text.
type Signer = Box<dyn Fn(&str, &str, &str, &[u8]) -> Vec<u8>>;

/// State of the fake host.
#[derive(Default)]
pub struct FakeHost {
    settings: Option<String>,
    answers: VecDeque<Result<HttpResponse, HttpError>>,
    requests: Vec<HttpRequest>,
    secrets: Vec<String>,
    log: Vec<String>,
    state: BTreeMap<String, Vec<u8>>,
    signer: Option<Signer>,
    core_data: CoreData,
}

/// The core's data for the source.
#[derive(Debug, Clone, Default)]
pub struct CoreData {
    /// Properties.
    pub properties: Vec<Property>,
    /// Room types.
    pub room_types: Vec<RoomType>,
    /// Rate plans.
    pub rate_plans: Vec<RatePlan>,
    /// Calendars.
    pub calendar: Vec<CalendarNights>,
    /// Reservations.
    pub reservations: Vec<CoreBooking>,
    /// Blocks.
    pub blocks: Vec<Block>,
    /// The price of any stay; `None` refuses every stay.
    pub quote: Option<Quote>,
    /// Content by entity, as JSON.
    pub content: Vec<(EntityRef, String)>,
    /// Time of the last change, for every property.
    pub changed_at: Option<String>,
}

/// An inbound GET call.
pub fn get(url: &str) -> HttpRequest {
    HttpRequest { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
}

/// An inbound POST call.
pub fn post(url: &str, body: impl Into<Vec<u8>>) -> HttpRequest {
    HttpRequest { method: "POST".to_owned(), body: Some(body.into()), ..get(url) }
}

impl FakeHost {
    /// Resets the state.
    pub fn reset() {
        HOST.with_borrow_mut(|host| *host = Self::default());
        clock::stop_at(None);
    }

    /// The source's settings, a JSON object.
    pub fn set_settings(json: &str) {
        HOST.with_borrow_mut(|host| host.settings = Some(json.to_owned()));
    }

    /// Sets the clock to an instant such as `2027-03-01T09:30:00Z`; by default the system clock is used.
    ///
    /// # Panics
    ///
    /// If the text is not an instant.
    pub fn set_now(instant: &str) {
        let now = clock::parse_instant(instant);
        assert!(now.is_some(), "{instant} is no instant such as 2027-03-01T09:30:00Z");
        clock::stop_at(now);
    }

    /// Queues a response of the channel; without one the response is 503.
    pub fn answer(status: u16, body: &str) {
        let response = HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        HOST.with_borrow_mut(|host| host.answers.push_back(Ok(response)));
    }

    /// Queues a complete response or a failure.
    pub fn answer_with(answer: Result<HttpResponse, HttpError>) {
        HOST.with_borrow_mut(|host| host.answers.push_back(answer));
    }

    /// Takes the requests sent so far.
    pub fn take_requests() -> Vec<HttpRequest> {
        HOST.with_borrow_mut(|host| std::mem::take(&mut host.requests))
    }

    /// The secrets declared by the last request.
    pub fn secrets_meant() -> Vec<String> {
        HOST.with_borrow(|host| host.secrets.clone())
    }

    /// Takes the log lines so far.
    pub fn take_log() -> Vec<String> {
        HOST.with_borrow_mut(|host| std::mem::take(&mut host.log))
    }

    /// Sets the signing function: slot, field, algorithm and text to signature.
    pub fn sign_with(signer: impl Fn(&str, &str, &str, &[u8]) -> Vec<u8> + 'static) {
        HOST.with_borrow_mut(|host| host.signer = Some(Box::new(signer)));
    }

    /// Sets the core's data.
    pub fn set_core_data(core_data: CoreData) {
        HOST.with_borrow_mut(|host| host.core_data = core_data);
    }
}

pub(crate) fn send(request: HttpRequest, secrets: &[String]) -> Result<HttpResponse, HttpError> {
    HOST.with_borrow_mut(|host| {
        host.requests.push(request);
        host.secrets = secrets.to_vec();
        let none_left = || Ok(HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() });
        host.answers.pop_front().unwrap_or_else(none_left)
    })
}

pub(crate) fn settings() -> String {
    HOST.with_borrow(|host| host.settings.clone().unwrap_or_else(|| "{}".to_owned()))
}

pub(crate) fn log(message: &str) {
    HOST.with_borrow_mut(|host| host.log.push(message.to_owned()));
}

pub(crate) mod state {
    use super::HOST;

    pub fn get(key: &str) -> Option<Vec<u8>> {
        HOST.with_borrow(|host| host.state.get(key).cloned())
    }

    pub fn set(key: &str, value: &[u8]) {
        HOST.with_borrow_mut(|host| host.state.insert(key.to_owned(), value.to_vec()));
    }

    pub fn delete(key: &str) {
        HOST.with_borrow_mut(|host| host.state.remove(key));
    }

    pub fn list_keys(prefix: &str) -> Vec<String> {
        HOST.with_borrow(|host| host.state.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
}

pub(crate) mod signing {
    use super::HOST;

    pub fn sign(slot: &str, field: &str, algorithm: &str, text: &[u8], _: &[String]) -> Result<Vec<u8>, String> {
        HOST.with_borrow(|host| {
            let signer = host.signer.as_ref().ok_or_else(|| format!("{slot}.{field}: nothing is stored"))?;
            Ok(signer(slot, field, algorithm, text))
        })
    }

    pub fn verify(
        slot: &str,
        field: &str,
        algorithm: &str,
        text: &[u8],
        secrets: &[String],
        signature: &[u8],
    ) -> Result<bool, String> {
        Ok(sign(slot, field, algorithm, text, secrets)? == signature)
    }
}

pub(crate) mod core_data {
    use super::{
        Block, CalendarNights, CoreBooking, CoreData, EntityRef, HOST, PageOfProperties, PageOfReservations, Quote,
        RatePlan, Refusal, RoomType,
    };
    use crate::{Nights, RefusalReason, ReservationStatus, StayQuery};

    fn held<T>(read: impl FnOnce(&CoreData) -> T) -> T {
        HOST.with_borrow(|host| read(&host.core_data))
    }

    pub fn properties(_: Option<&str>) -> PageOfProperties {
        PageOfProperties { items: held(|i| i.properties.clone()), next: None }
    }

    pub fn room_types(property_id: &str) -> Vec<RoomType> {
        held(|i| i.room_types.iter().filter(|r| r.property_id == property_id).cloned().collect())
    }

    pub fn rate_plans(property_id: &str) -> Vec<RatePlan> {
        held(|i| i.rate_plans.iter().filter(|r| r.property_id == property_id).cloned().collect())
    }

    fn touch(stay: Nights, span: Nights) -> bool {
        stay.start < span.until && stay.until > span.start
    }

    pub fn calendar(room_type_id: &str, span: Nights) -> Vec<CalendarNights> {
        let inside = |row: &&CalendarNights| row.room_type_id == room_type_id && touch(row.stay, span);
        held(|i| i.calendar.iter().filter(inside).cloned().collect())
    }

    pub fn stays(room_type_id: &str, span: Nights) -> Vec<CoreBooking> {
        let holds = |status: &ReservationStatus| {
            use ReservationStatus::{Confirmed, NoShow, Pending};
            matches!(status, Confirmed | Pending(_) | NoShow)
        };
        let inside = |booking: &&CoreBooking| {
            let record = &booking.reservation;
            let of = |room: &crate::RoomStay| {
                let stay = room.stay.or(record.stay);
                room.room_type_id.as_deref() == Some(room_type_id) && stay.is_some_and(|stay| touch(stay, span))
            };
            holds(&record.status) && record.rooms.iter().any(of)
        };
        let mut stays: Vec<CoreBooking> = held(|i| i.reservations.iter().filter(inside).cloned().collect());
        stays.sort_by_key(|booking| booking.reservation.stay.map(|stay| stay.start));
        stays
    }

    pub fn blocks(room_type_id: &str, span: Nights) -> Vec<Block> {
        let inside = |block: &&Block| {
            let whole_property = block.room_type_ids.is_empty();
            (whole_property || block.room_type_ids.iter().any(|id| id == room_type_id)) && touch(block.stay, span)
        };
        held(|i| i.blocks.iter().filter(inside).cloned().collect())
    }

    pub fn reservations(changed_since: Option<&str>, _: Option<&str>) -> PageOfReservations {
        let newer = |booking: &&CoreBooking| changed_since.is_none_or(|since| booking.changed_at.as_str() > since);
        PageOfReservations { items: held(|i| i.reservations.iter().filter(newer).cloned().collect()), next: None }
    }

    pub fn find_reservation(id: &str) -> Option<CoreBooking> {
        let known = |booking: &&CoreBooking| booking.our_reference == id || booking.reservation.id == id;
        held(|i| i.reservations.iter().find(known).cloned())
    }

    pub fn changed_at(_: &str) -> Option<String> {
        held(|i| i.changed_at.clone())
    }

    pub fn quote_stay(_: &StayQuery) -> Result<Quote, Vec<Refusal>> {
        let none = || vec![Refusal { reason: RefusalReason::NoRate, path: None, text: "there is no price".to_owned() }];
        held(|i| i.quote.clone()).ok_or_else(none)
    }

    pub fn content(of: &EntityRef) -> Option<String> {
        let is_it = |(what, _): &&(EntityRef, String)| (what.entity, &what.id) == (of.entity, &of.id);
        held(|i| i.content.iter().find(is_it).map(|(_, json)| json.clone()))
    }
}
