use std::collections::BTreeMap;

use gassync_domain::{AccountId, CoreId, Date, Stay, Timestamp};

use super::ledger::OpenNights;
use crate::store::{
    Result, Tx,
    core::closures as rows,
    ledger::{self, Span},
};

/// A night of a unit that is to be closed by hand, to close another number of units, or to be opened again.
#[derive(Debug, Clone, Copy)]
pub struct ClosureRequest {
    /// The closure that is there.
    pub known: Option<CoreId>,
    /// The unit.
    pub unit: CoreId,
    /// Which night.
    pub night: Date,
    /// How many units it is to close; of none it goes.
    pub units: u32,
}

/// Closes nights and opens them again, all of them at once: the transaction has said [`Tx::lock_ledger`]. Tells, in the order
/// asked, which closure each is now; none where it is gone.
///
/// It is a person's hand that does, whoever brings the news: the source of it is told like any other.
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
