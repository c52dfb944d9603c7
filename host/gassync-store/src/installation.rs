//! What this database is called in what it tells others: a random text, made once, that a copy keeps.

use super::{Result, Tx, on};

/// Gives it a name, unless it has one. A platform query.
pub async fn settle(tx: &mut Tx, id: &str) -> Result<()> {
    let text = "insert into int_installation (one, id) values (1, $1) on conflict (one) do nothing";
    on!(tx, c => sqlx::query(text).bind(id).execute(c).await.map(drop))
}

/// Its name, which it has from the first start of a host on.
pub async fn id(tx: &mut Tx) -> Result<String> {
    let text = "select id from int_installation where one = 1";
    on!(tx, c => sqlx::query_scalar(text).fetch_one(c).await)
}
