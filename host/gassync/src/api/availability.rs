//! `/integration/v1/availability`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{Amount, Availability, ChangeKind, CoreId, Date, MAX_CALENDAR_NIGHTS, SourceKey, Stay, today_at};
use jiff::Span;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiState, ingest,
    records::{OneOrMany, RecordOutcome, RecordsResponse},
    submission::{Submission, SubmissionOptions},
};
use crate::{
    app::App,
    http::{
        ApiError, Caller, Problem,
        page::{ListPage, PageQuery, with_etag},
        params::{self, Params},
        problem::Document,
        scope::{AvailabilityRead, AvailabilityWrite},
    },
    store::{
        self, Tx,
        calendar::{self, ListedNight},
    },
};

/// Default number of nights.
const DEFAULT_NIGHTS: i64 = 30;

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/integration/v1/availability", get(list).post(post))
}

/// Send a calendar: one record, or a list of up to 1,000, each for a night or a span of equal nights. The ledger
/// remains the authority on availability, but nights sent as closed (`available` is false), or with fewer units than
/// exist, are closed for all channels until they are sent as open. Prices and stay rules are written to the core if the
/// source has authority over the calendar.
#[utoipa::path(
    post, path = "/integration/v1/availability", tag = "availability", operation_id = "post_availability",
    params(
        SubmissionOptions,
        ("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255, description = "Identifies this request for retries: the same response is returned for 24 hours"),
    ),
    request_body = OneOrMany<Availability>,
    responses(
        (status = 200, description = "Updated or unchanged; or the outcomes of a list; or the plan of a dry run", body = RecordsResponse),
        (status = 202, description = "Not stored: the room type or rate plan is unknown. Send it first, then repeat this request", body = RecordOutcome),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn post(
    State(state): State<ApiState>,
    caller: Caller<AvailabilityWrite>,
    submission: Submission,
) -> Result<Response, ApiError> {
    let into_kind = |record: Availability| record.into_calendar().map(ChangeKind::Calendar);
    ingest::post(&state, &caller, submission, into_kind).await
}

/// Filter of nights.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AvailabilityQuery {
    /// Of this room type (the source's own id).
    room_type_id: Option<String>,
    /// Of this property (the source's own id).
    property_id: Option<String>,
    /// Include price and rules of this rate plan (the source's own id). Without it they are null.
    rate_plan_id: Option<String>,
    /// First night. Default: today in UTC.
    #[serde(default, deserialize_with = "params::day")]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Last night, inclusive. Default: 30 nights in total. Maximum: 1,100 nights.
    #[serde(default, deserialize_with = "params::day")]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// Availability of a unit on one night, from the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityNight {
    /// The source's own id of the room type.
    #[schema(example = "room-garden")]
    room_type_id: String,
    /// Identifier of the linked core unit.
    #[schema(example = 12)]
    gas_id: i64,
    /// The night that starts on this date.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Whether a unit can be sold.
    available: bool,
    /// Number of units that can be sold.
    units_available: i64,
    /// Number of overbooked units.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    overbooked: i64,
    /// Price of the night under the requested rate plan.
    #[schema(value_type = Option<f64>)]
    price: Option<Amount>,
    /// ISO 4217.
    currency: Option<String>,
    /// Minimum stay for arrivals on this date.
    min_stay: Option<i64>,
    /// Maximum stay for arrivals on this date.
    max_stay: Option<i64>,
    /// Closed to arrival.
    closed_to_arrival: bool,
    /// Closed to departure.
    closed_to_departure: bool,
    /// Minimum stay for stays that include this night.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_stay_through: Option<i64>,
    /// Exact stay length for arrivals on this date.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact_stay: Option<i64>,
    /// Minimum days between booking and arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_advance_days: Option<i64>,
    /// Maximum days between booking and arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_advance_days: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Availability by night of the source's room types that are linked to the core.
#[utoipa::path(
    get, path = "/integration/v1/availability", tag = "availability", operation_id = "list_availability",
    params(PageQuery, AvailabilityQuery),
    responses(
        (status = 200, description = "A page, ordered by room type and night", body = ListPage<AvailabilityNight>),
        (status = 304, description = "Not modified"),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<AvailabilityRead>,
    Params(page): Params<PageQuery>,
    Params(filter): Params<AvailabilityQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let cursor = page.to_cursor()?;
    let now = app.now();
    let stay = stay(&filter, today_at(now, None))?;
    // Each row is a room type and a night; the cursor encodes both in one number.
    let after = NightCursor::of(cursor.after);
    let mut tx = app.db.read(caller.account).await?;
    let wanted = calendar::CalendarQuery {
        room_type_id: filter.room_type_id.as_deref(),
        property_id: filter.property_id.as_deref(),
        from_row: after.row,
    };
    let types = calendar::linked_room_types(&mut tx, caller.source_key(), &wanted, cursor.limit).await?;
    let plan = rate_plan(&mut tx, caller.source_key(), filter.rate_plan_id.as_deref()).await?;
    let mut rows = Vec::new();
    for room_type in types {
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) >= cursor.limit {
            break;
        }
        let nights = calendar::nights(&mut tx, caller.account, CoreId(room_type.unit_id), plan, &[stay], now).await?;
        let shown = nights.into_iter().map(|night| {
            let place = NightCursor { row: room_type.id, night: day_number(night.night) };
            (place.number(), show(&room_type.external_id, room_type.unit_id, night))
        });
        rows.extend(shown.filter(|(place, _)| *place > cursor.after));
    }
    rows.truncate(usize::try_from(cursor.limit).unwrap_or(usize::MAX));
    with_etag(&headers, &ListPage::cut(rows, cursor, |(place, _)| *place, |(_, shown)| shown))
}

async fn rate_plan(tx: &mut Tx, source: SourceKey, id: Option<&str>) -> Result<Option<CoreId>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let mapping = store::mappings::find(tx, source, store::mappings::EntityKind::RatePlan, id).await?;
    let unknown = || Problem::Malformed("in the query: ratePlanId: there is no such rate plan".to_owned());
    Ok(Some(mapping.ok_or_else(unknown)?.core))
}

