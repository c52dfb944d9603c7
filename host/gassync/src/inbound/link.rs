//! A person says what a parked record is about: the link, the record's way into the core, and what that frees.

use gassync_domain::{
    Change, CoreId, FieldChange, Likeness, Missing, News, Parked, Property, RawJson, RoomType, WORTH_SHOWING,
    differences, properties_alike, room_types_alike,
};
use serde_json::Value;

use super::{
    apply::{self, Incoming, Outcome},
    plan::entity,
};
use crate::{
    jobs,
    store::{
        Result, Tx,
        buffer::{Slice, properties, rate_plans, reservations, room_types},
        core, mappings,
        mappings::Kind,
        sync_log,
    },
};

/// Core entities that are compared with a parked record.
const CANDIDATES: i64 = 2_000;
/// Suggestions for a record.
const SHOWN: usize = 3;
/// Parked records that are looked through for what they wait for.
const LOOKED_THROUGH: i64 = 1_000;

/// What a record is to be linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// This core entity.
    Known(CoreId),
    /// One that is made of the record.
    New,
}

/// What linking does.
#[derive(Debug)]
pub struct Linked {
    /// What becomes of the record.
    pub outcome: Outcome,
    /// What differs in the core entity, before and after.
    pub changes: Vec<FieldChange>,
    /// Parked records that wait for this very link.
    pub frees: usize,
}

/// Why a record cannot be linked so.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The source told of no such record.
    #[error("the source has told of no such record")]
    NoRecord,
    /// Only what is parked for want of a link is linked by hand.
    #[error("only properties, room types and rate plans are linked by hand")]
    NotByHand,
    /// It is linked.
    #[error("it is linked with {0} already: unlink it first")]
    AlreadyLinked(CoreId),
    /// The account has no such entity.
    #[error("the account has no such core entity")]
    NoEntity,
    /// The entity is in another property.
    #[error("the core entity is in property {0}, and the record's property is linked with another")]
    Elsewhere(i64),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
}

/// Links a record and takes it into the core. Whoever only wants to know drops the transaction.
pub async fn link(
    tx: &mut Tx,
    incoming: &Incoming,
    (kind, id): (Kind, &str),
    target: Target,
) -> std::result::Result<Linked, LinkError> {
    let Incoming { account, source, now, .. } = *incoming;
    if let Some(mapping) = mappings::find(tx, account, source, kind, id).await? {
        return Err(LinkError::AlreadyLinked(mapping.core));
    }
    let (change, observed_at) = told(tx, incoming, kind, id).await?.ok_or(LinkError::NoRecord)?;
    let mut before = Value::Null;
    if let Target::Known(core) = target {
        before = entity(tx, account, kind, core).await?;
        if before.is_null() {
            return Err(LinkError::NoEntity);
        }
        check_home(tx, incoming, &change.news, &before).await?;
        mappings::link(tx, account, source, kind, id, core, now).await?;
    }
    // What a person decides to make is made, whichever source creates.
    let incoming = Incoming { creates: incoming.creates || target == Target::New, observed_at, ..*incoming };
    let outcomes = apply::changes(tx, &incoming, vec![change]).await?;
    let outcome = outcomes.into_iter().next().unwrap_or(Outcome::NotKept);
    let mut changes = Vec::new();
    if let Some(core) = outcome.core() {
        changes = differences(&before, &entity(tx, account, kind, core).await?);
        let message = Some(format!("linked with {core} by hand"));
        let entry = sync_log::Entry {
            source,
            entity_type: kind.as_str(),
            entity_id: id,
            action: "map",
            status: "success",
            message,
        };
        sync_log::inbound(tx, account, &[entry], now).await?;
    }
    let frees = waiting_for(tx, &incoming, kind, id).await?;
    jobs::linked(tx, account, source, now).await?;
    Ok(Linked { outcome, changes, frees })
}

/// Takes a link away: the record is parked, the core keeps what it has.
pub async fn unlink(tx: &mut Tx, incoming: &Incoming, kind: Kind, id: &str) -> std::result::Result<(), LinkError> {
    let Incoming { account, source, now, .. } = *incoming;
    mappings::find(tx, account, source, kind, id).await?.ok_or(LinkError::NoRecord)?;
    let parked = Parked(vec![Missing::Link]);
    match kind {
        Kind::Property => properties::part(tx, account, source, id, &parked).await?,
        Kind::RoomType => room_types::part(tx, account, source, id, &parked).await?,
        Kind::RatePlan => rate_plans::part(tx, account, source, id, &parked).await?,
        Kind::Reservation | Kind::Guest => return Err(LinkError::NotByHand),
    }
    mappings::unlink(tx, account, source, kind, id).await?;
    let entry = sync_log::Entry {
        source,
        entity_type: kind.as_str(),
        entity_id: id,
        action: "unmap",
        status: "success",
        message: None,
    };
    sync_log::inbound(tx, account, &[entry], now).await?;
    Ok(())
}

async fn told(
    tx: &mut Tx,
    incoming: &Incoming,
    kind: Kind,
    id: &str,
) -> std::result::Result<Option<(Change, gassync_domain::Timestamp)>, LinkError> {
    let Incoming { account, source, .. } = *incoming;
    let change = |news: News, raw: RawJson, mended| Change { mended, ..Change::new(news, Some(raw)) };
    macro_rules! of {
        ($table:ident, $news:expr) => {
            $table::with_raw(tx, account, source, id)
                .await?
                .map(|(stored, raw)| (change($news(stored.record), raw, stored.mended), stored.version.observed_at))
        };
    }
    Ok(match kind {
        Kind::Property => of!(properties, News::Property),
        Kind::RoomType => of!(room_types, News::RoomType),
        Kind::RatePlan => of!(rate_plans, News::RatePlan),
        Kind::Reservation | Kind::Guest => return Err(LinkError::NotByHand),
    })
}

