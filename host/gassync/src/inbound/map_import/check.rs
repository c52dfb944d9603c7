//! Checks lines against each other and against existing records.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use gassync_domain::{AccountId, CoreId, SourceId, SourceKey, Timestamp};

use super::{LineError, MAX_LOOKED_UP, RequestedLink};
use crate::store::{
    Result, Tx,
    buffer::{rate_plans, reservations, room_types},
    core::{bookings, homes::homes},
    mappings::{self, EntityKind, Mapping, Mappings},
    outbound,
};

/// The result of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineResult {
    /// It is linked.
    New,
    /// Already linked like this.
    Unchanged,
    /// Relinked; the former entity is given.
    Changed(CoreId),
    /// It has an error.
    Invalid,
}

/// A field, and what is wrong with it.
type Problem = (&'static str, String);

/// Existing records of one kind and source that the lines refer to.
struct ExistingRecords {
    kind: EntityKind,
    links: Mappings,
    /// The property of each existing core entity.
    homes: HashMap<CoreId, CoreId>,
    /// The property id of each buffered record.
    property_of: HashMap<String, String>,
    /// External ids of core entities that are already linked.
    taken: HashMap<CoreId, Vec<String>>,
    /// Buffered reservations that are booked.
    booked: HashSet<String>,
    /// Bookings that hold nights.
    take_nights: HashSet<CoreId>,
    /// Bookings that are being pushed.
    in_push: HashSet<CoreId>,
}

/// Checks parsed lines and appends errors to `wrong`.
pub(super) async fn all<'a>(
    tx: &mut Tx,
    account: AccountId,
    (wanted, wrong): (Vec<RequestedLink<'a>>, &mut Vec<LineError>),
    replace: bool,
    now: Timestamp,
) -> Result<Vec<(RequestedLink<'a>, LineResult)>> {
    let (distinct, mut checked) = without_repeats(wanted, wrong);
    let mut groups: BTreeMap<(SourceId, EntityKind), Vec<RequestedLink<'a>>> = BTreeMap::new();
    for wanted in distinct {
        groups.entry((wanted.source, wanted.kind)).or_default().push(wanted);
    }
    // Properties come first: rooms and plans are checked against their final links.
    let mut properties_: HashMap<(SourceId, String), CoreId> = HashMap::new();
    for ((source, kind), group) in groups {
        let existing = existing(tx, SourceKey { account, source }, kind, &group, now).await?;
        if kind == EntityKind::Property {
            properties_.extend(group.iter().map(|house| ((source, house.external_id.to_owned()), house.core)));
        }
        add_properties(tx, SourceKey { account, source }, &existing, &mut properties_).await?;
        let moves: HashSet<&str> = group.iter().map(|wanted| wanted.external_id).collect();
        for wanted in group {
            let home = existing.property_of.get(wanted.external_id);
            let home = home.and_then(|home| Some((home, *properties_.get(&(source, home.clone()))?)));
            let judged = match judge(&wanted, &existing, replace, &moves) {
                Err(Conflict::NoEntity) => {
                    let kinds = if wrong.len() < MAX_LOOKED_UP { &CORE_KINDS[..] } else { &[] };
                    Err(("ours", no_entity(tx, account, &wanted, kinds).await?))
                }
                Err(Conflict::Because(problem)) => Err(problem),
                Ok(result) => check_property(&wanted, &existing, home).map(|()| result),
            };
            match judged {
                Ok(result) => checked.push((wanted, result)),
                Err((field, problem)) => wrong.push(LineError { line: wanted.line, field, problem }),
            }
        }
    }
    Ok(checked)
}

/// Removes lines that contradict or repeat an earlier one.
fn without_repeats<'a>(
    wanted: Vec<RequestedLink<'a>>,
    wrong: &mut Vec<LineError>,
) -> (Vec<RequestedLink<'a>>, Vec<(RequestedLink<'a>, LineResult)>) {
    let (mut records, mut bookings) = (HashMap::new(), HashMap::new());
    let (mut distinct, mut repeated) = (Vec::with_capacity(wanted.len()), Vec::new());
    for wanted in wanted {
        let RequestedLink { line, source, kind, external_id, core, ours, .. } = wanted;
        match records.entry((source, kind, external_id)) {
            Entry::Vacant(place) => drop(place.insert(wanted)),
            Entry::Occupied(first) => {
                let first: &RequestedLink<'_> = first.get();
                if (first.core, first.ours) == (core, ours) {
                    repeated.push((wanted, LineResult::Unchanged));
                    continue;
                }
                let (field, other) = if first.core == core {
                    ("origin", "otherwise".to_owned())
                } else {
                    ("ours", format!("with {}", first.core))
                };
                wrong.push(LineError { line, field, problem: format!("line {} links it {other}", first.line) });
                continue;
            }
        }
        if kind == EntityKind::Reservation {
            let first: &mut RequestedLink<'_> = bookings.entry((source, core)).or_insert(wanted);
            if first.external_id != external_id {
                let problem =
                    format!("line {} links {} with that booking: {ONE_BOOKING_EACH}", first.line, first.external_id);
                wrong.push(LineError { line, field: "ours", problem });
                continue;
            }
        }
        distinct.push(wanted);
    }
    (distinct, repeated)
}

