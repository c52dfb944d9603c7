//! A guest into buffer, mapping and core.
//!
//! A record is about a person the core knows when, in this order: this source linked that very id with them before; or
//! both have the same mail address of their own and the same family name. Nothing less makes two people one: an address
//! that a selling site forwards is many guests' in turn, and names alone are shared.

use std::collections::HashSet;

use gassync_domain::{CoreId, Digest, Guest, Mended, RawJson, Reservation};

use super::apply::{Incoming, Outcome};
use crate::{
    core,
    store::{
        Result, Tx,
        buffer::{Envelope, guests},
        mappings::{self, Kind, Mappings},
    },
};

/// A guest, as the channel has them, and what was mended of that.
type Named<'a> = (&'a Guest, &'a RawJson, &'a [Mended]);

/// A guest that is told of without a reservation.
pub(super) async fn apply(
    tx: &mut Tx,
    incoming: &Incoming,
    mut guest: Guest,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<Outcome> {
    guest.normalise();
    let errors = incoming.mend_or_check(&mut guest, &mut mended);
    let id = guest.id.as_deref().unwrap_or_default();
    let outcome = if errors.is_empty() {
        let links = mappings::find_all(tx, incoming.account, incoming.source, &[(Kind::Guest, id)]).await?;
        keep_all(tx, incoming, &[(&guest, raw, &mended)], &links).await?.pop().unwrap_or(Outcome::NotKept)
    } else {
        Outcome::Rejected(errors)
    };
    incoming.log(tx, ("guest", id), (&outcome, &mended)).await?;
    Ok(outcome)
}

/// The id of a reservation's guest. One without an id of its own is filed under the reservation's.
pub(super) fn id_of(reservation: &Reservation) -> Option<String> {
    let guest = reservation.guest.as_ref()?;
    Some(guest.id.clone().unwrap_or_else(|| format!("reservation/{}", reservation.id)))
}

/// The guests who made reservations, and what those were linked with before.
pub(super) async fn of_reservations(
    tx: &mut Tx,
    incoming: &Incoming,
    (reservations, links): (&[&Reservation], &Mappings),
) -> Result<Vec<Option<CoreId>>> {
    let guest = |reservation: &&Reservation| {
        let guest = Guest { id: id_of(reservation), ..reservation.guest.clone()? };
        let raw = RawJson::of(&guest);
        Some((guest, raw))
    };
    let told: Vec<Option<(Guest, RawJson)>> = reservations.iter().map(guest).collect();
    // What was mended of them stands with the reservation.
    let named: Vec<Named<'_>> = told.iter().flatten().map(|(guest, raw)| (guest, raw, [].as_slice())).collect();
    let mut kept = keep_all(tx, incoming, &named, links).await?.into_iter();
    Ok(told.iter().map(|told| told.as_ref().and_then(|_| kept.next()?.core())).collect())
}

/// Keeps guests: the first word on each person before the second.
async fn keep_all(tx: &mut Tx, incoming: &Incoming, guests: &[Named<'_>], links: &Mappings) -> Result<Vec<Outcome>> {
    let mut outcomes = vec![Outcome::NotKept; guests.len()];
    let mut waiting: Vec<usize> = (0..guests.len()).collect();
    while !waiting.is_empty() {
        let (mut ids, mut identities) = (HashSet::new(), HashSet::new());
        let (first, later): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|index| {
            let guest = guests[*index].0;
            ids.insert(guest.id.as_deref()) & guest.identity().is_none_or(|identity| identities.insert(identity))
        });
        let distinct: Vec<Named<'_>> = first.iter().map(|index| guests[*index]).collect();
        for (index, outcome) in first.into_iter().zip(keep(tx, incoming, &distinct, links).await?) {
            outcomes[index] = outcome;
        }
        waiting = later;
    }
    Ok(outcomes)
}

/// Keeps guests of whom no two are told to be the same.
async fn keep(tx: &mut Tx, incoming: &Incoming, told: &[Named<'_>], links: &Mappings) -> Result<Vec<Outcome>> {
    let Incoming { account, source, now, .. } = *incoming;
    let version = incoming.version(None, None);
    let digests: Vec<Digest> = told.iter().map(|(guest, ..)| Digest::of_json(guest)).collect();
    let ids: Vec<&str> = told.iter().map(|(guest, ..)| guest.id.as_deref().unwrap_or_default()).collect();
    let stored = guests::find_all(tx, account, source, &ids).await?;
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(told.len());
    for (id, digest) in ids.iter().zip(&digests) {
        outcomes.push(match stored.get(*id) {
            Some(stored) if version.is_older_than(&stored.version) => Some(Outcome::Older(stored.core)),
            Some(stored) if stored.digest == *digest => {
                guests::confirm(tx, account, source, id, &version, now).await?;
                Some(Outcome::Unchanged(stored.core))
            }
            _ => None,
        });
    }
    let news: Vec<usize> = (0..told.len()).filter(|index| outcomes[*index].is_none()).collect();
    // One who was linked since the links were read is in the buffer.
    let in_buffer = |id: &str| stored.get(id).and_then(|stored| stored.core);
    let is_linked = |index: &usize| {
        let id = ids[*index];
        links.get(Kind::Guest, id).map(|mapping| mapping.core).or_else(|| in_buffer(id))
    };
    let unlinked: Vec<usize> = news.iter().copied().filter(|index| is_linked(index).is_none()).collect();
    let strangers: Vec<&Guest> = unlinked.iter().map(|index| told[*index].0).collect();
    let known = core::find_guests(tx, account, &strangers).await?;
    let known = |index: &usize| is_linked(index).or_else(|| known.get(&told[*index].0.identity()?).copied());
    let put: Vec<(Option<CoreId>, &Guest)> = news.iter().map(|index| (known(index), told[*index].0)).collect();
    let cores = core::put_guests(tx, account, &put, now).await?;
    for (index, core) in news.iter().zip(&cores) {
        outcomes[*index] = Some(if known(index).is_none() { Outcome::Created(*core) } else { Outcome::Updated(*core) });
    }
    let made = news.iter().zip(&cores).filter(|(index, _)| is_linked(index).is_none());
    let links: Vec<(&str, CoreId)> = made.map(|(index, core)| (ids[*index], *core)).collect();
    mappings::link_all(tx, account, source, Kind::Guest, &links, now).await?;
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::NotKept)).collect();
    let rows: Vec<_> = news
        .iter()
        .map(|index| {
            let (guest, raw, mended) = told[*index];
            (Envelope { mended, ..incoming.envelope(raw, &digests[*index], &version, &outcomes[*index]) }, guest)
        })
        .collect();
    guests::put_all(tx, &rows).await?;
    Ok(outcomes)
}
