//! How channels stand to the core, and how they are told of it.

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

/// Bookings shown of a source.
const BOOKINGS: i64 = 100;
/// Refusals shown of a source.
const REFUSALS: i64 = 50;

/// How old what a source's channel has is. Ages are in seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboundAgeResponse {
    /// The oldest change of the core that is not surely at the channel; none where all is.
    pub oldest_missing: Option<Timestamp>,
    /// How long ago that was.
    pub missing_for_seconds: Option<i64>,
    /// When something was last surely there.
    pub newest_confirmed: Option<Timestamp>,
    /// Nights that are to be sent.
    pub nights_pending: i64,
    /// Nights that were sent and are to be read back.
    pub nights_unconfirmed: i64,
    /// Nights that the channel has.
    pub nights_confirmed: i64,
    /// Nights that it will not have.
    pub nights_rejected: i64,
    /// Bookings that are to be told, or read back.
    pub bookings_pending: i64,
    /// Bookings that it has.
    pub bookings_confirmed: i64,
    /// Bookings that it will not have.
    pub bookings_rejected: i64,
    /// Why nights were refused.
    pub rejected: Vec<RejectedNightsResponse>,
    /// Prices and rules that somebody has set otherwise at the channel, and that are about to be set back.
    #[serde(default)]
    pub differing: Vec<RejectedNightsResponse>,
    /// Nights that somebody has closed at the channel by hand, from today on: nobody sells them.
    #[serde(default)]
    pub closed_by_hand: Vec<RejectedNightsResponse>,
    /// `closed`, `open` or `half-open`: whether the channel is left alone because it is down.
    pub breaker: BreakerState,
    /// Until when.
    pub paused_until: Option<Timestamp>,
}

/// Nights of a room type that a channel refused for the same reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedNightsResponse {
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of the rate plan, where it has them.
    pub rate_plan_id: Option<String>,
    /// The first of them.
    pub from: Date,
    /// The last of them.
    pub to: Date,
    /// How many.
    pub nights: i64,
    /// What it said.
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

/// How a booking of the core stands at a channel.
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
    /// What the channel calls it.
    pub external_id: Option<String>,
    /// Why it is not there.
    pub why: Option<String>,
    /// Since when it has not been as it should be; of one that is there, when it last changed.
    pub since: Timestamp,
    /// When it was surely there.
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

/// What is to be sent.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewPush {
    /// All nights within the horizon, also those that the channel has.
    pub all: bool,
}

/// What will be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushResponse {
    /// How the channel stood when it was asked for.
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
    let age = ages::of_source(&mut tx, source.account, source.id).await?;
    let refused = deviations::rejected(&mut tx, source.account, source.id, REFUSALS).await?;
    let differing = deviations::changed_at_channel(&mut tx, source.account, source.id, REFUSALS).await?;
    let today = today_at(now, None);
    let closed = deviations::closed_by_hand(&mut tx, source.account, source.id, (today, REFUSALS)).await?;
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
    let sync_states = bookings::of_source(&mut tx, source.account, source.id, BOOKINGS).await?;
    Ok(Json(sync_states.into_iter().map(BookingSyncResponse::from).collect()))
}

/// How a booking stands at every channel that is told of it.
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
    let pushing = push_settings::get(&mut tx, source.account, source.id).await?.ok_or(Problem::NotFound)?;
    Ok(Json(pushing))
}

/// Says how a source is told of the core; all of its calendar is reckoned anew.
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
    let before = push_settings::get(&mut tx, source.account, source.id).await?.unwrap_or_default();
    if source.direction.with_push(pushing.enabled).is_none() {
        let text = format!(
            "{name} is outbound_only: it would be neither asked nor told; `source switch {name} --off` says so"
        );
        return Err(Problem::Conflict(text).into());
    }
    push_settings::set(&mut tx, source.account, source.id, &pushing).await?;
    // Of what it was not told nobody knows what it has.
    let widens = desired::widens(desired::pushed_parts(&before), desired::pushed_parts(&pushing));
    schedule::invalidate_source(&mut tx, (source.account, source.id), (invalidations::FIRST, widens), app.now())
        .await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

/// Has what a channel does not have sent now, or all of it.
async fn push(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(new): Json<NewPush>,
) -> Result<(StatusCode, Json<PushResponse>), ApiError> {
    let source = find_source(&app, &name).await?;
    if source.connection.is_none() {
        return Err(Problem::Malformed(format!("{name} has no channel that could be told")).into());
    }
    if source.listening_since.is_some() {
        return Err(Problem::Conflict(format!("{name} listens: have it go live first")).into());
    }
    ensure_may_sync(&source, false)?;
    let before = shown(&app, &source).await?;
    let mut tx = app.db.write(source.account).await?;
    schedule::invalidate_source(&mut tx, (source.account, source.id), (invalidations::FIRST, new.all), app.now())
        .await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok((StatusCode::ACCEPTED, Json(PushResponse { before })))
}