/// Kinds of core entities whose ids a line may give.
const CORE_KINDS: [EntityKind; 4] =
    [EntityKind::Property, EntityKind::RoomType, EntityKind::RatePlan, EntityKind::Reservation];
const ONE_BOOKING_EACH: &str = "each reservation of a source needs its own booking";

async fn existing(
    tx: &mut Tx,
    source: SourceKey,
    kind: EntityKind,
    group: &[RequestedLink<'_>],
    now: Timestamp,
) -> Result<ExistingRecords> {
    let ids: Vec<&str> = group.iter().map(|wanted| wanted.external_id).collect();
    let cores: Vec<CoreId> = group.iter().map(|wanted| wanted.core).collect();
    let links = mappings::find_many(tx, source, kind, &ids).await?;
    let mut existing = ExistingRecords {
        kind,
        links,
        homes: homes(tx, source.account, kind, &cores).await?,
        property_of: HashMap::new(),
        taken: HashMap::new(),
        booked: HashSet::new(),
        take_nights: HashSet::new(),
        in_push: HashSet::new(),
    };
    match kind {
        EntityKind::RoomType => {
            let buffered = room_types::find_all(tx, source, &ids).await?;
            existing.property_of = buffered.into_iter().map(|(id, stored)| (id, stored.record.property_id)).collect();
        }
        EntityKind::RatePlan => {
            let buffered = rate_plans::find_all(tx, source, &ids).await?;
            existing.property_of = buffered.into_iter().map(|(id, stored)| (id, stored.record.property_id)).collect();
        }
        EntityKind::Reservation => {
            for (core, id) in mappings::of_cores(tx, source, kind, &cores).await? {
                existing.taken.entry(core).or_default().push(id);
            }
            let at_channel = outbound::bookings::get_all(tx, source, &cores).await?;
            existing.in_push =
                at_channel.into_iter().filter(|(_, at)| at.state.in_doubt).map(|(core, _)| core).collect();
            let linked = |id: &&str| existing.links.get(kind, id);
            let former: Vec<CoreId> = ids.iter().filter_map(linked).map(|mapping| mapping.core).collect();
            let states = bookings::booking_states(tx, source.account, &former).await?;
            existing.take_nights =
                states.into_iter().filter(|(_, at)| at.takes_nights(now)).map(|(id, _)| id).collect();
            let linked: Vec<&str> = ids.iter().copied().filter(|id| existing.links.get(kind, id).is_some()).collect();
            let buffered = reservations::find_all(tx, source, &linked).await?;
            existing.booked =
                buffered.into_iter().filter(|(_, stored)| stored.core.is_some()).map(|(id, _)| id).collect();
        }
        EntityKind::Property | EntityKind::Guest => {}
    }
    Ok(existing)
}

/// Adds existing links of properties that no line names.
async fn add_properties(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    existing: &ExistingRecords,
    properties_: &mut HashMap<(SourceId, String), CoreId>,
) -> Result<()> {
    let unsaid: HashSet<&String> =
        existing.property_of.values().filter(|id| !properties_.contains_key(&(source, (*id).clone()))).collect();
    let asked: Vec<(EntityKind, &str)> = unsaid.iter().map(|id| (EntityKind::Property, id.as_str())).collect();
    let links = mappings::find_all(tx, SourceKey { account, source }, &asked).await?;
    for id in unsaid {
        if let Some(mapping) = links.get(EntityKind::Property, id) {
            properties_.insert((source, id.clone()), mapping.core);
        }
    }
    Ok(())
}

/// Why a line conflicts with existing records.
enum Conflict {
    /// There is no such core entity of this kind.
    NoEntity,
    Because(Problem),
}

fn judge(
    wanted: &RequestedLink<'_>,
    existing: &ExistingRecords,
    replace: bool,
    moves: &HashSet<&str>,
) -> std::result::Result<LineResult, Conflict> {
    let RequestedLink { kind, external_id, core, ours, .. } = *wanted;
    let unfit = |field, problem: String| Err(Conflict::Because((field, problem)));
    if !existing.homes.contains_key(&core) {
        return Err(Conflict::NoEntity);
    }
    let link = existing.links.get(kind, external_id);
    if let Some(Mapping { core: former, ours: was_ours, .. }) = link {
        if former == core && ours.is_none_or(|ours| ours == was_ours) {
            return Ok(LineResult::Unchanged);
        }
        if !replace {
            let so = if former == core { " with another origin" } else { "" };
            return unfit(
                "externalId",
                format!("conflict: it is linked with {former}{so}; --replace replaces that link"),
            );
        }
        // The reservation is already booked: its nights would be taken twice.
        if former != core && existing.booked.contains(external_id) && existing.take_nights.contains(&former) {
            return unfit(
                "externalId",
                format!(
                    "conflict: it is booked as {former}, which holds nights: cancel that booking in the core first"
                ),
            );
        }
    }
    if existing.in_push.contains(&core) {
        let problem =
            "that booking is being pushed to the channel: wait until `gassync source status` shows the result";
        return unfit("ours", problem.to_owned());
    }
    let others = existing.taken.get(&core).into_iter().flatten().filter(|other| *other != external_id);
    // A reservation that the same list links elsewhere is no conflict.
    if let Some(other) = others.into_iter().find(|other| !(replace && moves.contains(other.as_str()))) {
        return unfit(
            "ours",
            format!("conflict: reservation {other} is already linked with that booking: {ONE_BOOKING_EACH}"),
        );
    }
    Ok(link.map_or(LineResult::New, |mapping| LineResult::Changed(mapping.core)))
}

/// Checks that the entity is in the property that the record's property is linked with, if known.
fn check_property(
    wanted: &RequestedLink<'_>,
    existing: &ExistingRecords,
    property_of: Option<(&String, CoreId)>,
) -> std::result::Result<(), Problem> {
    match (property_of, existing.homes.get(&wanted.core)) {
        (Some((property, house)), Some(home)) if house != *home && existing.kind != EntityKind::Property => Err((
            "ours",
            format!("that entity is in property {home}; the record is in {property}, which is linked with {house}"),
        )),
        _ => Ok(()),
    }
}

/// Explains a missing entity, naming other kinds with the same id.
async fn no_entity(
    tx: &mut Tx,
    account: AccountId,
    wanted: &RequestedLink<'_>,
    kinds: &[EntityKind],
) -> Result<String> {
    let mut others = Vec::new();
    for kind in kinds.iter().copied().filter(|kind| *kind != wanted.kind) {
        if homes(tx, account, kind, &[wanted.core]).await?.contains_key(&wanted.core) {
            others.push(kind_name(kind));
        }
    }
    let but =
        if others.is_empty() { String::new() } else { format!("; there is a {} of that number", others.join(", a ")) };
    Ok(format!("the account has no {} {}{but}", kind_name(wanted.kind), wanted.core))
}

fn kind_name(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Property => "property",
        EntityKind::RoomType => "room type",
        EntityKind::RatePlan => "rate plan",
        EntityKind::Reservation => "booking",
        EntityKind::Guest => "guest",
    }
}
