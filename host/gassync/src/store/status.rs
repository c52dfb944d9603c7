//! Figures for the status page: counts, never contents.

use super::{Result, Tx, on};

/// What is counted, and how.
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
              + (select count(*) from int_reservations where parked is not null)",
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

/// Answers when the database does.
pub async fn ping(tx: &mut Tx) -> Result<()> {
    on!(tx, c => sqlx::query("select 1").execute(c).await.map(drop))
}
