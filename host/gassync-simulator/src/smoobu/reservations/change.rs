//! `PUT /api/reservations/{id}`: neither dates nor apartment can be changed.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;

use super::{
    super::{Smoobu, answer, booking::BookingType, middleware::AdmittedCall, webhook::BookingEvent},
    written::{self, Write},
};

pub(super) async fn change(
    State(simulator): State<Smoobu>,
    Extension(call): Extension<AdmittedCall>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(given) = serde_json::from_slice::<Value>(&body) else {
        return simulator.inner.settings.refuse("The body is not JSON");
    };
    simulator.write(call, |account, settings, now| {
        let Some(booking) = id.parse().ok().and_then(|id| account.book.get_mut(id)) else {
            return answer::not_found();
        };
        if !booking.is_active() {
            return settings.refuse("The booking is cancelled");
        }
        let mut changed = booking.clone();
        let invalid = written::write(&mut changed, &given, Write::Change);
        if !invalid.is_empty() {
            return settings.refuse_fields(&invalid.into());
        }
        changed.touch(BookingType::Modification, now);
        let id = changed.id;
        *booking = changed;
        account.notify(settings, id, BookingEvent::Update, now);
        answer::success()
    })
}
