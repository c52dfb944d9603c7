//! One record never stops a page: records that the plugin cannot read, that lack identity or nights, or that the database
//! rejects are set aside in their original form; all others are applied.

use std::sync::Arc;

use gassync_domain::{
    AccountId, Change, ChangeKind, Entity, Intent, Query, Selection, SourceId, SourceKey, Timestamp, Unreadable,
    mend_text,
};
use sha2::{Digest as _, Sha256};

use super::apply::{self, IngestContext, IngestOutcome};
use crate::{
    app::App,
    store::{
        self, Fault, Tx,
        set_aside::{self, NewSetAside, SetAside},
        sync_log,
    },
};

/// Maximum size of a stored original record, in bytes; longer ones are truncated.
const MAX_RAW_BYTES: usize = 256 * 1024;
/// Maximum length of the problem text, in characters.
const MAX_PROBLEM_CHARS: usize = 500;
/// Maximum length of an id, in characters; longer ones are dropped.
const MAX_ID_CHARS: usize = 255;

/// Where records came from.
#[derive(Debug, Clone, Copy)]
pub struct SetAsideOrigin<'a> {
    /// The version of the plugin that read them.
    pub plugin_hash: &'a str,
    /// The message that contained them; `None` for fetched records.
    pub message: Option<i64>,
}

/// Applies changes in one transaction and returns it open. If the database rejects a record, each change is applied in its own
/// transaction, and the returned one is empty.
pub async fn apply(
    app: &Arc<App>,
    context: &IngestContext,
    changes: &[Change],
    origin: SetAsideOrigin<'_>,
) -> store::Result<(Tx, Vec<IngestOutcome>)> {
    let begin = async || app.db.write_for(context.key()).await;
    let mut tx = begin().await?;
    match apply_all(&mut tx, context, changes, origin).await {
        Ok(outcomes) => {
            resolve_of_message(&mut tx, context, origin).await?;
            return Ok((tx, outcomes));
        }
        Err(error) if store::fault(&error) == Fault::Record => {
            tracing::warn!(%error, records = changes.len(), "batch rejected by the database; retrying records individually");
        }
        Err(error) => return Err(error),
    }
    drop(tx);
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        let mut tx = begin().await?;
        let applied = match apply_all(&mut tx, context, std::slice::from_ref(change), origin).await {
            Ok(applied) => tx.commit().await.map(|()| applied),
            Err(error) => {
                drop(tx);
                Err(error)
            }
        };
        match applied {
            Ok(applied) => outcomes.extend(applied),
            Err(error) if store::fault(&error) == Fault::Record => {
                tracing::error!(%error, source = %context.source, "record rejected by the database");
                let mut tx = begin().await?;
                outcomes.push(refused(&mut tx, context, change, "the database rejected it", origin).await?);
                tx.commit().await?;
            }
            Err(error) => return Err(error),
        }
    }
    let mut tx = begin().await?;
    resolve_of_message(&mut tx, context, origin).await?;
    Ok((tx, outcomes))
}

/// Applies changes in the caller's transaction and sets unreadable records aside.
async fn apply_all(
    tx: &mut Tx,
    context: &IngestContext,
    changes: &[Change],
    origin: SetAsideOrigin<'_>,
) -> store::Result<Vec<IngestOutcome>> {
    let readable = |change: &&Change| !matches!(change.data, ChangeKind::Unreadable(_));
    let read: Vec<Change> = changes.iter().filter(readable).cloned().collect();
    let mut applied = apply::changes(tx, context, read).await?.into_iter();
    let mut outcomes = Vec::with_capacity(changes.len());
    let mut well: Vec<(Entity, &str)> = Vec::new();
    for change in changes {
        let outcome = match &change.data {
            ChangeKind::Unreadable(record) => keep(tx, context, record, origin).await?,
            _ => match applied.next() {
                Some(IngestOutcome::Rejected(errors)) if !is_request(&change.data) => {
                    refused(tx, context, change, &apply::describe_errors(&errors), origin).await?
                }
                Some(outcome) => outcome,
                None => IngestOutcome::Unsupported,
            },
        };
        if !matches!(
            outcome,
            IngestOutcome::SetAside
                | IngestOutcome::RefetchQueued
                | IngestOutcome::Unsupported
                | IngestOutcome::Rejected(_)
        ) {
            well.extend(entity_of(&change.data).zip(apply::external_id(change)));
        }
        outcomes.push(outcome);
    }
    resolve_read(tx, context, &well).await?;
    Ok(outcomes)
}

/// Resolves set-aside records of a message that was decoded again without them.
async fn resolve_of_message(tx: &mut Tx, context: &IngestContext, origin: SetAsideOrigin<'_>) -> store::Result<()> {
    let (IngestContext { account, source, now, .. }, Some(message)) = (*context, origin.message) else { return Ok(()) };
    for row in set_aside::not_in_message(tx, SourceKey { account, source }, message, now).await? {
        resolve(tx, &row, "read successfully", now).await?;
    }
    Ok(())
}

/// Requests are not set aside: the caller receives the error.
fn is_request(data: &ChangeKind) -> bool {
    matches!(data, ChangeKind::Reservation(record) if record.intent == Intent::Request)
}

