//! Checks the errors a plugin returns when the channel refuses, fails or is unreachable. The host waits, alerts a
//! person or gives up according to the error; a failure must never look like a valid response.

use gassync_domain::{Entity, HttpResponse, Query};

use super::{
    behaviour::CallPurpose,
    channel_stub::{ChannelStub, StubAnswer},
    describe,
    fault_cases::{FAULT_CASES, FaultCase},
    generated,
    harness::{CallVariation, Harness, PushItems},
    report::{Check, Failure},
    samples::{FetchSpec, Sample, SampleKind, Samples},
    samples_decode::DecodedSample,
};
use crate::Interface;

/// A call to the channel.
enum Target {
    /// With a valid response, if there is a sample.
    Fetch {
        name: String,
        query: Query,
        whole: Option<HttpResponse>,
    },
    Write {
        name: &'static str,
        items: PushItems,
    },
}

pub(super) async fn checks(harness: &Harness, samples: &Samples, decoded_samples: &[DecodedSample<'_>]) -> Vec<Check> {
    let mut targets = fetches(harness, samples);
    targets.extend(writes(harness, samples, decoded_samples));
    let mut checks = Vec::new();
    for fault_case in &FAULT_CASES {
        let mut check = Check::new(fault_case.name, fault_case.question);
        let mut silent = Vec::new();
        for target in &targets {
            for (how, answer) in fault_case.answers(harness.plugin.manifest(), target.whole()) {
                if harness.is_out_of_time() {
                    check.not_begun += 1;
                    continue;
                }
                match meet(harness, fault_case, target, (&how, answer)).await {
                    Some(outcome) => check.case(outcome),
                    None => silent.push(target.name()),
                }
            }
        }
        silent.dedup();
        if !silent.is_empty() {
            check.note(format!("{}: it asks the channel nothing there", silent.join(", ")));
        }
        checks.push(check.nothing("nothing that it does asks the channel"));
    }
    checks
}

impl Target {
    fn name(&self) -> &str {
        match self {
            Self::Fetch { name, .. } => name,
            Self::Write { name, .. } => name,
        }
    }

    fn whole(&self) -> Option<&HttpResponse> {
        match self {
            Self::Fetch { whole, .. } => whole.as_ref(),
            Self::Write { .. } => None,
        }
    }
}

/// One fetch per poll or, without polls, per entity with a sample response.
fn fetches(harness: &Harness, samples: &Samples) -> Vec<Target> {
    if !harness.plugin.exports().contains(&Interface::Pull) {
        return Vec::new();
    }
    let mut targets = Vec::new();
    for poll in &harness.plugin.manifest().polls {
        let queue = poll.queue.as_ref().map(|queue| format!(" ({queue})")).unwrap_or_default();
        let (entity, selection) = (poll.entity, harness.selection(poll.entity, Some(poll)));
        targets.push(Target::Fetch {
            name: format!("fetch of {}{queue}", entity.as_str()),
            query: Query { entity, selection, property_id: None, room_type_id: None, cursor: None },
            whole: answers(samples).find(|(sample, _)| *sample == entity).map(|(_, answer)| answer),
        });
    }
    if targets.is_empty() {
        targets.extend(answers(samples).map(|(entity, answer)| Target::Fetch {
            name: format!("fetch of {}", entity.as_str()),
            query: harness.query(&FetchSpec { entity, query: None }),
            whole: Some(answer),
        }));
    }
    targets
}

/// Returns the successful responses among the samples.
fn answers(samples: &Samples) -> impl Iterator<Item = (Entity, HttpResponse)> {
    samples.all.iter().filter(|sample| sample.is_good()).filter_map(|Sample { payload, kind, .. }| match kind {
        SampleKind::Answer { asked, status, headers, .. } => {
            let (headers, body) = (headers.clone(), payload.bytes.clone());
            Some((asked.entity, HttpResponse { status: *status, headers, body }))
        }
        SampleKind::Call { .. } => None,
    })
}

fn writes(harness: &Harness, samples: &Samples, decoded_samples: &[DecodedSample<'_>]) -> Vec<Target> {
    let exported = |interface| harness.plugin.exports().contains(&interface);
    let decoded = || decoded_samples.iter().filter_map(DecodedSample::decoded);
    let known = generated::SampleIds::of(decoded());
    let pushes = &samples.pushes;
    let mut targets = Vec::new();
    let mut write = |name, items| targets.push(Target::Write { name, items });
    if exported(Interface::PushCalendar) {
        write("push of nights", PushItems::Calendar(generated::calendar(&pushes.calendar, &known, harness.now())));
    }
    if exported(Interface::PushReservations) {
        let items = generated::reservations(&pushes.reservations, &known, harness.now());
        write("push of reservations", PushItems::Reservations(items));
    }
    if exported(Interface::PushContent) {
        write("push of content", PushItems::Content(generated::content(&pushes.content, &known)));
    }
    let acknowledgements = generated::acknowledgements(decoded(), harness.now());
    if exported(Interface::Acknowledgements) && !acknowledgements.is_empty() {
        write("acknowledgements", PushItems::Acknowledgements(acknowledgements));
    }
    targets
}

/// Returns `None` if the plugin did not call the channel.
async fn meet(
    harness: &Harness,
    fault_case: &FaultCase,
    target: &Target,
    (how, answer): (&str, StubAnswer),
) -> Option<Result<(), Failure>> {
    let sent = format!("{}, answered with {how}", target.name());
    let channel = ChannelStub::always(answer);
    let (good, came_back, expected) = match target {
        Target::Fetch { query, .. } => {
            let variation = (CallVariation::default(), CallPurpose::Ordinary);
            let finished = harness.fetch(target.name(), query.clone(), channel, variation).await;
            if finished.record.requests.is_empty() && finished.result.is_ok() {
                return None;
            }
            let good = finished.result.as_ref().is_err_and(|error| fault_case.allows_error(error));
            (good, describe::came_back(&finished), fault_case.expected(&[]))
        }
        Target::Write { items, .. } => {
            let finished = harness.write(target.name(), items.clone(), channel).await;
            if finished.record.requests.is_empty() && finished.result.is_ok() {
                return None;
            }
            let good = match &finished.result {
                Ok(outcomes) => outcomes.iter().all(|outcome| fault_case.allows_outcome(outcome)),
                Err(error) => fault_case.allows_error(error),
            };
            (good, describe::outcomes(&finished), fault_case.expected(fault_case.outcomes))
        }
    };
    Some(if good { Ok(()) } else { Err(Failure::new(sent, came_back, expected)) })
}
