//! Outbound status of channels and their push settings.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{BreakerState, CoreId, Date, PushSettings, Timestamp, Validate as _, today_at};
use serde::{Deserialize, Serialize};

use super::{source_steering::ensure_may_sync, sources::find_source};
use crate::{
    app::App,
    http::{ApiError, Operator, Problem},
    reconcile::desired,
    schedule,
    store::{
        outbound::{ages, bookings, deviations, invalidations, push_settings},
        sources::Source,
    },
};

/// Number of bookings shown.
const BOOKINGS: i64 = 100;
/// Number of rejections shown.
const REFUSALS: i64 = 50;

/// How up to date the channel of a source is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboundAgeResponse {
    /// Time of the oldest core change not confirmed at the channel; None if all are confirmed.
    pub oldest_missing: Option<Timestamp>,
    /// Age of that change in seconds.
    pub missing_for_seconds: Option<i64>,
    /// Time of the latest confirmation.
    pub newest_confirmed: Option<Timestamp>,
    /// Nights to be sent.
    pub nights_pending: i64,
    /// Nights sent and not yet verified.
    pub nights_unconfirmed: i64,
    /// Nights confirmed at the channel.
    pub nights_confirmed: i64,
    /// Nights rejected by the channel.
    pub nights_rejected: i64,
    /// Bookings to be sent or verified.
    pub bookings_pending: i64,
    /// Bookings confirmed at the channel.
    pub bookings_confirmed: i64,
    /// Bookings rejected by the channel.
    pub bookings_rejected: i64,
    /// Rejected nights with their reason.
    pub rejected: Vec<RejectedNightsResponse>,
    /// Nights whose prices or rules were changed at the channel and will be overwritten.
    #[serde(default)]
    pub differing: Vec<RejectedNightsResponse>,
    /// Nights from today on that were closed by hand at the channel.
    #[serde(default)]
    pub closed_by_hand: Vec<RejectedNightsResponse>,
    /// State of the circuit breaker: `closed`, `open` or `half-open`.
    pub breaker: BreakerState,
    /// End of the pause.
    pub paused_until: Option<Timestamp>,
}

/// Nights of a room type that a channel rejected for one reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedNightsResponse {
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of the rate plan, if any.
    pub rate_plan_id: Option<String>,
    /// First night.
    pub from: Date,
    /// Last night.
    pub to: Date,
    /// Number of nights.
    pub nights: i64,
    /// The channel's error.
    pub why: Option<String>,
}

impl From<deviations::DeviatingNights> for RejectedNightsResponse {
    fn from(refused: deviations::DeviatingNights) -> Self {
        Self {
            room_type_id: refused.room_type_id,
            rate_plan_id: Some(refused.rate_plan_id).filter(|id| !id.is_empty()),
            from: refused.first_night.0,
            to: refused.last_night.0,
            nights: refused.nights,
            why: refused.error,
        }
    }
}

/// Sync state of a core booking at a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingSyncResponse {
    /// The booking.
    pub gas_id: i64,
    /// The source.
    pub source: String,
    /// `pending`: to be sent; `unconfirmed`: to be read back; `confirmed`; `rejected`: a person must act.
    pub state: String,
    /// Whether the channel may or may not have it: it is looked up before it is sent again.
    pub in_doubt: bool,
    /// The channel's id.
    pub external_id: Option<String>,
    /// Reason, if it is not confirmed.
    pub why: Option<String>,
    /// Time of the last state change.
    pub since: Timestamp,
    /// Time of the last confirmation.
    pub confirmed_at: Option<Timestamp>,
}

impl From<bookings::ReservationSyncState> for BookingSyncResponse {
    fn from(sync_state: bookings::ReservationSyncState) -> Self {
        Self {
            gas_id: sync_state.booking_id,
            source: sync_state.source_name,
            state: sync_state.state.as_str().to_owned(),
            in_doubt: sync_state.in_doubt,
            external_id: sync_state.external_id,
            why: sync_state.error,
            since: sync_state.changed_at.into(),
            confirmed_at: sync_state.confirmed_at.map(Timestamp::from),
        }
    }
}

/// Which nights to push.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewPush {
    /// All nights within the horizon, including confirmed ones.
    pub all: bool,
}

/// Response to a push request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushResponse {
    /// Outbound status before the push.
    pub before: OutboundAgeResponse,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/v1/sources/{name}/age", get(age))
        .route("/admin/v1/sources/{name}/bookings", get(of_source))
        .route("/admin/v1/sources/{name}/pushing", get(rules).post(set_rules))
        .route("/admin/v1/sources/{name}/push", post(push))
        .route("/admin/v1/bookings/{id}/channels", get(of_booking))
}