fn stay(filter: &AvailabilityQuery, today: Date) -> Result<Stay, Problem> {
    let from = filter.from.unwrap_or(today);
    let end = match filter.to {
        Some(to) => to.tomorrow(),
        None => from.checked_add(Span::new().days(DEFAULT_NIGHTS)),
    };
    let stay = end.ok().and_then(|end| Stay::spanning(from, end));
    let stay = stay.ok_or_else(|| Problem::Malformed(format!("in the query: to: must not be before from ({from})")))?;
    if stay.nights() > MAX_CALENDAR_NIGHTS {
        let text = format!("in the query: to: makes {} nights; the limit is {MAX_CALENDAR_NIGHTS}", stay.nights());
        return Err(Problem::Malformed(text));
    }
    Ok(stay)
}

fn show(room_type_id: &str, gas_id: i64, night: ListedNight) -> AvailabilityNight {
    let units = (night.capacity - night.sold - night.held - night.blocked).max(0);
    let amount = night.price.map(Amount::from);
    let rules = night.rules;
    let count = |count: Option<u32>| count.map(i64::from);
    AvailabilityNight {
        room_type_id: room_type_id.to_owned(),
        gas_id,
        date: night.night,
        available: units > 0 && !night.closed,
        units_available: units,
        overbooked: night.overbooked,
        price: amount.map(|price| night.currency.as_deref().map_or(price, |currency| price.written_in(currency))),
        currency: night.currency,
        min_stay: count(rules.min_stay),
        max_stay: count(rules.max_stay),
        closed_to_arrival: rules.closed_to_arrival.unwrap_or_default(),
        closed_to_departure: rules.closed_to_departure.unwrap_or_default(),
        min_stay_through: count(rules.min_stay_through),
        exact_stay: count(rules.exact_stay),
        min_advance_days: count(rules.min_advance_days),
        max_advance_days: count(rules.max_advance_days),
    }
}

/// End of a page: the row of a room type, and a night.
struct NightCursor {
    row: i64,
    night: i64,
}

impl NightCursor {
    /// Number of nights since 1900 that a cursor can encode.
    const NIGHTS: i64 = 1 << 20;

    fn of(number: i64) -> Self {
        Self { row: number / Self::NIGHTS, night: number % Self::NIGHTS }
    }

    fn number(&self) -> i64 {
        self.row.saturating_mul(Self::NIGHTS).saturating_add(self.night)
    }
}

fn day_number(day: Date) -> i64 {
    Date::constant(1900, 1, 1).until(day).map_or(0, |span| i64::from(span.get_days()))
}