fn entity_of(data: &ChangeKind) -> Option<Entity> {
    Some(match data {
        ChangeKind::Property(_) => Entity::Property,
        ChangeKind::RoomType(_) => Entity::RoomType,
        ChangeKind::RatePlan(_) => Entity::RatePlan,
        ChangeKind::Reservation(_) => Entity::Reservation,
        ChangeKind::Guest(_) => Entity::Guest,
        ChangeKind::Calendar(_) => Entity::Calendar,
        ChangeKind::Block(_) => Entity::Block,
        ChangeKind::Removed(what) => what.entity,
        ChangeKind::Unreadable(record) => record.entity,
        ChangeKind::Refetch(_) | ChangeKind::Connection(_) | ChangeKind::Ask(_) | ChangeKind::Other { .. } => {
            return None;
        }
    })
}

/// Sets a decoded record aside that cannot be stored.
async fn refused(
    tx: &mut Tx,
    context: &IngestContext,
    change: &Change,
    problem: &str,
    origin: SetAsideOrigin<'_>,
) -> store::Result<IngestOutcome> {
    let Some(entity) = entity_of(&change.data) else { return Ok(IngestOutcome::Unsupported) };
    let record = Unreadable {
        entity,
        id: apply::external_id(change).filter(|id| !id.is_empty()).map(str::to_owned),
        problem: problem.to_owned(),
        raw: change.raw.as_ref().map(|raw| raw.as_str().to_owned()),
    };
    keep(tx, context, &record, origin).await
}

async fn keep(
    tx: &mut Tx,
    context: &IngestContext,
    record: &Unreadable,
    origin: SetAsideOrigin<'_>,
) -> store::Result<IngestOutcome> {
    let IngestContext { account, source, now, .. } = *context;
    let id = record.id.as_deref().map(mend_text).filter(|id| id.chars().count() <= MAX_ID_CHARS);
    let problem: String = mend_text(&record.problem).chars().take(MAX_PROBLEM_CHARS).collect();
    let raw = record.raw.as_deref().map(|raw| mend_text(&raw[..raw.floor_char_boundary(MAX_RAW_BYTES)]).into_owned());
    let identity = match &id {
        Some(id) => format!("id:{id}"),
        None => format!("sha256:{}", hex::encode(Sha256::digest(raw.as_ref().unwrap_or(&problem)))),
    };
    let new = NewSetAside {
        entity: record.entity,
        external_id: id.as_deref(),
        identity: &identity,
        problem: &problem,
        raw: raw.as_deref(),
        message: origin.message,
        plugin_hash: origin.plugin_hash,
    };
    // Log a recurring record only once.
    if set_aside::put(tx, context.key(), &new, now).await? == 1 {
        let kind = log_word(record.entity);
        let entry = sync_log::NewSyncLogLine {
            source,
            entity_type: &kind,
            entity_id: id.as_deref().unwrap_or_default(),
            action: sync_log::LogAction::SetAside,
            status: sync_log::LogStatus::Failed,
            message: Some(problem.clone()),
        };
        sync_log::inbound(tx, account, &[entry], now).await?;
    }
    Ok(IngestOutcome::SetAside)
}

/// Resolves set-aside records whose ids were read successfully.
async fn resolve_read(tx: &mut Tx, context: &IngestContext, well: &[(Entity, &str)]) -> store::Result<()> {
    if well.is_empty() {
        return Ok(());
    }
    let IngestContext { account, now, .. } = *context;
    for (row, entity, id) in set_aside::known_ids(tx, context.key()).await? {
        if well.iter().any(|(read, known)| *read == entity && *known == id) {
            set_aside::remove(tx, account, row).await?;
            log_resolved(tx, context.key(), (entity, &id), "read successfully".to_owned(), now).await?;
        }
    }
    Ok(())
}

async fn resolve(tx: &mut Tx, row: &SetAside, why: &str, now: Timestamp) -> store::Result<()> {
    let account = AccountId(row.account_id);
    set_aside::remove(tx, account, row.id).await?;
    let which = (row.entity, row.external_id.as_deref().unwrap_or_default());
    log_resolved(tx, SourceKey { account, source: SourceId(row.source_id) }, which, why.to_owned(), now).await
}

async fn log_resolved(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (entity, entity_id): (Entity, &str),
    why: String,
    now: Timestamp,
) -> store::Result<()> {
    let (action, status, kind) = (sync_log::LogAction::SetAside, sync_log::LogStatus::Success, log_word(entity));
    let entry = sync_log::NewSyncLogLine { source, entity_type: &kind, entity_id, action, status, message: Some(why) };
    sync_log::inbound(tx, account, &[entry], now).await
}

/// The name of a kind in the sync log.
fn log_word(entity: Entity) -> String {
    entity.as_str().replace('-', "_")
}

/// Resolves set-aside records that a finished fetch requested and did not return.
pub async fn fetched(
    tx: &mut Tx,
    source: SourceKey,
    query: &Query,
    (began, now): (Timestamp, Timestamp),
) -> store::Result<()> {
    let is_of_all = query.property_id.is_none() && query.room_type_id.is_none();
    for row in set_aside::not_seen_again(tx, source, query.entity, began).await? {
        let was_asked_for = match (&query.selection, &row.external_id) {
            (Selection::Some(ids), Some(id)) => ids.contains(id),
            (Selection::Everything, _) => is_of_all,
            _ => false,
        };
        if was_asked_for {
            resolve(tx, &row, "refetched: the channel no longer returns it", now).await?;
        }
    }
    Ok(())
}

/// Dismisses a record; author and reason are logged.
pub async fn dismiss(tx: &mut Tx, row: &SetAside, (who, why): (&str, &str), now: Timestamp) -> store::Result<()> {
    resolve(tx, row, &format!("dismissed by {who}: {why}"), now).await
}