async fn age(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<OutboundAgeResponse>, ApiError> {
    let source = find_source(&app, &name).await?;
    Ok(Json(shown(&app, &source).await?))
}

async fn shown(app: &App, source: &Source) -> Result<OutboundAgeResponse, ApiError> {
    let now = app.now();
    let mut tx = app.db.read(source.account).await?;
    let age = ages::of_source(&mut tx, source.key()).await?;
    let refused = deviations::rejected(&mut tx, source.key(), REFUSALS).await?;
    let differing = deviations::changed_at_channel(&mut tx, source.key(), REFUSALS).await?;
    let today = today_at(now, None);
    let closed = deviations::closed_by_hand(&mut tx, source.key(), (today, REFUSALS)).await?;
    drop(tx);
    let (breaker, paused_until) = match source.connection {
        Some(connection) => app.breakers.status(&format!("{}/{connection}", source.account), now).await,
        None => (BreakerState::Closed, None),
    };
    Ok(OutboundAgeResponse {
        oldest_missing: age.oldest_missing,
        missing_for_seconds: age.oldest_missing.map(|at| now.duration_since(at).as_secs()),
        newest_confirmed: age.newest_confirmed,
        nights_pending: age.nights_pending,
        nights_unconfirmed: age.nights_unconfirmed,
        nights_confirmed: age.nights_confirmed,
        nights_rejected: age.nights_rejected,
        bookings_pending: age.bookings_pending,
        bookings_confirmed: age.bookings_confirmed,
        bookings_rejected: age.bookings_rejected,
        rejected: refused.into_iter().map(RejectedNightsResponse::from).collect(),
        differing: differing.into_iter().map(RejectedNightsResponse::from).collect(),
        closed_by_hand: closed.into_iter().map(RejectedNightsResponse::from).collect(),
        breaker,
        paused_until,
    })
}

async fn of_source(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Vec<BookingSyncResponse>>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let sync_states = bookings::of_source(&mut tx, source.key(), BOOKINGS).await?;
    Ok(Json(sync_states.into_iter().map(BookingSyncResponse::from).collect()))
}

/// Sync state of a booking at all channels.
async fn of_booking(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<i64>,
) -> Result<Json<Vec<BookingSyncResponse>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let Some(account) = bookings::account_of(&mut tx, CoreId(id)).await? else { return Err(Problem::NotFound.into()) };
    let sync_states = bookings::of_booking(&mut tx, account, CoreId(id)).await?;
    Ok(Json(sync_states.into_iter().map(BookingSyncResponse::from).collect()))
}

async fn rules(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<PushSettings>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let pushing = push_settings::get(&mut tx, source.key()).await?.ok_or(Problem::NotFound)?;
    Ok(Json(pushing))
}

/// Sets the push settings; the whole calendar is recomputed.
async fn set_rules(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(pushing): Json<PushSettings>,
) -> Result<StatusCode, ApiError> {
    let wrong = pushing.validate();
    if !wrong.is_empty() {
        return Err(Problem::Invalid(wrong).into());
    }
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    let before = push_settings::get(&mut tx, source.key()).await?.unwrap_or_default();
    if source.direction.with_push(pushing.enabled).is_none() {
        let text =
            format!("{name} is outbound_only: nothing would be synchronised; use `source switch {name} --off` instead");
        return Err(Problem::Conflict(text).into());
    }
    push_settings::set(&mut tx, source.key(), &pushing).await?;
    // The channel's state of data that was not pushed is unknown.
    let widens = desired::widens(desired::pushed_parts(&before), desired::pushed_parts(&pushing));
    schedule::invalidate_source(&mut tx, source.key(), (invalidations::FIRST, widens), app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

/// Pushes unconfirmed nights now, or all nights.
async fn push(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(new): Json<NewPush>,
) -> Result<(StatusCode, Json<PushResponse>), ApiError> {
    let source = find_source(&app, &name).await?;
    if source.connection.is_none() {
        return Err(Problem::Malformed(format!("{name} has no channel to push to")).into());
    }
    if source.listening_since.is_some() {
        return Err(Problem::Conflict(format!("{name} is not live yet: run `source go-live {name}` first")).into());
    }
    ensure_may_sync(&source, false)?;
    let before = shown(&app, &source).await?;
    let mut tx = app.db.write(source.account).await?;
    schedule::invalidate_source(&mut tx, source.key(), (invalidations::FIRST, new.all), app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok((StatusCode::ACCEPTED, Json(PushResponse { before })))
}
