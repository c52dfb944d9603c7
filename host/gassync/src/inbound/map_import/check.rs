//! Lines against each other, and against what is there.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use gassync_domain::{AccountId, CoreId, SourceId, Timestamp};

use super::{MAX_LOOKED_UP, Wanted, Wrong};
use crate::store::{
    Result, Tx,
    buffer::{rate_plans, reservations, room_types},
    core::{bookings, homes::homes},
    mappings::{self, Kind, Mapping, Mappings},
    outbound,
};

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is linked.
    New,
    /// It is linked so already.
    Unchanged,
    /// It is linked anew, and no more with this entity.
    Changed(CoreId),
    /// It cannot be linked so.
    Wrong,
}

/// A field, and what is wrong with it.
type Problem = (&'static str, String);

/// What is there of the records of one kind and source that lines are about.
struct There {
    kind: Kind,
    links: Mappings,
    /// The property of each core entity that there is.
    homes: HashMap<CoreId, CoreId>,
    /// The property, by the source's id, of each record that was told.
    told_in: HashMap<String, String>,
    /// What core entities that are linked already are called.
    taken: HashMap<CoreId, Vec<String>>,
    /// Reservations that were told, and booked as they are linked.
    booked: HashSet<String>,
    /// Bookings that take nights.
    take_nights: HashSet<CoreId>,
    /// Bookings that the channel is just being told of.
    on_their_way: HashSet<CoreId>,
}

/// What becomes of lines that make sense; what is wrong is added to what was before.
pub(super) async fn all<'a>(
    tx: &mut Tx,
    account: AccountId,
    (wanted, wrong): (Vec<Wanted<'a>>, &mut Vec<Wrong>),
    replace: bool,
    now: Timestamp,
) -> Result<Vec<(Wanted<'a>, Fate)>> {
    let (distinct, mut checked) = apart(wanted, wrong);
    let mut groups: BTreeMap<(SourceId, Kind), Vec<Wanted<'a>>> = BTreeMap::new();
    for wanted in distinct {
        groups.entry((wanted.source, wanted.kind)).or_default().push(wanted);
    }
    // Properties come first: what is in them is held against how they are linked in the end.
    let mut houses: HashMap<(SourceId, String), CoreId> = HashMap::new();
    for ((source, kind), group) in groups {
        let there = there(tx, (account, source), kind, &group, now).await?;
        if kind == Kind::Property {
            houses.extend(group.iter().map(|house| ((source, house.external_id.to_owned()), house.core)));
        }
        add_houses(tx, (account, source), &there, &mut houses).await?;
        let moves: HashSet<&str> = group.iter().map(|wanted| wanted.external_id).collect();
        for wanted in group {
            let home = there.told_in.get(wanted.external_id);
            let home = home.and_then(|home| Some((home, *houses.get(&(source, home.clone()))?)));
            let judged = match judge(&wanted, &there, replace, &moves) {
                Err(Unfit::NoEntity) => {
                    let kinds = if wrong.len() < MAX_LOOKED_UP { &OF_THE_CORE[..] } else { &[] };
                    Err(("ours", no_entity(tx, account, &wanted, kinds).await?))
                }
                Err(Unfit::Because(problem)) => Err(problem),
                Ok(fate) => in_its_house(&wanted, &there, home).map(|()| fate),
            };
            match judged {
                Ok(fate) => checked.push((wanted, fate)),
                Err((field, problem)) => wrong.push(Wrong { line: wanted.line, field, problem }),
            }
        }
    }
    Ok(checked)
}

/// Takes out lines that contradict an earlier one, and those that repeat one, of which nothing is left to do.
fn apart<'a>(wanted: Vec<Wanted<'a>>, wrong: &mut Vec<Wrong>) -> (Vec<Wanted<'a>>, Vec<(Wanted<'a>, Fate)>) {
    let (mut records, mut bookings) = (HashMap::new(), HashMap::new());
    let (mut distinct, mut repeated) = (Vec::with_capacity(wanted.len()), Vec::new());
    for wanted in wanted {
        let Wanted { line, source, kind, external_id, core, ours, .. } = wanted;
        match records.entry((source, kind, external_id)) {
            Entry::Vacant(place) => drop(place.insert(wanted)),
            Entry::Occupied(first) => {
                let first: &Wanted<'_> = first.get();
                if (first.core, first.ours) == (core, ours) {
                    repeated.push((wanted, Fate::Unchanged));
                    continue;
                }
                let (field, other) = if first.core == core {
                    ("origin", "otherwise".to_owned())
                } else {
                    ("ours", format!("with {}", first.core))
                };
                wrong.push(Wrong { line, field, problem: format!("line {} links it {other}", first.line) });
                continue;
            }
        }
        if kind == Kind::Reservation {
            let first: &mut Wanted<'_> = bookings.entry((source, core)).or_insert(wanted);
            if first.external_id != external_id {
                let problem =
                    format!("line {} links {} with that booking: {TWO_ARE_TWO}", first.line, first.external_id);
                wrong.push(Wrong { line, field: "ours", problem });
                continue;
            }
        }
        distinct.push(wanted);
    }
    (distinct, repeated)
}

