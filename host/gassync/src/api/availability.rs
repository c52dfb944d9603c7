//! `/integration/v1/availability`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{
    AccountId, Amount, Availability, ChangeKind, CoreId, Date, MAX_CALENDAR_NIGHTS, SourceId, Stay, today_at,
};
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

/// Nights shown when the caller does not say until when.
const DEFAULT_NIGHTS: i64 = 30;

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/integration/v1/availability", get(list).post(post))
}

/// Tell a calendar: one record, or a list of up to 1,000, each for a night or for a span of nights that are alike.
/// It is kept as it was told. How many can be sold stays the ledger's to say, but nights that it shows closed (`available` is
/// false), or with fewer for sale than there are, are closed for every seller until it shows them open. Prices and rules of stay
/// go into the core where the source has the say over the calendar.
#[utoipa::path(
    post, path = "/integration/v1/availability", tag = "availability", operation_id = "post_availability",
    params(
        SubmissionOptions,
        ("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255, description = "A name for this request, so that it can be sent again: the same answer comes back for 24 hours"),
    ),
    request_body = OneOrMany<Availability>,
    responses(
        (status = 200, description = "Changed or as it was; the outcome of each record of a list; a plan", body = RecordsResponse),
        (status = 202, description = "Not kept: its room type or rate plan is not known yet; send it again after that", body = RecordOutcome),
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

/// Which nights.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AvailabilityQuery {
    /// Only of this room type (the source's own id).
    room_type_id: Option<String>,
    /// Only of this property (the source's own id).
    property_id: Option<String>,
    /// With price and rules of this rate plan (the source's own id); without it there are none.
    rate_plan_id: Option<String>,
    /// The first night; today, in UTC, where it is not said.
    #[serde(default, deserialize_with = "params::day")]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last night, which is one of them; 30 nights in all where it is not said, 1,100 at most.
    #[serde(default, deserialize_with = "params::day")]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// What can be sold of a unit on a night, as the ledger has it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityNight {
    /// The source's own id of the room type.
    #[schema(example = "room-garden")]
    room_type_id: String,
    /// The core's unit it is linked to.
    #[schema(example = 12)]
    gas_id: i64,
    /// The night that begins on this day.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Whether one can be sold.
    available: bool,
    /// How many can be sold.
    units_available: i64,
    /// How many are sold that there is no room for.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    overbooked: i64,
    /// Price of the night under the rate plan asked for.
    #[schema(value_type = Option<f64>)]
    price: Option<Amount>,
    /// ISO 4217.
    currency: Option<String>,
    /// Fewest nights of a stay that begins here.
    min_stay: Option<i64>,
    /// Most nights of a stay that begins here.
    max_stay: Option<i64>,
    /// No arrival on this day.
    closed_to_arrival: bool,
    /// No departure on this day.
    closed_to_departure: bool,
    /// Fewest nights of a stay of which this one is any part.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_stay_through: Option<i64>,
    /// The one length of a stay that begins here.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact_stay: Option<i64>,
    /// Fewest days between booking and arrival here.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_advance_days: Option<i64>,
    /// Most days between booking and arrival here.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_advance_days: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What can be sold, night by night, of the room types of this key's source that are linked to the core.
#[utoipa::path(
    get, path = "/integration/v1/availability", tag = "availability", operation_id = "list_availability",
    params(PageQuery, AvailabilityQuery),
    responses(
        (status = 200, description = "A page: by room type, then by night", body = ListPage<AvailabilityNight>),
        (status = 304, description = "As the caller has it"),
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
    // A row of this listing is a room type and a night: one number says both.
    let after = NightCursor::of(cursor.after);
    let mut tx = app.db.read(caller.account).await?;
    let wanted = calendar::CalendarQuery {
        room_type_id: filter.room_type_id.as_deref(),
        property_id: filter.property_id.as_deref(),
        from_row: after.row,
    };
    let types = calendar::linked_room_types(&mut tx, caller.account, caller.source, &wanted, cursor.limit).await?;
    let plan = rate_plan(&mut tx, caller.account, caller.source, filter.rate_plan_id.as_deref()).await?;
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

async fn rate_plan(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    id: Option<&str>,
) -> Result<Option<CoreId>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let mapping = store::mappings::find(tx, account, source, store::mappings::EntityKind::RatePlan, id).await?;
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
    AvailabilityNight {
        room_type_id: room_type_id.to_owned(),
        gas_id,
        date: night.night,
        available: units > 0 && !night.closed,
        units_available: units,
        overbooked: night.overbooked,
        price: amount.map(|price| night.currency.as_deref().map_or(price, |currency| price.written_in(currency))),
        currency: night.currency,
        min_stay: night.min_stay,
        max_stay: night.max_stay,
        closed_to_arrival: night.closed_to_arrival,
        closed_to_departure: night.closed_to_departure,
        min_stay_through: night.min_stay_through,
        exact_stay: night.exact_stay,
        min_advance_days: night.min_advance_days,
        max_advance_days: night.max_advance_days,
    }
}

/// Where a page ends: a room type's row, and a night of it.
struct NightCursor {
    row: i64,
    night: i64,
}

impl NightCursor {
    /// Nights since 1900 that a number has room for.
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
