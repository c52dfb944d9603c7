//! Holds: nights reserved for records that await a decision. They take and release nights as bookings do, but produce no
//! booking events.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, Timestamp};

use super::ledger::OpenNights;
use crate::store::{
    Result, Tx,
    core::{holds as rows, units},
    ledger::{Bucket, Span},
};

/// The desired state of a hold.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// The existing hold.
    pub known: Option<CoreId>,
    /// The nights to hold, one span per room; empty to drop the hold.
    pub spans: Vec<Span>,
    /// The reason.
    pub reason: String,
}

/// Holds to create, change or drop in the same batch as bookings.
pub(super) struct Holds(Vec<Held>);

struct Held {
    asked: HoldRequest,
    /// Its rooms, and their nights.
    has: Vec<(i64, Span)>,
    /// True if its nights change.
    changes: bool,
}

impl Holds {
    /// Loads the current nights of the holds.
    pub(super) async fn read(tx: &mut Tx, account: AccountId, asked: &[HoldRequest]) -> Result<Self> {
        let known: Vec<CoreId> = asked.iter().filter_map(|hold| hold.known).collect();
        let mut has: HashMap<CoreId, Vec<(i64, Span)>> = rows::rooms(tx, account, &known).await?;
        let beside = |hold: &HoldRequest| {
            let has = hold.known.and_then(|id| has.remove(&id)).unwrap_or_default();
            // A hold that expired meanwhile is created again.
            let known = hold.known.filter(|_| !has.is_empty());
            let changes = !has.iter().map(|(_, span)| span).eq(&hold.spans);
            Held { asked: HoldRequest { known, ..hold.clone() }, has, changes }
        };
        Ok(Self(asked.iter().map(beside).collect()))
    }

    /// All nights whose claim changes.
    pub(super) fn spans(&self) -> Vec<Span> {
        let changed = self.0.iter().filter(|held| held.changes);
        changed
            .flat_map(|held| held.has.iter().map(|(_, span)| *span).chain(held.asked.spans.iter().copied()))
            .collect()
    }

    /// The desired nights of the holds that change.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Span> {
        self.0.iter().filter(|held| held.changes).flat_map(|held| held.asked.spans.iter().copied())
    }

    /// Releases the nights of a hold that changes, so that the booking that replaces it finds them free.
    pub(super) async fn release(
        &self,
        tx: &mut Tx,
        account: AccountId,
        (index, opened): (usize, &OpenNights),
        now: Timestamp,
    ) -> Result<()> {
        let Some(Held { asked, has, changes: true }) = self.0.get(index) else { return Ok(()) };
        for room in has {
            opened.release(tx, account, *room, now).await?;
        }
        match asked.known {
            Some(id) => rows::delete_rooms(tx, account, id).await,
            None => Ok(()),
        }
    }

    /// Takes back the nights of a released hold, because the booking that should replace it was refused.
    pub(super) fn restore(&mut self, index: usize) {
        if let Some(held) = self.0.get_mut(index) {
            held.asked.spans = held.has.iter().map(|(_, span)| *span).collect();
        }
    }

    /// Takes the nights of a hold, overbooking those without availability, and resolves overbooked claims with the
    /// released ones. Returns its id, or `None` if it was dropped.
    pub(super) async fn take(
        &self,
        tx: &mut Tx,
        account: AccountId,
        (index, opened): (usize, &mut OpenNights),
        now: Timestamp,
    ) -> Result<Option<CoreId>> {
        let Some(Held { asked, has, changes }) = self.0.get(index) else { return Ok(None) };
        if !changes {
            return Ok(asked.known);
        }
        let id = match (asked.spans.first(), asked.known) {
            (None, known) => {
                if let Some(id) = known {
                    rows::delete_hold(tx, account, id).await?;
                }
                None
            }
            (Some(first), known) => {
                let home = units::homes(tx, account, &[first.unit]).await?.remove(&first.unit);
                let about = (home.map(|home| home.property), asked.reason.as_str());
                Some(match known {
                    Some(id) => {
                        rows::touch_hold(tx, account, id, about, now).await?;
                        id
                    }
                    None => rows::insert_hold(tx, account, about, now).await?,
                })
            }
        };
        if let Some(id) = id {
            let rooms = rows::insert_rooms(tx, account, id, &asked.spans, now).await?;
            for (room, span) in rooms.into_iter().zip(&asked.spans) {
                opened.take(tx, account, (room, *span), Bucket::Held, now).await?;
            }
        }
        let freed: Vec<Span> = has.iter().map(|(_, span)| *span).collect();
        opened.resolve_overbooked(tx, account, &freed, now).await?;
        Ok(id)
    }
}

/// Drops holds and releases their nights. The caller holds the account's ledger exclusively.
pub async fn drop_holds(tx: &mut Tx, account: AccountId, ids: &[CoreId], now: Timestamp) -> Result<()> {
    let gone = |id: &CoreId| HoldRequest { known: Some(*id), spans: Vec::new(), reason: String::new() };
    let asked: Vec<HoldRequest> = ids.iter().map(gone).collect();
    let holds = Holds::read(tx, account, &asked).await?;
    let mut opened = OpenNights::new(tx, account, &holds.spans(), now).await?;
    for index in 0..ids.len() {
        holds.release(tx, account, (index, &opened), now).await?;
        holds.take(tx, account, (index, &mut opened), now).await?;
    }
    Ok(())
}
