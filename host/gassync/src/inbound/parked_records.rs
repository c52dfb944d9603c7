//! Parked records of a source, with suggested links.

use std::collections::HashMap;

use gassync_domain::{
    Block, CoreId, Date, Parked, Property, RoomType, Similarity, Timestamp, WORTH_SHOWING, compare_properties,
    compare_room_types,
};

use super::{apply::IngestContext, block};
use crate::store::{
    Result, Tx,
    buffer::{PageCursor, blocks, parked_reservations, properties, rate_plans, room_types},
    core::{self, bookings},
    mappings::{self, EntityKind},
    parked::{self, ParkedKind},
};

/// Core entities compared with a parked record.
const CANDIDATES: i64 = 2_000;
/// Suggestions for a record.
const SHOWN: usize = 3;
/// Parked records listed per kind.
const MAX_PER_KIND: i64 = 1_000;

/// A parked record, what is missing, and suggested links.
#[derive(Debug)]
pub struct ParkedRecord {
    /// Its kind.
    pub kind: ParkedKind,
    /// The source's id.
    pub id: String,
    /// The name, if any.
    pub name: Option<String>,
    /// What it waits for.
    pub parked: Parked,
    /// When it was parked.
    pub since: Timestamp,
    /// Its first and last night, if any.
    pub nights: (Option<Date>, Option<Date>),
    /// The source's ids of its rooms, if any.
    pub rooms: Vec<String>,
    /// True if a hold keeps its nights.
    pub held: bool,
    /// True if it is already linked with a core entity.
    pub linked: bool,
    /// Suggested core entities, best match first.
    pub suggestions: Vec<(CoreId, String, Similarity)>,
}

impl ParkedRecord {
    fn new(kind: ParkedKind, id: String, parked: Option<Parked>, since: Timestamp) -> Self {
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

/// Lists the parked records of a source.
pub async fn list(tx: &mut Tx, context: &IngestContext) -> Result<Vec<ParkedRecord>> {
    let IngestContext { account, .. } = *context;
    let slice = PageCursor { after: 0, limit: MAX_PER_KIND };
    let mut all = Vec::new();
    let houses = core::properties::properties(tx, account, CANDIDATES).await?;
    for (stored, _) in properties::parked(tx, context.key(), slice).await? {
        let alike = |house: &Property| compare_properties(&stored.record, house);
        let suggestions = likeliest(&houses, alike, |house| &house.name);
        let Property { id, name, .. } = stored.record;
        let waiting = ParkedRecord::new(ParkedKind::Property, id, stored.parked, stored.synced_at);
        all.push(ParkedRecord { name: Some(name), suggestions, ..waiting });
    }
    for (stored, _) in room_types::parked(tx, context.key(), slice).await? {
        let record = stored.record;
        let home = mappings::find(tx, context.key(), EntityKind::Property, &record.property_id).await?;
        let units = match home {
            Some(home) => core::units::units(tx, account, home.core, CANDIDATES).await?,
            None => Vec::new(),
        };
        let suggestions =
            likeliest(&units, |unit: &RoomType| compare_room_types(&record, unit), |unit: &RoomType| &unit.name);
        let waiting = ParkedRecord::new(ParkedKind::RoomType, record.id, stored.parked, stored.synced_at);
        all.push(ParkedRecord { name: Some(record.name), suggestions, ..waiting });
    }
    for (stored, _) in rate_plans::parked(tx, context.key(), slice).await? {
        let waiting = ParkedRecord::new(ParkedKind::RatePlan, stored.record.id, stored.parked, stored.synced_at);
        all.push(ParkedRecord { name: Some(stored.record.name), ..waiting });
    }
    all.extend(reservations(tx, context, slice).await?);
    for (stored, _) in blocks::parked(tx, context.key(), slice).await? {
        let held = !blocks::notes(tx, account, stored.row).await?.is_empty();
        let id = block::id_of(&stored.record);
        let Block { check_in, check_out, .. } = stored.record;
        let rooms = stored.record.room_types().cloned().collect();
        let nights = (Some(check_in), check_out.yesterday().ok());
        // Blocks have no parking time.
        let waiting = ParkedRecord::new(ParkedKind::Block, id, stored.parked, stored.version.observed_at);
        all.push(ParkedRecord { rooms, nights, held, ..waiting });
    }
    Ok(all)
}

async fn reservations(tx: &mut Tx, context: &IngestContext, slice: PageCursor) -> Result<Vec<ParkedRecord>> {
    let IngestContext { account, now, .. } = *context;
    let words = parked_reservations::page(tx, context.key(), slice).await?;
    let asked: Vec<(EntityKind, &str)> =
        words.iter().map(|(_, word, _)| (EntityKind::Reservation, word.record.id.as_str())).collect();
    let links = mappings::find_all(tx, context.key(), &asked).await?;
    let booking = |id: &str| links.get(EntityKind::Reservation, id).map(|mapping| mapping.core);
    let linked: Vec<CoreId> = words.iter().filter_map(|(_, word, _)| booking(&word.record.id)).collect();
    let states: HashMap<CoreId, bookings::BookingState> = bookings::booking_states(tx, account, &linked).await?;
    let shown = words.iter().map(|(_, word, _)| {
        // Guest names are left out: personal data.
        let id = word.record.id.clone();
        let linked = booking(&id).is_some();
        let takes = booking(&id).and_then(|booking| states.get(&booking)).is_some_and(|s| s.takes_nights(now));
        let rooms = word.record.rooms.iter().filter_map(|room| room.room_type_id.clone()).collect();
        let waiting = ParkedRecord::new(ParkedKind::Reservation, id, Some(word.missing.clone()), word.parked_at);
        ParkedRecord {
            nights: parked::nights(&word.record),
            rooms,
            held: word.hold.is_some() || takes,
            linked,
            ..waiting
        }
    });
    Ok(shown.collect())
}

fn likeliest<T>(
    candidates: &[(CoreId, T)],
    alike: impl Fn(&T) -> Similarity,
    name: impl Fn(&T) -> &String,
) -> Vec<(CoreId, String, Similarity)> {
    let mut found: Vec<_> = candidates
        .iter()
        .map(|(id, candidate)| (*id, name(candidate).clone(), alike(candidate)))
        .filter(|(_, _, likeness)| likeness.percent >= WORTH_SHOWING)
        .collect();
    found.sort_by_key(|(id, _, likeness)| (std::cmp::Reverse(likeness.percent), id.0));
    found.truncate(SHOWN);
    found
}
