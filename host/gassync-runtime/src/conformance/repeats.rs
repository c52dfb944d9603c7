//! The same thing twice: what a plugin says may depend on what it is given, and on nothing else.

use jiff::SignedDuration;

use super::{
    report::{Check, Failure},
    stand::{Stand, Told, Turn, remembered},
    understood::Understood,
    wording,
};

/// Randomness that is not that of the first call.
pub(super) const OTHER_SEED: u64 = 7_919;
/// How much later a channel sends again.
pub(super) const LATER: SignedDuration = SignedDuration::from_mins(10);

pub(super) async fn checks(stand: &Stand, understood: &[Understood<'_>]) -> [Check; 3] {
    let mut same = Check::new("determinism.same", "Does the same call give the same answer twice?");
    let mut seed = Check::new("determinism.seed", "Do changes and event id hold, whatever randomness gives?");
    let mut again = Check::new("idempotency", "Does a message that comes again say the same?");
    for known in understood {
        if stand.is_time_up() {
            for check in [&mut same, &mut seed, &mut again] {
                check.not_begun += 1;
            }
            continue;
        }
        let Some(before) = known.told() else { continue };
        let expected = "the same as before";
        same.case(compare(stand, known, before, Turn::default(), ("once more", expected, true)).await);
        let other = Turn { seed: OTHER_SEED, ..Turn::default() };
        let expected =
            "the same event id and changes: an id of your own making comes from the message, never from chance";
        seed.case(compare(stand, known, before, other, ("with other randomness", expected, false)).await);
        // What a call left in the plugin's memory is there when the message comes again; a fetch may have learnt from it
        // what need not be told twice.
        let memory = if known.sample.is_call() { remembered(&known.finished.record) } else { Default::default() };
        let later = Turn { seed: OTHER_SEED, later: LATER, memory };
        let expected = "the same event id, or none, and the same changes: what comes again must change nothing";
        again.case(compare(stand, known, before, later, ("again, ten minutes later", expected, false)).await);
    }
    [same, seed, again].map(|check| check.nothing("no sample is understood"))
}

async fn compare(
    stand: &Stand,
    known: &Understood<'_>,
    before: &Told,
    turn: Turn,
    (how, expected, whole): (&str, &str, bool),
) -> Result<(), Failure> {
    let finished = stand.show(known.sample, turn).await;
    let sent = || wording::sent(known.sample, how);
    match &finished.result {
        Ok(after) if after == before => Ok(()),
        Ok(after) if !whole && after.event_id == before.event_id && after.changes == before.changes => Ok(()),
        Ok(after) => Err(Failure::new(sent(), wording::difference(before, after), expected)),
        Err(_) => Err(Failure::new(sent(), wording::came_back(&finished), expected)),
    }
}
