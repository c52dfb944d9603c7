//! `GET /bookings`.

use axum::{Extension, extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    super::{
        Admitted, Beds24, answer,
        booking::BookingRecord,
        encode,
        query::{BadParameter, QueryParams},
        scopes::Scopes,
        state::AccountState,
    },
    filter::BookingFilter,
};

pub(super) async fn list(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    query: QueryParams,
) -> Result<Response, BadParameter> {
    let settings = &simulator.inner.settings;
    let filter = BookingFilter::read(&query, settings)?;
    let now = simulator.now();
    let account = &mut *simulator.account();
    if !filter.is_by_id() {
        simulator.be_odd_in_turn(account);
    }
    let found: Vec<u64> =
        account.book.bookings.iter().filter(|b| filter.takes(b, now)).map(|booking| booking.entry.id).collect();
    account.oddities.said(found.len());
    let (come, page_size) = if filter.is_by_id() {
        (found.len(), settings.page_size)
    } else {
        account.distort_list(&found, query.page, settings.page_size)
    };
    let (come, left_out) = found.split_at(come);
    let listed: Vec<&BookingRecord> = come.iter().filter_map(|id| account.book.get(*id)).collect();
    let show = |booking: &BookingRecord| show(booking, &account.book, &query, &call.scopes);
    let answer = answer::list("booking", listed, &query, page_size, show);
    if !filter.is_by_id() {
        account.after_page(left_out, now);
    }
    Ok(answer)
}

fn show(booking: &BookingRecord, book: &AccountState, query: &QueryParams, scopes: &Scopes) -> Value {
    let mut object = encode::booking(booking);
    if !scopes.allow("read", "bookings-personal") {
        encode::empty_personal(&mut object);
    }
    if query.flag("includeBookingGroup") {
        object["bookingGroup"] = encode::group(booking, book);
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
