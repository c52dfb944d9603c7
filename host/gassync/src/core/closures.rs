use std::collections::BTreeMap;

use gassync_domain::{AccountId, CoreId, Date, Stay, Timestamp};

use super::ledger::OpenNights;
use crate::store::{
    Result, Tx,
    core::closures as rows,
    ledger::{self, Span},
};

/// A change of a manual closure: close a night of a unit, change the number of closed units, or reopen it.
#[derive(Debug, Clone, Copy)]
pub struct ClosureRequest {
    /// The existing closure.
    pub known: Option<CoreId>,
    /// The unit.
    pub unit: CoreId,
    /// Which night.
    pub night: Date,
    /// Number of units to close; 0 removes the closure.
    pub units: u32,
}

/// Creates, changes and removes manual closures in one batch. The caller holds [`Tx::lock_ledger`]. Returns the closure of
/// each request in order; `None` if it was removed.
///
/// A closure has no source as its origin, whoever reports it, so the reporting source is notified like all others.
pub async fn close(
    tx: &mut Tx,
    account: AccountId,
    asked: &[ClosureRequest],
    now: Timestamp,
) -> Result<Vec<Option<CoreId>>> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<CoreId> = asked.iter().filter_map(|closure| closure.known).collect();
    let has = rows::quantities(tx, account, &known).await?;
    let (mut deltas, mut made, mut changed, mut gone) = (BTreeMap::<_, i64>::new(), Vec::new(), Vec::new(), Vec::new());
    for ClosureRequest { known, unit, night, units } in asked {
        let before = known.and_then(|id| has.get(&id).map(|quantity| (id, *quantity)));
        let units = i64::from(*units);
        *deltas.entry((*unit, *night)).or_default() += units - before.map_or(0, |(_, quantity)| quantity);
        match (before, units) {
            (None, 0) => {}
            (None, units) => made.push((*unit, *night, units)),
            (Some((id, _)), 0) => gone.push(id),
            (Some((_, quantity)), units) if quantity == units => {}
            (Some((id, _)), units) => changed.push((id, units)),
        }
    }
    deltas.retain(|_, delta| *delta != 0);
    let spans: Vec<Span> = deltas.keys().filter_map(|(unit, night)| span(*unit, *night)).collect();
    let whose = tx.origin();
    tx.switch_origin(None).await?;
    let opened = OpenNights::new(tx, account, &spans, now).await?;
    let deltas: Vec<(CoreId, Date, i64)> =
        deltas.into_iter().map(|((unit, night), delta)| (unit, night, delta)).collect();
    ledger::block_nights(tx, account, &deltas, now).await?;
    rows::delete_closures(tx, account, &gone).await?;
    rows::update_closures(tx, account, &changed, now).await?;
    let mut made = rows::insert_closures(tx, account, &made, now).await?.into_iter();
    let freed: Vec<Span> =
        deltas.iter().filter(|(.., delta)| *delta < 0).filter_map(|(unit, night, _)| span(*unit, *night)).collect();
    opened.resolve_overbooked(tx, account, &freed, now).await?;
    tx.switch_origin(whose).await?;
    let now_it_is = |closure: &ClosureRequest| match closure.known.filter(|id| has.contains_key(id)) {
        known @ Some(_) if closure.units > 0 => known,
        None if closure.units > 0 => made.next(),
        _ => None,
    };
    Ok(asked.iter().map(now_it_is).collect())
}

fn span(unit: CoreId, night: Date) -> Option<Span> {
    let stay = Stay::spanning(night, night.tomorrow().ok()?)?;
    Some(Span { unit, stay })
}
