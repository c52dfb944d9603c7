//! What channels add one day must not matter.

use super::{
    report::{Check, Failure},
    samples::Sample,
    stand::{Stand, Told},
    understood::Understood,
    wording,
};
use gassync_domain::Change;

/// Places that are tried one by one, to name those that matter.
const MAX_PLACES: usize = 20;

pub(super) async fn checks(stand: &Stand, understood: &[Understood<'_>]) -> [Check; 2] {
    let json = Check::new("tolerance.json", "Does a member that nobody knows change nothing?");
    let xml = Check::new("tolerance.xml", "Does an attribute or element that nobody knows change nothing?");
    let json = look(stand, understood, json, |sample| sample.payload.is_json()).await;
    let xml = look(stand, understood, xml, |sample| sample.payload.is_xml()).await;
    [json.nothing("no sample that is understood is JSON"), xml.nothing("no sample that is understood is XML")]
}

async fn look(
    stand: &Stand,
    understood: &[Understood<'_>],
    mut check: Check,
    of_this_form: impl Fn(&Sample) -> bool,
) -> Check {
    for known in understood.iter().filter(|known| of_this_form(known.sample)) {
        let (Some(before), Some(everywhere)) = (known.told(), known.sample.payload.unknown_everywhere()) else {
            continue;
        };
        if stand.is_time_up() {
            check.not_begun += 1;
            continue;
        }
        let payload = &known.sample.payload;
        let failure = differs(stand, known.sample, before, (&everywhere.how, payload.altered(&everywhere))).await;
        let Some(failure) = failure else {
            check.case(Ok(()));
            continue;
        };
        let mut named = false;
        for one in payload.unknown_in_each().iter().take(MAX_PLACES) {
            if let Some(failure) = differs(stand, known.sample, before, (&one.how, payload.altered(one))).await {
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

async fn differs(stand: &Stand, sample: &Sample, before: &Told, (how, bytes): (&str, Vec<u8>)) -> Option<Failure> {
    let finished = stand.show_altered(sample, Some(&bytes)).await;
    let came_back = match &finished.result {
        Ok(after) if same_news(&after.changes, &before.changes) && after.event_id == before.event_id => return None,
        Ok(after) => wording::difference(before, after),
        Err(_) => wording::came_back(&finished),
    };
    Some(Failure::new(wording::sent(sample, how), came_back, "the same changes: channels add fields without saying so"))
}

/// The channel's own records beside the changes are the payload, which was altered.
fn same_news(after: &[Change], before: &[Change]) -> bool {
    let told = |change: &Change| (change.route.clone(), change.data.clone());
    after.iter().map(told).eq(before.iter().map(told))
}
