//! `GET /bookings`.

use axum::{Extension, extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    super::{
        Admitted, Beds24, answer,
        book::Book,
        booking::Booking,
        query::{BadParameter, Query},
        scopes::Scopes,
        wire,
    },
    filter::Filter,
};

pub(super) async fn list(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    query: Query,
) -> Result<Response, BadParameter> {
    let settings = &simulator.inner.settings;
    let filter = Filter::read(&query, settings)?;
    let now = simulator.now();
    let account = simulator.account();
    let found: Vec<&Booking> = account.book.bookings.iter().filter(|booking| filter.takes(booking, now)).collect();
    let show = |booking: &Booking| show(booking, &account.book, &query, &call.scopes);
    Ok(answer::list("booking", found, &query, settings.page_size, show))
}

fn show(booking: &Booking, book: &Book, query: &Query, scopes: &Scopes) -> Value {
    let mut object = wire::booking(booking);
    if !scopes.allow("read", "bookings-personal") {
        wire::empty_personal(&mut object);
    }
    if query.flag("includeBookingGroup") {
        object["bookingGroup"] = wire::group(booking, book);
    }
    if query.flag("includeInvoiceItems") && scopes.allow("read", "bookings-financial") {
        object["invoiceItems"] = booking.invoice_items.wire();
    }
    if query.flag("includeInfoItems") {
        object["infoItems"] = booking.info_items.wire();
    }
    if query.flag("includeGuests") {
        object["guests"] = json!([]);
    }
    object
}
