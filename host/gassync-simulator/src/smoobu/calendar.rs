//! `/api/rates`: price, minimum stay and availability of each night.

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{Span, civil::Date};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Account, Smoobu, SmoobuSettings, answer,
    book::Book,
    middleware::AdmittedCall,
    query::{InvalidParameter, Parameters, day},
};
use crate::money;

/// Most nights of a range.
const LONGEST_RANGE: usize = 1_500;

pub(super) fn router() -> Router<Smoobu> {
    Router::new().route("/api/rates", get(read).post(write))
}

/// Nights from one day to another.
fn range(from: Date, to: Date, last_included: bool) -> Vec<Date> {
    let ends = if last_included { to } else { to.saturating_sub(Span::new().days(1)) };
    from.series(Span::new().days(1)).take_while(|night| *night <= ends).take(LONGEST_RANGE).collect()
}

impl Book {
    /// Returns a night as it is shown.
    pub fn night(&self, apartment: u64, night: Date) -> Value {
        let rate = self.rates.get(apartment, night);
        json!({
            "price": rate.price_cents.map(money::number),
            "min_length_of_stay": rate.min_stay,
            "available": u8::from(!self.is_taken(apartment, night)),
        })
    }

    /// Returns nights of apartments by id, as answers and webhooks show them.
    pub fn nights(&self, apartments: &[u64], nights: &[Date]) -> Value {
        let of = |id: u64| -> Value {
            nights.iter().map(|night| (night.to_string(), self.night(id, *night))).collect::<Map<_, _>>().into()
        };
        apartments.iter().map(|id| (id.to_string(), of(*id))).collect::<Map<_, _>>().into()
    }
}

async fn read(State(simulator): State<Smoobu>, parameters: Parameters) -> Result<Response, InvalidParameter> {
    let settings = &simulator.inner.settings;
    let days = (parameters.date("start_date")?, parameters.date("end_date")?);
    let (Some(from), Some(to)) = days else {
        return Ok(settings.refuse("start_date and end_date are required"));
    };
    let account = simulator.account();
    let named = parameters.all("apartments[]").filter_map(|id| id.parse().ok());
    let known: Vec<u64> = named.filter(|id| account.book.apartment(*id).is_some()).collect();
    let nights = range(from, to, settings.last_day_included);
    Ok(Json(json!({ "data": account.book.nights(&known, &nights) })).into_response())
}

#[derive(Deserialize)]
struct Written {
    apartments: Vec<u64>,
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    dates: Vec<String>,
    #[serde(default)]
    daily_price: Value,
    min_length_of_stay: Option<u32>,
    available: Option<u32>,
}

impl Operation {
    /// Reads its nights; `None` if one is no day and no range.
    fn nights(&self, settings: &SmoobuSettings) -> Option<Vec<Date>> {
        let mut nights = Vec::new();
        for text in &self.dates {
            match text.split_once(':') {
                Some((from, to)) => nights.extend(range(day(from)?, day(to)?, settings.last_day_included)),
                None => nights.push(day(text)?),
            }
        }
        Some(nights)
    }
}

async fn write(State(simulator): State<Smoobu>, Extension(call): Extension<AdmittedCall>, body: Bytes) -> Response {
    let Ok(written) = serde_json::from_slice::<Written>(&body) else {
        return simulator.inner.settings.refuse("apartments and operations are required");
    };
    simulator.write(call, |account, settings, now| match account.set_rates(&written, settings) {
        Ok(nights) => {
            account.notify_rates(settings, &written.apartments, &nights, now);
            answer::success()
        }
        Err(detail) => settings.refuse(detail),
    })
}

impl Account {
    /// Writes rates and returns the nights that were written. Nothing is written if a part is wrong.
    fn set_rates(&mut self, written: &Written, settings: &SmoobuSettings) -> Result<Vec<Date>, &'static str> {
        if written.apartments.iter().any(|id| self.book.apartment(*id).is_none()) {
            return Err("apartments has an unknown id");
        }
        let mut operations = Vec::new();
        for operation in &written.operations {
            let nights = operation.nights(settings).ok_or("dates are invalid")?;
            let price = match &operation.daily_price {
                Value::Null => None,
                price => Some(money::cents(price).ok_or("daily_price is invalid")?),
            };
            operations.push((operation, price, nights));
        }
        let mut all: Vec<Date> = Vec::new();
        for (operation, price, nights) in operations {
            for (apartment, night) in written.apartments.iter().flat_map(|id| nights.iter().map(|night| (*id, *night)))
            {
                let rate = self.book.rates.at(apartment, night);
                rate.price_cents = price.or(rate.price_cents);
                rate.min_stay = operation.min_length_of_stay.or(rate.min_stay);
                if let Some(available) = operation.available.filter(|_| settings.operations_close) {
                    rate.is_closed = available == 0;
                }
            }
            all.extend(nights);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}
