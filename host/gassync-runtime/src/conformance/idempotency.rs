//! Checks that the same input gives the same result, independent of time and random seed.

use jiff::SignedDuration;

use super::{
    describe,
    harness::{CallVariation, Harness, SampleResult, state_after},
    report::{Check, Failure},
    samples_decode::DecodedSample,
};

/// A random seed other than that of the first call.
pub(super) const OTHER_SEED: u64 = 7_919;
/// Delay of a repeated message.
pub(super) const LATER: SignedDuration = SignedDuration::from_mins(10);

pub(super) async fn checks(harness: &Harness, decoded_samples: &[DecodedSample<'_>]) -> [Check; 3] {
    let mut same = Check::new("determinism.same", "Does the same call return the same result twice?");
    let mut seed = Check::new("determinism.seed", "Are changes and event id independent of the random seed?");
    let mut again = Check::new("idempotency", "Does a repeated message give the same changes?");
    for known in decoded_samples {
        if harness.is_out_of_time() {
            for check in [&mut same, &mut seed, &mut again] {
                check.not_begun += 1;
            }
            continue;
        }
        let Some(before) = known.decoded() else { continue };
        let expected = "the same as before";
        same.case(compare(harness, known, before, CallVariation::default(), ("once more", expected, true)).await);
        let other = CallVariation { seed: OTHER_SEED, ..CallVariation::default() };
        let expected =
            "the same event id and changes: an id of your own making comes from the message, never from chance";
        seed.case(compare(harness, known, before, other, ("with other randomness", expected, false)).await);
        // A repeated message sees the plugin state of the first call. A fetch starts without it, since it may have
        // recorded what to skip.
        let memory = if known.sample.is_call() { state_after(&known.finished.record) } else { Default::default() };
        let later = CallVariation { seed: OTHER_SEED, later: LATER, memory };
        let expected = "the same event id, or none, and the same changes: what comes again must change nothing";
        again.case(compare(harness, known, before, later, ("again, ten minutes later", expected, false)).await);
    }
    [same, seed, again].map(|check| check.nothing("no sample is understood"))
}

async fn compare(
    harness: &Harness,
    known: &DecodedSample<'_>,
    before: &SampleResult,
    variation: CallVariation,
    (how, expected, whole): (&str, &str, bool),
) -> Result<(), Failure> {
    let finished = harness.run_sample(known.sample, variation).await;
    let sent = || describe::sent(known.sample, how);
    match &finished.result {
        Ok(after) if after == before => Ok(()),
        Ok(after) if !whole && after.event_id == before.event_id && after.changes == before.changes => Ok(()),
        Ok(after) => Err(Failure::new(sent(), describe::difference(before, after), expected)),
        Err(_) => Err(Failure::new(sent(), describe::came_back(&finished), expected)),
    }
}
