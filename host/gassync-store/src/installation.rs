//! The installation id sent to others: a random text, generated once and kept by copies of the database.

use super::{Result, Tx, on};

/// Stores the installation id unless there is one. A platform query.
pub async fn settle(tx: &mut Tx, id: &str) -> Result<()> {
    let text = "insert into int_installation (one, id) values (1, $1) on conflict (one) do nothing";
    on!(tx, c => sqlx::query(text).bind(id).execute(c).await.map(drop))
}

/// The installation id; present after the first start of a host.
pub async fn id(tx: &mut Tx) -> Result<String> {
    let text = "select id from int_installation where one = 1";
    on!(tx, c => sqlx::query_scalar(text).fetch_one(c).await)
}