/// What a number may be of.
const OF_THE_CORE: [Kind; 4] = [Kind::Property, Kind::RoomType, Kind::RatePlan, Kind::Reservation];
const TWO_ARE_TWO: &str = "two reservations of one source are two bookings";

async fn there(
    tx: &mut Tx,
    (account, source): (AccountId, SourceId),
    kind: Kind,
    group: &[Wanted<'_>],
    now: Timestamp,
) -> Result<There> {
    let ids: Vec<&str> = group.iter().map(|wanted| wanted.external_id).collect();
    let cores: Vec<CoreId> = group.iter().map(|wanted| wanted.core).collect();
    let links = mappings::find_many(tx, account, source, kind, &ids).await?;
    let mut there = There {
        kind,
        links,
        homes: homes(tx, account, kind, &cores).await?,
        told_in: HashMap::new(),
        taken: HashMap::new(),
        booked: HashSet::new(),
        take_nights: HashSet::new(),
        on_their_way: HashSet::new(),
    };
    match kind {
        Kind::RoomType => {
            let told = room_types::find_all(tx, account, source, &ids).await?;
            there.told_in = told.into_iter().map(|(id, stored)| (id, stored.record.property_id)).collect();
        }
        Kind::RatePlan => {
            let told = rate_plans::find_all(tx, account, source, &ids).await?;
            there.told_in = told.into_iter().map(|(id, stored)| (id, stored.record.property_id)).collect();
        }
        Kind::Reservation => {
            for (core, id) in mappings::of_cores(tx, account, source, kind, &cores).await? {
                there.taken.entry(core).or_default().push(id);
            }
            let at_channel = outbound::bookings::get_all(tx, account, source, &cores).await?;
            there.on_their_way = at_channel.into_iter().filter(|(_, at)| at.in_doubt).map(|(core, _)| core).collect();
            let linked = |id: &&str| there.links.get(kind, id);
            let former: Vec<CoreId> = ids.iter().filter_map(linked).map(|mapping| mapping.core).collect();
            let states = bookings::booking_states(tx, account, &former).await?;
            there.take_nights = states.into_iter().filter(|(_, at)| at.takes_nights(now)).map(|(id, _)| id).collect();
            let linked: Vec<&str> = ids.iter().copied().filter(|id| there.links.get(kind, id).is_some()).collect();
            let told = reservations::find_all(tx, account, source, &linked).await?;
            there.booked = told.into_iter().filter(|(_, stored)| stored.core.is_some()).map(|(id, _)| id).collect();
        }
        Kind::Property | Kind::Guest => {}
    }
    Ok(there)
}

/// How the properties are linked that rooms and plans were told in, as far as no line says so.
async fn add_houses(
    tx: &mut Tx,
    (account, source): (AccountId, SourceId),
    there: &There,
    houses: &mut HashMap<(SourceId, String), CoreId>,
) -> Result<()> {
    let unsaid: HashSet<&String> =
        there.told_in.values().filter(|id| !houses.contains_key(&(source, (*id).clone()))).collect();
    let asked: Vec<(Kind, &str)> = unsaid.iter().map(|id| (Kind::Property, id.as_str())).collect();
    let links = mappings::find_all(tx, account, source, &asked).await?;
    for id in unsaid {
        if let Some(mapping) = links.get(Kind::Property, id) {
            houses.insert((source, id.clone()), mapping.core);
        }
    }
    Ok(())
}

/// Why a line does not fit what is there.
enum Unfit {
    /// There is no such core entity of this kind.
    NoEntity,
    Because(Problem),
}

fn judge(wanted: &Wanted<'_>, there: &There, replace: bool, moves: &HashSet<&str>) -> std::result::Result<Fate, Unfit> {
    let Wanted { kind, external_id, core, ours, .. } = *wanted;
    let unfit = |field, problem: String| Err(Unfit::Because((field, problem)));
    if !there.homes.contains_key(&core) {
        return Err(Unfit::NoEntity);
    }
    let link = there.links.get(kind, external_id);
    if let Some(Mapping { core: former, ours: was_ours, .. }) = link {
        if former == core && ours.is_none_or(|ours| ours == was_ours) {
            return Ok(Fate::Unchanged);
        }
        if !replace {
            let so = if former == core { " with another origin" } else { "" };
            return unfit(
                "externalId",
                format!("conflict: it is linked with {former}{so}; --replace takes that link away"),
            );
        }
        // The channel has told of it, and what was booked then takes nights beside those of the booking that it is to be.
        if former != core && there.booked.contains(external_id) && there.take_nights.contains(&former) {
            return unfit(
                "externalId",
                format!(
                    "conflict: it was booked as {former}, which takes nights: cancel that booking in the core first"
                ),
            );
        }
    }
    if there.on_their_way.contains(&core) {
        let problem =
            "the channel is just being told of that booking: wait until `gassync source status` says what came of it";
        return unfit("ours", problem.to_owned());
    }
    let others = there.taken.get(&core).into_iter().flatten().filter(|other| *other != external_id);
    // Another that is linked elsewhere by the same list takes nothing away.
    if let Some(other) = others.into_iter().find(|other| !(replace && moves.contains(other.as_str()))) {
        return unfit("ours", format!("conflict: reservation {other} is linked with that booking: {TWO_ARE_TWO}"));
    }
    Ok(link.map_or(Fate::New, |mapping| Fate::Changed(mapping.core)))
}

/// A room belongs to the house that its property is linked with, as far as the source has said which that is.
fn in_its_house(
    wanted: &Wanted<'_>,
    there: &There,
    told_in: Option<(&String, CoreId)>,
) -> std::result::Result<(), Problem> {
    match (told_in, there.homes.get(&wanted.core)) {
        (Some((property, house)), Some(home)) if house != *home && there.kind != Kind::Property => Err((
            "ours",
            format!("that is in property {home}; the record is in {property}, which is linked with {house}"),
        )),
        _ => Ok(()),
    }
}

/// Says what the number is, where it is another thing's.
async fn no_entity(tx: &mut Tx, account: AccountId, wanted: &Wanted<'_>, kinds: &[Kind]) -> Result<String> {
    let mut others = Vec::new();
    for kind in kinds.iter().copied().filter(|kind| *kind != wanted.kind) {
        if homes(tx, account, kind, &[wanted.core]).await?.contains_key(&wanted.core) {
            others.push(word(kind));
        }
    }
    let but =
        if others.is_empty() { String::new() } else { format!("; there is a {} of that number", others.join(", a ")) };
    Ok(format!("the account has no {} {}{but}", word(wanted.kind), wanted.core))
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Property => "property",
        Kind::RoomType => "room type",
        Kind::RatePlan => "rate plan",
        Kind::Reservation => "booking",
        Kind::Guest => "guest",
    }
}
