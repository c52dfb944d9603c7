use std::ops::Not;

use gassync_domain::{AccountId, Entity, SourceId, SourceKey, Timestamp};
use gassync_runtime::{Adapter, Interface};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JobSpec, priority};
use crate::store::{
    self, Tx, inbox, queue,
    set_aside::{self, SetAside},
};

/// Maximum number of records refetched after a new plugin version is activated.
const MAX_RETRIED: i64 = 10_000;

/// Fetches what the channel announced, or what has to be read again: a record, or without an id its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refetch {
    /// The kind of record.
    pub entity: Entity,
    /// The channel's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// All records of the kind, not only those that its poll would fetch.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub whole: bool,
    /// A second reading, which waits beside a first one.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub again: bool,
}

impl JobSpec for Refetch {
    const NAME: &'static str = "refetch";
    const PRIORITY: i64 = priority::BOOKINGS;
    const MAX_AGE: Option<SignedDuration> = Some(SignedDuration::from_hours(72));
}

impl Refetch {
    /// Of what the poll of this kind fetches.
    pub fn kind(entity: Entity) -> Self {
        Self { entity, id: None, whole: false, again: false }
    }

    /// Of a record.
    pub fn record(entity: Entity, id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::kind(entity) }
    }
}

/// Refetches the set-aside records after another plugin version was activated.
pub async fn retry_all_set_aside(tx: &mut Tx, plugin: &dyn Adapter, now: Timestamp) -> store::Result<()> {
    for row in set_aside::of_other_versions(tx, &plugin.manifest().id, plugin.hash(), MAX_RETRIED).await? {
        retry_set_aside(tx, &row, plugin.exports().contains(&Interface::Pull), now).await?;
    }
    Ok(())
}

/// Refetches a record: by id, else by replaying its message, else with all records of its kind. Returns false if neither is
/// possible.
pub async fn retry_set_aside(tx: &mut Tx, row: &SetAside, pulls: bool, now: Timestamp) -> store::Result<bool> {
    let account = AccountId(row.account_id);
    let message = match row.inbox_id {
        Some(id) => {
            inbox::find(tx, id).await?.filter(|(listed, _)| listed.state == inbox::MessageState::Applied).map(|_| id)
        }
        None => None,
    };
    let entity: Option<Entity> = serde_json::from_value(Value::String(row.entity.clone())).ok();
    let refetch = match (entity.filter(|_| pulls), &row.external_id, message) {
        (Some(entity), Some(id), _) => Refetch::record(entity, id),
        (_, _, Some(message)) => {
            inbox::replay(tx, account, message, now).await?;
            set_aside::retried(tx, account, row.id, now).await?;
            return Ok(true);
        }
        (Some(entity), None, None) => Refetch { whole: true, ..Refetch::kind(entity) },
        _ => return Ok(false),
    };
    let source = SourceKey { account, source: SourceId(row.source_id) };
    queue::enqueue(tx, &[refetch.of(source)], now).await?;
    set_aside::retried(tx, account, row.id, now).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&Refetch::kind(Entity::Calendar), r#"{"entity":"calendar"}"#);
        let one = Refetch::record(Entity::RoomType, "7");
        assert_stored(&one, r#"{"entity":"room-type","id":"7"}"#);
        assert_stored(&Refetch { again: true, ..one }, r#"{"again":true,"entity":"room-type","id":"7"}"#);
        let all = Refetch { whole: true, ..Refetch::kind(Entity::Reservation) };
        assert_stored(&all, r#"{"entity":"reservation","whole":true}"#);
    }
}
