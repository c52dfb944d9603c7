//! Figures about the state of the system: counts, never contents.

use gassync_domain::SourceKey;
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// The figures and their queries.
const FIGURES: [(&str, &str); 10] = [
    ("properties", "select count(*) from gas_properties"),
    ("units", "select count(*) from gas_bookable_units"),
    ("bookings", "select count(*) from gas_bookings"),
    ("bookings_cancelled", "select count(*) from gas_bookings where status = 'cancelled'"),
    ("messages_waiting", "select count(*) from int_inbox where state = 'received'"),
    ("messages_failed", "select count(*) from int_inbox where state = 'failed'"),
    (
        "records_parked",
        "select (select count(*) from int_properties where parked is not null)
              + (select count(*) from int_room_types where parked is not null)
              + (select count(*) from int_rate_plans where parked is not null)
              + (select count(*) from int_reservations where parked is not null)
              + (select count(*) from int_blocks where parked is not null)",
    ),
    ("jobs_waiting", "select count(*) from int_jobs where state = 'waiting'"),
    ("jobs_dead", "select count(*) from int_jobs where state = 'dead'"),
    ("facts_in_outbox", "select count(*) from int_outbox"),
];

/// Each figure by name. A platform query.
pub async fn figures(tx: &mut Tx) -> Result<Vec<(&'static str, i64)>> {
    let mut figures = Vec::with_capacity(FIGURES.len());
    for (name, text) in FIGURES {
        let count: i64 = on!(&mut *tx, c => sqlx::query_scalar(text).fetch_one(c).await)?;
        figures.push((name, count));
    }
    Ok(figures)
}

/// Counts of the buffered records of a kind.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Count {
    /// All records.
    pub total: i64,
    /// Records linked to the core.
    pub linked: i64,
    /// Parked records.
    pub parked: i64,
    /// When a record was last confirmed.
    pub last_synced_at: Option<Time>,
}

/// Counts of a source's records by kind.
pub async fn of_source(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<(&'static str, Count)>> {
    macro_rules! count {
        ($table:literal, $core:literal) => {
            concat!(
                "select count(*) as total, count(",
                $core,
                ") as linked, count(parked) as parked,
                    max(synced_at) as last_synced_at
                from ",
                $table,
                " where account_id = $1 and source_id = $2 and deleted_at is null"
            )
        };
    }
    let texts = [
        ("properties", count!("int_properties", "gas_property_id")),
        ("room-types", count!("int_room_types", "gas_unit_id")),
        ("rate-plans", count!("int_rate_plans", "gas_rate_plan_id")),
        ("reservations", count!("int_reservations", "gas_booking_id")),
        ("guests", count!("int_guests", "gas_guest_id")),
    ];
    let mut counts = Vec::with_capacity(texts.len());
    for (entity, text) in texts {
        let count = on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_one(c).await)?;
        counts.push((entity, count));
    }
    Ok(counts)
}

/// Succeeds if the database responds.
pub async fn ping(tx: &mut Tx) -> Result<()> {
    on!(tx, c => sqlx::query("select 1").execute(c).await.map(drop))
}

/// Number of deadlocks that PostgreSQL resolved; always 0 on SQLite, which has one writer. A platform query.
pub async fn deadlocks(tx: &mut Tx) -> Result<i64> {
    let text = tx.dialect(
        "select cast(0 as bigint)",
        "select coalesce(max(deadlocks), 0) from pg_stat_database where datname = current_database()",
    );
    on!(tx, c => sqlx::query_scalar(text).fetch_one(c).await)
}
