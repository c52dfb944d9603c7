//! Health of links: the last successful sync in either direction, and the error since.

use gassync_domain::{SourceKey, Timestamp};
use jiff::SignedDuration;

use super::{
    Result, Tx,
    mappings::EntityKind,
    rows::{self, Rows},
};

/// Resolution of the last success: at most one write in this time.
const STEP: SignedDuration = SignedDuration::from_secs(60);
/// Maximum length of a stored error, in characters.
const MAX_REASON_CHARS: usize = 500;

/// Result of a sync through a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOutcome<'a> {
    /// The entity.
    pub kind: EntityKind,
    /// The channel's id.
    pub id: &'a str,
    /// The error; `None` on success.
    pub error: Option<String>,
}

/// Records results of a source's links in one statement. Of several results for one link an error wins. Rows locked by
/// others are skipped, since nothing depends on this.
pub async fn record(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    fared: &[LinkOutcome<'_>],
    now: Timestamp,
) -> Result<()> {
    if fared.is_empty() {
        return Ok(());
    }
    let mut sorted: Vec<&LinkOutcome<'_>> = fared.iter().collect();
    sorted.sort_by_key(|fared| (fared.kind.as_str(), fared.id, fared.error.is_none()));
    sorted.dedup_by_key(|fared| (fared.kind.as_str(), fared.id));
    let reasons: Vec<Option<String>> =
        sorted.iter().map(|fared| Some(fared.error.as_ref()?.chars().take(MAX_REASON_CHARS).collect())).collect();
    let mut new = Rows::new([
        ("kind", rows::ColumnType::Text),
        ("id", rows::ColumnType::Text),
        ("error", rows::ColumnType::Text),
    ]);
    for (fared, reason) in sorted.iter().zip(&reasons) {
        new.push([fared.kind.as_str().into(), fared.id.into(), reason.into()]);
    }
    let lock = tx.dialect("", "for update of m skip locked");
    let text = format!(
        ", fared as (
            select m.account_id, m.id, new.error from new cross join int_mappings m
            where m.account_id = $1 and m.source_id = $2
                and m.external_entity_type = new.kind and m.external_entity_id = new.id
                and (new.error is not null or m.last_error is not null or m.last_synced_at is null
                    or m.last_synced_at < $4) {lock}
        )
        update int_mappings set
            last_synced_at = case when fared.error is null then $3 else int_mappings.last_synced_at end,
            last_error = fared.error,
            retries = case when fared.error is null then 0 else int_mappings.retries + 1 end
        from fared where int_mappings.account_id = fared.account_id and int_mappings.id = fared.id"
    );
    let shared = [account.0.into(), source.0.into(), now.into(), (now - STEP).into()];
    new.write(tx, &shared, &text).await
}
