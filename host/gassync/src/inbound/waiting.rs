//! What of a source waits for a person, and what it is probably about.

use std::collections::HashMap;

use gassync_domain::{
    Block, CoreId, Date, Likeness, Parked, Property, RoomType, Timestamp, WORTH_SHOWING, properties_alike,
    room_types_alike,
};

use super::{apply::Incoming, block};
use crate::store::{
    Result, Tx,
    buffer::{Slice, blocks, parked_reservations, properties, rate_plans, room_types},
    core::{self, bookings},
    mappings::{self, Kind},
    parked,
};

/// Core entities that are compared with a parked record.
const CANDIDATES: i64 = 2_000;
/// Suggestions for a record.
const SHOWN: usize = 3;
/// Parked records of a kind that are shown.
const MOST_OF_A_KIND: i64 = 1_000;

/// A parked record, what it waits for, and what it is probably about.
#[derive(Debug)]
pub struct Waiting {
    /// What it is, in the words of the tables.
    pub kind: &'static str,
    /// The source's id.
    pub id: String,
    /// What people call it, where it has a name.
    pub name: Option<String>,
    /// What it waits for.
    pub parked: Parked,
    /// Since when.
    pub since: Timestamp,
    /// The first and the last night, where it has any.
    pub nights: (Option<Date>, Option<Date>),
    /// The source's ids of its rooms, where it has any.
    pub rooms: Vec<String>,
    /// Whether its nights are kept meanwhile.
    pub held: bool,
    /// Whether it is linked with a core entity already.
    pub linked: bool,
    /// Core entities it may be, likeliest first.
    pub suggestions: Vec<(CoreId, String, Likeness)>,
}

impl Waiting {
    fn new(kind: &'static str, id: String, parked: Option<Parked>, since: Timestamp) -> Self {
        Self {
            kind,
            id,
            name: None,
            parked: parked.unwrap_or(Parked(Vec::new())),
            since,
            nights: (None, None),
            rooms: Vec::new(),
            held: false,
            linked: false,
            suggestions: Vec::new(),
        }
    }
}

/// What of a source waits.
pub async fn waiting(tx: &mut Tx, incoming: &Incoming) -> Result<Vec<Waiting>> {
    let Incoming { account, source, .. } = *incoming;
    let slice = Slice { after: 0, limit: MOST_OF_A_KIND };
    let mut all = Vec::new();
    let houses = core::properties::properties(tx, account, CANDIDATES).await?;
    for (stored, _) in properties::parked(tx, account, source, slice).await? {
        let alike = |house: &Property| properties_alike(&stored.record, house);
        let suggestions = likeliest(&houses, alike, |house| &house.name);
        let Property { id, name, .. } = stored.record;
        let waiting = Waiting::new("property", id, stored.parked, stored.synced_at);
        all.push(Waiting { name: Some(name), suggestions, ..waiting });
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
        let waiting = Waiting::new("room_type", record.id, stored.parked, stored.synced_at);
        all.push(Waiting { name: Some(record.name), suggestions, ..waiting });
    }
    for (stored, _) in rate_plans::parked(tx, account, source, slice).await? {
        let waiting = Waiting::new("rate_plan", stored.record.id, stored.parked, stored.synced_at);
        all.push(Waiting { name: Some(stored.record.name), ..waiting });
    }
    all.extend(reservations(tx, incoming, slice).await?);
    for (stored, _) in blocks::parked(tx, account, source, slice).await? {
        let held = !blocks::notes(tx, account, stored.row).await?.is_empty();
        let id = block::id_of(&stored.record);
        let Block { check_in, check_out, .. } = stored.record;
        let rooms = stored.record.room_types().cloned().collect();
        let nights = (Some(check_in), check_out.yesterday().ok());
        // A block has no time of its own at which it began to wait.
        let waiting = Waiting::new("block", id, stored.parked, stored.version.observed_at);
        all.push(Waiting { rooms, nights, held, ..waiting });
    }
    Ok(all)
}

async fn reservations(tx: &mut Tx, incoming: &Incoming, slice: Slice) -> Result<Vec<Waiting>> {
    let Incoming { account, source, now, .. } = *incoming;
    let words = parked_reservations::page(tx, account, source, slice).await?;
    let asked: Vec<(Kind, &str)> =
        words.iter().map(|(_, word, _)| (Kind::Reservation, word.record.id.as_str())).collect();
    let links = mappings::find_all(tx, account, source, &asked).await?;
    let booking = |id: &str| links.get(Kind::Reservation, id).map(|mapping| mapping.core);
    let linked: Vec<CoreId> = words.iter().filter_map(|(_, word, _)| booking(&word.record.id)).collect();
    let states: HashMap<CoreId, bookings::BookingState> = bookings::booking_states(tx, account, &linked).await?;
    let shown = words.iter().map(|(_, word, _)| {
        // A guest's name is not shown where it is not needed.
        let id = word.record.id.clone();
        let linked = booking(&id).is_some();
        let takes = booking(&id).and_then(|booking| states.get(&booking)).is_some_and(|s| s.takes_nights(now));
        let rooms = word.record.rooms.iter().filter_map(|room| room.room_type_id.clone()).collect();
        let waiting = Waiting::new("reservation", id, Some(word.missing.clone()), word.parked_at);
        Waiting { nights: parked::nights(&word.record), rooms, held: word.hold.is_some() || takes, linked, ..waiting }
    });
    Ok(shown.collect())
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
