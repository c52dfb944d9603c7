//! `GET /api/reservations` and `GET /api/reservations/{id}`.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    super::{
        Smoobu, answer,
        query::{InvalidParameter, Parameters},
        shown::Shown,
    },
    filter::Filter,
};

fn shown(parameters: &Parameters) -> Shown {
    let (related, elements) = (parameters.flag("includeRelated"), parameters.flag("includePriceElements"));
    Shown { related, elements, ..Shown::ANSWER }
}

pub(super) async fn list(
    State(simulator): State<Smoobu>,
    parameters: Parameters,
) -> Result<Response, InvalidParameter> {
    let filter = Filter::read(&parameters, &simulator.inner.settings)?;
    let (page, size) = parameters.page("pageSize")?;
    let account = simulator.account();
    let book = &account.book;
    let found = book.bookings.iter().filter(|booking| filter.takes(booking, book));
    let found: Vec<Value> = found.map(|booking| book.wire(booking, shown(&parameters))).collect();
    Ok(answer::list("bookings", &found, page, size))
}

pub(super) async fn single(
    State(simulator): State<Smoobu>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Response {
    let account = simulator.account();
    let booking = id.parse().ok().and_then(|id| account.book.get(id));
    booking
        .map_or_else(answer::not_found, |booking| Json(account.book.wire(booking, shown(&parameters))).into_response())
}
