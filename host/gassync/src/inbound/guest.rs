//! Applies guests to buffer, mappings and core.
//!
//! A record matches a known guest if this source linked the same id before, or if both have the same own e-mail address and
//! the same family name. Nothing less matches: forwarding addresses of booking sites are reused, and names are shared.

use std::collections::HashSet;

use gassync_domain::{CoreId, Digest, Guest, Mended, RawJson, Reservation};

use super::apply::{IngestContext, IngestOutcome};
use crate::{
    core,
    store::{
        Result, Tx,
        buffer::{Envelope, guests},
        mappings::{self, EntityKind, Mappings},
    },
};

/// A guest as the channel sent it, the original JSON, and the mended fields.
type Named<'a> = (&'a Guest, &'a RawJson, &'a [Mended]);

/// Applies a guest that came without a reservation.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    mut guest: Guest,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<IngestOutcome> {
    guest.normalise();
    let errors = context.mend_or_check(&mut guest, &mut mended);
    let id = guest.id.as_deref().unwrap_or_default();
    let outcome = if errors.is_empty() {
        let links = mappings::find_all(tx, context.key(), &[(EntityKind::Guest, id)]).await?;
        keep_all(tx, context, &[(&guest, raw, &mended)], &links).await?.pop().unwrap_or(IngestOutcome::Unsupported)
    } else {
        IngestOutcome::Rejected(errors)
    };
    context.log(tx, ("guest", id), (&outcome, &mended)).await?;
    Ok(outcome)
}

/// The id of a reservation's guest; without one, the reservation's id.
pub(super) fn id_of(reservation: &Reservation) -> Option<String> {
    let guest = reservation.guest.as_ref()?;
    Some(guest.id.clone().unwrap_or_else(|| format!("reservation/{}", reservation.id)))
}

/// Applies the guests of reservations. `links` holds their existing links. Returns the core guest of each reservation.
pub(super) async fn of_reservations(
    tx: &mut Tx,
    context: &IngestContext,
    (reservations, links): (&[&Reservation], &Mappings),
) -> Result<Vec<Option<CoreId>>> {
    let guest = |reservation: &&Reservation| {
        let guest = Guest { id: id_of(reservation), ..reservation.guest.clone()? };
        let raw = RawJson::of(&guest);
        Some((guest, raw))
    };
    let received: Vec<Option<(Guest, RawJson)>> = reservations.iter().map(guest).collect();
    // Mended fields of a guest are recorded with the reservation.
    let named: Vec<Named<'_>> = received.iter().flatten().map(|(guest, raw)| (guest, raw, [].as_slice())).collect();
    let mut kept = keep_all(tx, context, &named, links).await?.into_iter();
    Ok(received.iter().map(|received| received.as_ref().and_then(|_| kept.next()?.core())).collect())
}

/// Applies guests in order: records of the same person go to separate batches, so that the first is applied before the
/// second.
async fn keep_all(
    tx: &mut Tx,
    context: &IngestContext,
    guests: &[Named<'_>],
    links: &Mappings,
) -> Result<Vec<IngestOutcome>> {
    let mut outcomes = vec![IngestOutcome::Unsupported; guests.len()];
    let mut waiting: Vec<usize> = (0..guests.len()).collect();
    while !waiting.is_empty() {
        let (mut ids, mut identities) = (HashSet::new(), HashSet::new());
        let (first, later): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|index| {
            let guest = guests[*index].0;
            ids.insert(guest.id.as_deref()) & guest.identity().is_none_or(|identity| identities.insert(identity))
        });
        let distinct: Vec<Named<'_>> = first.iter().map(|index| guests[*index]).collect();
        for (index, outcome) in first.into_iter().zip(keep(tx, context, &distinct, links).await?) {
            outcomes[index] = outcome;
        }
        waiting = later;
    }
    Ok(outcomes)
}

/// Applies a batch of guests, none of whom match each other.
async fn keep(
    tx: &mut Tx,
    context: &IngestContext,
    received: &[Named<'_>],
    links: &Mappings,
) -> Result<Vec<IngestOutcome>> {
    let IngestContext { account, now, .. } = *context;
    let version = context.version(None, None);
    let digests: Vec<Digest> = received.iter().map(|(guest, ..)| Digest::of_json(guest)).collect();
    let ids: Vec<&str> = received.iter().map(|(guest, ..)| guest.id.as_deref().unwrap_or_default()).collect();
    let stored = guests::find_all(tx, context.key(), &ids).await?;
    let mut outcomes: Vec<Option<IngestOutcome>> = Vec::with_capacity(received.len());
    for (id, digest) in ids.iter().zip(&digests) {
        outcomes.push(match stored.get(*id) {
            Some(stored) if version.is_older_than(&stored.version) => Some(IngestOutcome::Stale(stored.core)),
            Some(stored) if stored.digest == *digest => {
                guests::confirm(tx, context.key(), id, &version, now).await?;
                Some(IngestOutcome::Unchanged(stored.core))
            }
            _ => None,
        });
    }
    let news: Vec<usize> = (0..received.len()).filter(|index| outcomes[*index].is_none()).collect();
    // A guest linked after `links` was read is found in the buffer.
    let in_buffer = |id: &str| stored.get(id).and_then(|stored| stored.core);
    let is_linked = |index: &usize| {
        let id = ids[*index];
        links.get(EntityKind::Guest, id).map(|mapping| mapping.core).or_else(|| in_buffer(id))
    };
    let unlinked: Vec<usize> = news.iter().copied().filter(|index| is_linked(index).is_none()).collect();
    let strangers: Vec<&Guest> = unlinked.iter().map(|index| received[*index].0).collect();
    let known = core::find_guests(tx, account, &strangers).await?;
    let known = |index: &usize| is_linked(index).or_else(|| known.get(&received[*index].0.identity()?).copied());
    let put: Vec<(Option<CoreId>, &Guest)> = news.iter().map(|index| (known(index), received[*index].0)).collect();
    let cores = core::put_guests(tx, account, &put, now).await?;
    for (index, core) in news.iter().zip(&cores) {
        outcomes[*index] =
            Some(if known(index).is_none() { IngestOutcome::Created(*core) } else { IngestOutcome::Updated(*core) });
    }
    let made = news.iter().zip(&cores).filter(|(index, _)| is_linked(index).is_none());
    let links: Vec<(&str, CoreId)> = made.map(|(index, core)| (ids[*index], *core)).collect();
    mappings::link_all(tx, context.key(), EntityKind::Guest, &links, now).await?;
    let outcomes: Vec<IngestOutcome> =
        outcomes.into_iter().map(|outcome| outcome.unwrap_or(IngestOutcome::Unsupported)).collect();
    let rows: Vec<_> = news
        .iter()
        .map(|index| {
            let (guest, raw, mended) = received[*index];
            (Envelope { mended, ..context.envelope(raw, &digests[*index], &version, &outcomes[*index]) }, guest)
        })
        .collect();
    guests::put_all(tx, &rows).await?;
    Ok(outcomes)
}
