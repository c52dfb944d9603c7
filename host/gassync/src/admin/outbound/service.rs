//! What operators see and do of what goes out to channels.

use gassync_domain::{BreakerState, CoreId, PushSettings, Validate as _, today_at};

use super::dto::{BookingSyncResponse, NewPush, OutboundAgeResponse, PushResponse, RejectedNightsResponse};
use crate::{
    admin::find::ensure_may_sync,
    app::App,
    http::{ApiError, Problem},
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
pub(super) async fn age(app: &App, source: &Source) -> Result<OutboundAgeResponse, ApiError> {
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

/// Sync states of the bookings at the channel of a source.
pub(super) async fn of_source(app: &App, source: &Source) -> Result<Vec<BookingSyncResponse>, ApiError> {
    let mut tx = app.db.read(source.account).await?;
    let sync_states = bookings::of_source(&mut tx, source.key(), BOOKINGS).await?;
    Ok(sync_states.into_iter().map(BookingSyncResponse::from).collect())
}

/// Sync state of a booking at all channels.
pub(super) async fn of_booking(app: &App, id: CoreId) -> Result<Vec<BookingSyncResponse>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let Some(account) = bookings::account_of(&mut tx, id).await? else { return Err(Problem::NotFound.into()) };
    let sync_states = bookings::of_booking(&mut tx, account, id).await?;
    Ok(sync_states.into_iter().map(BookingSyncResponse::from).collect())
}

/// The push settings.
pub(super) async fn rules(app: &App, source: &Source) -> Result<PushSettings, ApiError> {
    let mut tx = app.db.read(source.account).await?;
    Ok(push_settings::get(&mut tx, source.key()).await?.ok_or(Problem::NotFound)?)
}

/// Sets the push settings; the whole calendar is recomputed.
pub(super) async fn set_rules(app: &App, source: &Source, pushing: &PushSettings) -> Result<(), ApiError> {
    let wrong = pushing.validate();
    if !wrong.is_empty() {
        return Err(Problem::Invalid(wrong).into());
    }
    let name = &source.name;
    let mut tx = app.db.write(source.account).await?;
    let before = push_settings::get(&mut tx, source.key()).await?.unwrap_or_default();
    if source.direction.with_push(pushing.enabled).is_none() {
        let text =
            format!("{name} is outbound_only: nothing would be synchronised; use `source switch {name} --off` instead");
        return Err(Problem::Conflict(text).into());
    }
    push_settings::set(&mut tx, source.key(), pushing).await?;
    // The channel's state of data that was not pushed is unknown.
    let widens = desired::widens(desired::pushed_parts(&before), desired::pushed_parts(pushing));
    schedule::invalidate_source(&mut tx, source.key(), (invalidations::FIRST, widens), app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}

/// Pushes unconfirmed nights now, or all nights.
pub(super) async fn push(app: &App, source: &Source, new: NewPush) -> Result<PushResponse, ApiError> {
    let name = &source.name;
    if source.connection.is_none() {
        return Err(Problem::Malformed(format!("{name} has no channel to push to")).into());
    }
    if source.listening_since.is_some() {
        return Err(Problem::Conflict(format!("{name} is not live yet: run `source go-live {name}` first")).into());
    }
    ensure_may_sync(source, false)?;
    let before = age(app, source).await?;
    let mut tx = app.db.write(source.account).await?;
    schedule::invalidate_source(&mut tx, source.key(), (invalidations::FIRST, new.all), app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(PushResponse { before })
}