/// A room belongs to the house that the record's property is linked with.
async fn check_home(
    tx: &mut Tx,
    incoming: &Incoming,
    news: &News,
    entity: &Value,
) -> std::result::Result<(), LinkError> {
    let home = match news {
        News::RoomType(record) => &record.property_id,
        News::RatePlan(record) => &record.property_id,
        _ => return Ok(()),
    };
    let property = mappings::find(tx, incoming.account, incoming.source, Kind::Property, home).await?;
    match (property, entity.get("propertyId").and_then(Value::as_i64)) {
        (Some(property), Some(is_in)) if property.core.0 != is_in => Err(LinkError::Elsewhere(is_in)),
        _ => Ok(()),
    }
}

/// A parked record, what it waits for, and what it is probably about.
#[derive(Debug)]
pub struct Waiting {
    /// What it is.
    pub kind: Kind,
    /// The source's id.
    pub id: String,
    /// What people call it, where it has a name.
    pub name: Option<String>,
    /// What it waits for.
    pub parked: Parked,
    /// Core entities it may be, likeliest first.
    pub suggestions: Vec<(CoreId, String, Likeness)>,
}

/// What of a source waits.
pub async fn waiting(tx: &mut Tx, incoming: &Incoming) -> Result<Vec<Waiting>> {
    let Incoming { account, source, .. } = *incoming;
    let slice = Slice { after: 0, limit: LOOKED_THROUGH };
    let mut all = Vec::new();
    let houses = core::properties::properties(tx, account, CANDIDATES).await?;
    for (stored, _) in properties::parked(tx, account, source, slice).await? {
        let alike = |house: &Property| properties_alike(&stored.record, house);
        let suggestions = likeliest(&houses, alike, |house| &house.name);
        let Property { id, name, .. } = stored.record;
        let parked = stored.parked.unwrap_or(Parked(Vec::new()));
        all.push(Waiting { kind: Kind::Property, id, name: Some(name), parked, suggestions });
    }
    for (stored, _) in room_types::parked(tx, account, source, slice).await? {
        let record = stored.record;
        let home = mappings::find(tx, account, source, Kind::Property, &record.property_id).await?;
        let units = match home {
            Some(home) => core::units::units(tx, account, home.core, CANDIDATES).await?,
            None => Vec::new(),
        };
        let suggestions =
            likeliest(&units, |unit: &RoomType| room_types_alike(&record, unit), |unit: &RoomType| &unit.name);
        let parked = stored.parked.unwrap_or(Parked(Vec::new()));
        all.push(Waiting { kind: Kind::RoomType, id: record.id, name: Some(record.name), parked, suggestions });
    }
    for (stored, _) in rate_plans::parked(tx, account, source, slice).await? {
        let parked = stored.parked.unwrap_or(Parked(Vec::new()));
        let (id, name) = (stored.record.id, Some(stored.record.name));
        all.push(Waiting { kind: Kind::RatePlan, id, name, parked, suggestions: Vec::new() });
    }
    for (stored, _) in reservations::parked(tx, account, source, slice).await? {
        let parked = stored.parked.unwrap_or(Parked(Vec::new()));
        // A guest's name is not shown where it is not needed.
        let id = stored.record.id;
        all.push(Waiting { kind: Kind::Reservation, id, name: None, parked, suggestions: Vec::new() });
    }
    Ok(all)
}

fn likeliest<T>(
    candidates: &[(CoreId, T)],
    alike: impl Fn(&T) -> Likeness,
    name: impl Fn(&T) -> &String,
) -> Vec<(CoreId, String, Likeness)> {
    let mut found: Vec<_> = candidates
        .iter()
        .map(|(id, candidate)| (*id, name(candidate).clone(), alike(candidate)))
        .filter(|(_, _, likeness)| likeness.percent >= WORTH_SHOWING)
        .collect();
    found.sort_by_key(|(id, _, likeness)| (std::cmp::Reverse(likeness.percent), id.0));
    found.truncate(SHOWN);
    found
}

async fn waiting_for(tx: &mut Tx, incoming: &Incoming, kind: Kind, wanted: &str) -> Result<usize> {
    let names_it = |missing: &Missing| match (kind, missing) {
        (Kind::Property, Missing::Property { id })
        | (Kind::RoomType, Missing::RoomType { id })
        | (Kind::RatePlan, Missing::RatePlan { id }) => id == wanted,
        _ => false,
    };
    let Incoming { account, source, .. } = *incoming;
    let slice = Slice { after: 0, limit: LOOKED_THROUGH };
    let mut count = 0;
    macro_rules! among {
        ($table:ident) => {
            let parked = $table::parked(tx, account, source, slice).await?;
            let waits = |parked: &Option<Parked>| parked.iter().flat_map(|Parked(missing)| missing).any(names_it);
            count += parked.iter().filter(|(stored, _)| waits(&stored.parked)).count();
        };
    }
    among!(room_types);
    among!(rate_plans);
    among!(reservations);
    Ok(count)
}
