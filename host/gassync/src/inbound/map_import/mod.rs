//! Imports links of another system (properties, rooms, rate plans, reservations), all or none. The core does not change:
//! later records apply to the linked entities, and nothing is pushed that the channel already has. [`read`](self::read)
//! parses each line, [`check`](self::check) checks all lines against each other and against existing records.

mod check;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use gassync_domain::{AccountId, CoreId, Entity, Missing, Parked, SourceId, SourceKey, Timestamp};

pub use check::LineResult;

use crate::{
    schedule::{self, JobSpec, Refetch},
    store::{
        Result, Tx,
        buffer::{properties, rate_plans, reservations, room_types},
        mappings::{self, EntityKind, NewMapping},
        queue, sources, sync_log,
    },
};

/// Maximum number of links per import.
pub const MAX_LINES: usize = 50_000;
/// Maximum number of sources per import.
pub const MAX_SOURCES: usize = 100;

/// Invalid lines for which other kinds with the same id are looked up, one query each.
const MAX_LOOKED_UP: usize = 100;

/// A link as given.
#[derive(Debug, Clone)]
pub struct ImportLine {
    /// Line number in the caller's list.
    pub number: u64,
    /// The source, or why it is unknown.
    pub source: std::result::Result<SourceId, String>,
    /// `property`, `room-type`, `rate-plan` or `booking`.
    pub entity: String,
    /// The channel's id.
    pub external_id: String,
    /// The id of the core entity.
    pub ours: String,
    /// For bookings `external` or `core`: where it was created. Empty means `external`, or unchanged for an existing link.
    pub origin: String,
}

/// An error in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// The line's number.
    pub line: u64,
    /// `entity`, `externalId`, `ours`, `source` or `origin`.
    pub field: &'static str,
    /// The problem.
    pub problem: String,
}

/// A parsed line.
#[derive(Debug, Clone, Copy)]
struct RequestedLink<'a> {
    /// Its index in the list.
    index: usize,
    line: u64,
    source: SourceId,
    kind: EntityKind,
    external_id: &'a str,
    core: CoreId,
    /// True if the core owns it; `None` keeps the current value.
    ours: Option<bool>,
}

/// The result of an import or its dry run.
#[derive(Debug)]
pub struct ImportResult {
    /// Kind (if readable) and result of each line, in order.
    pub results: Vec<(Option<EntityKind>, LineResult)>,
    /// All errors; if there are any, nothing was written.
    pub wrong: Vec<LineError>,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// One of the records was linked concurrently.
    #[error("the same records were linked in the meantime: nothing was written; plan again")]
    Overtaken,
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

/// Imports links unless one is invalid. `replace` allows relinking records. For a dry run, drop the transaction.
pub async fn import(
    tx: &mut Tx,
    account: AccountId,
    lines: &[ImportLine],
    replace: bool,
    now: Timestamp,
) -> std::result::Result<ImportResult, ImportError> {
    // Blocks concurrent reservations; must precede any other lock.
    tx.lock_ledger(account, true).await?;
    let mut results = vec![(None, LineResult::Invalid); lines.len()];
    let (mut wanted, mut wrong) = (Vec::with_capacity(lines.len()), Vec::new());
    for (index, line) in lines.iter().enumerate() {
        results[index].0 = read::kind(&line.entity);
        match read::line(index, line) {
            Ok(read) => wanted.push(read),
            Err(problems) => wrong.extend(problems),
        }
    }
    let checked = check::all(tx, account, (wanted, &mut wrong), replace, now).await?;
    for (wanted, result) in &checked {
        results[wanted.index].1 = *result;
    }
    wrong.sort_by_key(|wrong| wrong.line);
    if wrong.is_empty() {
        write(tx, account, &checked, now).await?;
    }
    Ok(ImportResult { results, wrong })
}

async fn write(
    tx: &mut Tx,
    account: AccountId,
    checked: &[(RequestedLink<'_>, LineResult)],
    now: Timestamp,
) -> std::result::Result<(), ImportError> {
    let mut groups: BTreeMap<(SourceId, EntityKind), Vec<&(RequestedLink<'_>, LineResult)>> = BTreeMap::new();
    for change in checked.iter().filter(|(_, result)| matches!(result, LineResult::New | LineResult::Changed(_))) {
        groups.entry((change.0.source, change.0.kind)).or_default().push(change);
    }
    for ((source, kind), changes) in &groups {
        // On PostgreSQL another writer may have linked first: its links stay, and this import is rolled back.
        if !link(tx, SourceKey { account, source: *source }, *kind, changes, now).await? {
            return Err(ImportError::Overtaken);
        }
    }
    let sources: BTreeSet<SourceId> = groups.keys().map(|(source, _)| *source).collect();
    for source in sources {
        schedule::linked(tx, SourceKey { account, source }, now).await?;
    }
    Ok(())
}

/// Links records of one kind and enqueues their buffered data again; false if one was linked concurrently.
async fn link(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    changes: &[&(RequestedLink<'_>, LineResult)],
    now: Timestamp,
) -> Result<bool> {
    let former = changes.iter().filter(|(_, result)| matches!(result, LineResult::Changed(_)));
    let former: Vec<&str> = former.map(|(wanted, _)| wanted.external_id).collect();
    mappings::unlink_all(tx, SourceKey { account, source }, kind, &former).await?;
    let links = changes.iter().map(|(wanted, _)| NewMapping {
        external_id: wanted.external_id,
        core: wanted.core,
        ours: wanted.ours.unwrap_or(false),
    });
    if mappings::import(tx, SourceKey { account, source }, kind, &Vec::from_iter(links), now).await? < changes.len() {
        return Ok(false);
    }
    let lines = changes.iter().map(|(wanted, result)| sync_log::NewSyncLogLine {
        source,
        entity_type: kind.as_str(),
        entity_id: wanted.external_id,
        action: sync_log::LogAction::Map,
        status: sync_log::LogStatus::Success,
        message: Some(match result {
            LineResult::Changed(former) => format!("taken over: linked with {}, no more with {former}", wanted.core),
            _ => format!("taken over: linked with {}", wanted.core),
        }),
    });
    sync_log::inbound(tx, account, &Vec::from_iter(lines), now).await?;
    let pairs: Vec<(&str, CoreId)> = changes.iter().map(|(wanted, _)| (wanted.external_id, wanted.core)).collect();
    // Buffered records with no link or another one are handled by the job that retries parked records.
    let parked = Parked(vec![Missing::Link]);
    match kind {
        EntityKind::Property => properties::part_others(tx, SourceKey { account, source }, &pairs, &parked).await?,
        EntityKind::RoomType => room_types::part_others(tx, SourceKey { account, source }, &pairs, &parked).await?,
        EntityKind::RatePlan => rate_plans::part_others(tx, SourceKey { account, source }, &pairs, &parked).await?,
        EntityKind::Reservation => {
            let key = SourceKey { account, source };
            let buffered = reservations::relink(tx, key, &pairs).await?;
            let ask = |id: &String| Refetch::record(Entity::Reservation, id).of(key);
            // Without a connection, the next record from the source counts.
            let has_channel = sources::get(tx, key).await?.is_some_and(|it| it.connection.is_some());
            let work: Vec<queue::NewJob> = buffered.iter().filter(|_| has_channel).map(ask).collect();
            queue::enqueue(tx, &work, now).await?;
        }
        // Guests cannot be imported.
        EntityKind::Guest => {}
    }
    Ok(true)
}
