//! Age of the state at channels.

use gassync_domain::{SourceKey, SyncStatus, Timestamp};
use sqlx::FromRow;

use crate::{Result, Time, Tx, on};

/// How far a source's channel is behind the core.
#[derive(Debug, Clone, Default)]
pub struct SyncAge {
    /// The oldest unconfirmed change; `None` if all are confirmed.
    pub oldest_missing: Option<Timestamp>,
    /// When something was last confirmed.
    pub newest_confirmed: Option<Timestamp>,
    /// Nights to be pushed.
    pub nights_pending: i64,
    /// Nights sent and awaiting read-back.
    pub nights_unconfirmed: i64,
    /// Confirmed nights.
    pub nights_confirmed: i64,
    /// Rejected nights.
    pub nights_rejected: i64,
    /// Bookings to be pushed, or awaiting read-back.
    pub bookings_pending: i64,
    /// Confirmed bookings.
    pub bookings_confirmed: i64,
    /// Rejected bookings.
    pub bookings_rejected: i64,
}

#[derive(FromRow)]
struct Count {
    #[sqlx(try_from = "String")]
    state: SyncStatus,
    rows: i64,
    oldest: Option<Time>,
    newest: Option<Time>,
}

/// How far a source's channel is behind the core. Events that were not fanned out yet count as unconfirmed.
pub async fn of_source(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<SyncAge> {
    let mut age = SyncAge::default();
    let text = "select state, count(*) as rows, min(changed_at) as oldest, max(confirmed_at) as newest
        from int_channel_nights where account_id = $1 and source_id = $2 group by state";
    let nights: Vec<Count> =
        on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    let text = "select state, count(*) as rows, min(changed_at) as oldest, max(confirmed_at) as newest
        from int_channel_bookings where account_id = $1 and source_id = $2 group by state";
    let bookings: Vec<Count> =
        on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    for (count, of_nights) in
        nights.iter().map(|count| (count, true)).chain(bookings.iter().map(|count| (count, false)))
    {
        age.newest_confirmed = age.newest_confirmed.max(count.newest.map(Timestamp::from));
        let sum = match (count.state, of_nights) {
            (SyncStatus::Pending, true) => &mut age.nights_pending,
            (SyncStatus::Unconfirmed, true) => &mut age.nights_unconfirmed,
            (SyncStatus::Confirmed, true) => &mut age.nights_confirmed,
            (SyncStatus::Rejected, true) => &mut age.nights_rejected,
            (SyncStatus::Pending | SyncStatus::Unconfirmed, false) => &mut age.bookings_pending,
            (SyncStatus::Confirmed, false) => &mut age.bookings_confirmed,
            (SyncStatus::Rejected, false) => &mut age.bookings_rejected,
        };
        *sum += count.rows;
        if count.state != SyncStatus::Confirmed {
            age.add_missing(count.oldest);
        }
    }
    let text = "select min(invalidated_at) from int_calendar_invalidations where account_id = $1 and source_id = $2";
    let invalidated: Option<Time> =
        on!(&mut *tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)?;
    age.add_missing(invalidated);
    let text = "select min(created_at) from int_outbox where account_id = $1 and sequence is null
        and entity_type in ('availability', 'rate', 'bookable_unit', 'booking')";
    let unread: Option<Time> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).fetch_one(c).await)?;
    age.add_missing(unread);
    Ok(age)
}

impl SyncAge {
    fn add_missing(&mut self, at: Option<Time>) {
        let at = at.map(Timestamp::from);
        self.oldest_missing = match (self.oldest_missing, at) {
            (Some(known), Some(at)) => Some(known.min(at)),
            (known, at) => known.or(at),
        };
    }
}
