//! Checks that unknown fields, which channels add over time, change nothing.

use super::{
    describe,
    harness::{Harness, SampleResult},
    report::{Check, Failure},
    samples::Sample,
    samples_decode::DecodedSample,
};
use gassync_domain::Change;

/// Maximum positions tried one by one to find those that matter.
const MAX_PLACES: usize = 20;

pub(super) async fn checks(harness: &Harness, decoded_samples: &[DecodedSample<'_>]) -> [Check; 2] {
    let json = Check::new("tolerance.json", "Are unknown JSON members ignored?");
    let xml = Check::new("tolerance.xml", "Are unknown XML attributes and elements ignored?");
    let json = look(harness, decoded_samples, json, |sample| sample.payload.is_json()).await;
    let xml = look(harness, decoded_samples, xml, |sample| sample.payload.is_xml()).await;
    [json.nothing("no sample that is understood is JSON"), xml.nothing("no sample that is understood is XML")]
}

async fn look(
    harness: &Harness,
    decoded_samples: &[DecodedSample<'_>],
    mut check: Check,
    of_this_form: impl Fn(&Sample) -> bool,
) -> Check {
    for known in decoded_samples.iter().filter(|known| of_this_form(known.sample)) {
        let (Some(before), Some(everywhere)) = (known.decoded(), known.sample.payload.unknown_everywhere()) else {
            continue;
        };
        if harness.is_out_of_time() {
            check.not_begun += 1;
            continue;
        }
        let payload = &known.sample.payload;
        let failure = differs(harness, known.sample, before, (&everywhere.how, payload.altered(&everywhere))).await;
        let Some(failure) = failure else {
            check.case(Ok(()));
            continue;
        };
        let mut named = false;
        for one in payload.unknown_in_each().iter().take(MAX_PLACES) {
            if let Some(failure) = differs(harness, known.sample, before, (&one.how, payload.altered(one))).await {
                named = true;
                check.case(Err(failure));
            }
        }
        if !named {
            check.case(Err(failure));
        }
    }
    check
}

async fn differs(
    harness: &Harness,
    sample: &Sample,
    before: &SampleResult,
    (how, bytes): (&str, Vec<u8>),
) -> Option<Failure> {
    let finished = harness.run_altered(sample, Some(&bytes)).await;
    let came_back = match &finished.result {
        Ok(after) if same_content(&after.changes, &before.changes) && after.event_id == before.event_id => return None,
        Ok(after) => describe::difference(before, after),
        Err(_) => describe::came_back(&finished),
    };
    Some(Failure::new(
        describe::sent(sample, how),
        came_back,
        "the same changes: channels add fields without saying so",
    ))
}

/// Compares changes without raw records, which are the altered payload itself.
fn same_content(after: &[Change], before: &[Change]) -> bool {
    let content = |change: &Change| (change.route.clone(), change.data.clone());
    after.iter().map(content).eq(before.iter().map(content))
}
