//! Decisions on parked records: who, what and why.

use gassync_domain::{Digest, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on, parked::ParkedKind};

gassync_domain::words! {
    /// What was decided.
    pub enum Decision {
        /// The record stands.
        Stand = "stand",
        /// It is cancelled.
        Cancel = "cancel",
        /// The core stays as it is.
        Ignore = "ignore",
        /// It is linked.
        Link = "link",
    }
}

/// A decision to store.
#[derive(Debug)]
pub struct NewStoredDecision<'a> {
    /// The kind of the record.
    pub kind: ParkedKind,
    /// The source's id.
    pub external_id: &'a str,
    /// Digest of the parked update.
    pub digest: &'a Digest,
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    pub decided_by: &'a str,
    /// Their reason.
    pub why: &'a str,
}

/// A stored decision.
#[derive(Debug, Clone, FromRow)]
pub struct StoredDecision {
    /// Digest of the parked update.
    pub digest: String,
    /// What was decided.
    #[sqlx(try_from = "String")]
    pub decision: Decision,
    /// Who decided.
    pub decided_by: String,
    /// Their reason.
    pub why: String,
    /// When.
    pub created_at: Time,
}

/// Inserts a decision.
pub async fn insert(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    new: &NewStoredDecision<'_>,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_decisions
            (account_id, source_id, entity, external_id, digest, decision, decided_by, why, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(new.kind.as_str()).bind(new.external_id)
        .bind(&new.digest.0).bind(new.decision.as_str()).bind(new.decided_by).bind(new.why).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// The latest decision on a record.
pub async fn latest(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (kind, external_id): (ParkedKind, &str),
) -> Result<Option<StoredDecision>> {
    let text = "select digest, decision, decided_by, why, created_at from int_decisions
        where account_id = $1 and source_id = $2 and entity = $3 and external_id = $4 order by id desc limit 1";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(kind.as_str()).bind(external_id)
        .fetch_optional(c).await)
}
