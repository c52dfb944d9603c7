//! Facts that left the core; the databases' triggers write them.

use gassync_domain::{AccountId, Date};
use sqlx::FromRow;

use super::{Day, Result, Tx, on};

/// A fact that left the core.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Fact {
    /// `property`, `bookable_unit`, `guest`, `booking`, `availability`, `overbooking`, `rate`, `rate_plan`, `website`.
    pub entity_type: String,
    /// The core entity.
    pub entity_id: i64,
    /// `created`, `updated`, `deleted`.
    pub action: String,
    /// Whose hand it was; none means the core's own.
    pub origin_source_id: Option<i64>,
    first_night: Option<Day>,
    last_night: Option<Day>,
}

impl Fact {
    /// The first and the last night it is about, where it is about nights.
    pub fn span(&self) -> Option<(Date, Date)> {
        self.first_night.zip(self.last_night).map(|(first, last)| (first.0, last.0))
    }
}

/// All facts of an account, oldest first.
pub async fn all(tx: &mut Tx, account: AccountId) -> Result<Vec<Fact>> {
    let text = "select entity_type, entity_id, action, origin_source_id, first_night, last_night from int_outbox
        where account_id = $1 order by id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).fetch_all(c).await)
}
