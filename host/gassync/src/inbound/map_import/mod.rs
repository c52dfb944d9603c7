//! Takes over links that another system kept: of houses, rooms, rate plans and bookings that run elsewhere already, all of a
//! list or none. Nothing of the core changes: what the channel tells from then on is about what is linked, and it is told of
//! nothing that it has. [`read`](self::read) makes sense of each line by itself, [`check`](self::check) holds all of them
//! against each other and against what is there.

mod check;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use gassync_domain::{AccountId, CoreId, Missing, Parked, SourceId, Timestamp};
use serde_json::json;

pub use check::LineResult;

use crate::{
    schedule,
    store::{
        Result, Tx,
        buffer::{properties, rate_plans, reservations, room_types},
        mappings::{self, EntityKind, ImportedLink},
        queue, sources, sync_log,
    },
};

/// The most links that are taken over at once.
pub const MAX_LINES: usize = 50_000;
/// The most sources that they may be of.
pub const MAX_SOURCES: usize = 100;

/// Of so many wrong lines it is told what their numbers are instead: that is looked up one by one.
const MAX_LOOKED_UP: usize = 100;

/// A link as somebody gives it.
#[derive(Debug, Clone)]
pub struct ImportLine {
    /// Where it stands, as its giver counts.
    pub number: u64,
    /// Whose it is, or why that is not known.
    pub source: std::result::Result<SourceId, String>,
    /// `property`, `room-type`, `rate-plan` or `booking`.
    pub entity: String,
    /// The channel's id.
    pub external_id: String,
    /// The number of the core entity.
    pub ours: String,
    /// Of a booking `external` or `core`: where it was first. Empty is `external`, and any for a link that is there.
    pub origin: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// The line's number.
    pub line: u64,
    /// `entity`, `externalId`, `ours`, `source` or `origin`.
    pub field: &'static str,
    /// What it is.
    pub problem: String,
}

/// A line that makes sense.
#[derive(Debug, Clone, Copy)]
struct RequestedLink<'a> {
    /// Its place in the list.
    index: usize,
    line: u64,
    source: SourceId,
    kind: EntityKind,
    external_id: &'a str,
    core: CoreId,
    /// Whether the core has the say over it; unsaid it is as it is.
    ours: Option<bool>,
}

/// What taking links over does, or did.
#[derive(Debug)]
pub struct ImportResult {
    /// Of each line, in their order: what it is about, as far as that can be read, and what becomes of it.
    pub results: Vec<(Option<EntityKind>, LineResult)>,
    /// All that is wrong; where there is anything, nothing was written.
    pub wrong: Vec<LineError>,
}

/// Why links are not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Somebody has linked one of them otherwise at the same time.
    #[error("somebody has linked the same records meanwhile: nothing was written; plan again")]
    Overtaken,
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
}

/// Takes links over, unless one is wrong. With `replace` a record that is linked with something else is linked anew. Whoever
/// only wants to know drops the transaction.
pub async fn import(
    tx: &mut Tx,
    account: AccountId,
    lines: &[ImportLine],
    replace: bool,
    now: Timestamp,
) -> std::result::Result<ImportResult, ImportError> {
    // No reservation arrives meanwhile, and before any other lock.
    tx.lock_ledger(account, true).await?;
    let mut results = vec![(None, LineResult::Wrong); lines.len()];
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
        // On a database of many writers another may have been faster: then what it wrote stands, and this is undone.
        if !link(tx, (account, *source), *kind, changes, now).await? {
            return Err(ImportError::Overtaken);
        }
    }
    let sources: BTreeSet<SourceId> = groups.keys().map(|(source, _)| *source).collect();
    for source in sources {
        schedule::linked(tx, account, source, now).await?;
    }
    Ok(())
}

/// Links records of one kind, and has what was told of them before told once more; false where somebody else has linked one
/// of them meanwhile.
async fn link(
    tx: &mut Tx,
    (account, source): (AccountId, SourceId),
    kind: EntityKind,
    changes: &[&(RequestedLink<'_>, LineResult)],
    now: Timestamp,
) -> Result<bool> {
    let former = changes.iter().filter(|(_, result)| matches!(result, LineResult::Changed(_)));
    let former: Vec<&str> = former.map(|(wanted, _)| wanted.external_id).collect();
    mappings::unlink_all(tx, account, source, kind, &former).await?;
    let links = changes.iter().map(|(wanted, _)| ImportedLink {
        external_id: wanted.external_id,
        core: wanted.core,
        ours: wanted.ours.unwrap_or(false),
    });
    if mappings::import(tx, account, source, kind, &Vec::from_iter(links), now).await? < changes.len() {
        return Ok(false);
    }
    let lines = changes.iter().map(|(wanted, result)| sync_log::SyncLogEntry {
        source,
        entity_type: kind.as_str(),
        entity_id: wanted.external_id,
        action: "map",
        status: "success",
        message: Some(match result {
            LineResult::Changed(former) => format!("taken over: linked with {}, no more with {former}", wanted.core),
            _ => format!("taken over: linked with {}", wanted.core),
        }),
    });
    sync_log::inbound(tx, account, &Vec::from_iter(lines), now).await?;
    let pairs: Vec<(&str, CoreId)> = changes.iter().map(|(wanted, _)| (wanted.external_id, wanted.core)).collect();
    // What was told already and is linked with nothing, or with another, waits for the job that drives what waits.
    let parked = Parked(vec![Missing::Link]);
    match kind {
        EntityKind::Property => properties::part_others(tx, account, source, &pairs, &parked).await?,
        EntityKind::RoomType => room_types::part_others(tx, account, source, &pairs, &parked).await?,
        EntityKind::RatePlan => rate_plans::part_others(tx, account, source, &pairs, &parked).await?,
        EntityKind::Reservation => {
            let buffered = reservations::relink(tx, account, source, &pairs).await?;
            let ask = |id: &String| {
                let payload = json!({ "entity": "reservation", "id": id });
                schedule::JobKind::Refetch.job((account, source), payload, (now, now))
            };
            // Where nobody can be asked, the next word counts.
            let has_channel = sources::get(tx, account, source).await?.is_some_and(|it| it.connection.is_some());
            let work: Vec<queue::NewJob<'_>> = buffered.iter().filter(|_| has_channel).map(ask).collect();
            queue::enqueue(tx, &work, now).await?;
        }
        // Nobody takes guests over: a line that names one is wrong.
        EntityKind::Guest => {}
    }
    Ok(true)
}
