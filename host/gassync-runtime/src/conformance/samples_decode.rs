//! Checks that samples cover what the plugin does, and that it decodes them: all other checks depend on this.

use gassync_domain::{ChangeKind, Entity};

use super::{
    behaviour::CallPurpose,
    channel_stub::ChannelStub,
    describe,
    harness::{CallVariation, Harness, SampleResult, ended_cleanly},
    report::{Check, Failure},
    samples::{ANSWERED, FetchSpec, Sample, SampleKind, Samples},
};
use crate::{Finished, Interface, RouteKind};

/// A sample that the plugin decoded, with its result.
pub(super) struct DecodedSample<'a> {
    pub sample: &'a Sample,
    pub finished: Finished<SampleResult>,
}

impl DecodedSample<'_> {
    /// The result; always present, because failed samples are not kept.
    pub fn decoded(&self) -> Option<&SampleResult> {
        self.finished.result.as_ref().ok()
    }
}

/// Runs every sample once; decoded samples go on to the other checks.
pub(super) async fn check<'a>(harness: &Harness, samples: &'a Samples) -> (Vec<Check>, Vec<DecodedSample<'a>>) {
    let mut decoded_samples = Vec::new();
    let mut check = Check::new("samples.understood", "Does it decode its own samples?");
    for sample in &samples.all {
        let finished = harness.run_sample(sample, CallVariation::default()).await;
        let failure =
            |expected: &str| Err(Failure::new(describe::sent(sample, ""), describe::came_back(&finished), expected));
        if let Some(problem) = unreachable(harness, sample) {
            check.case(Err(Failure::new(describe::sent(sample, ""), problem.0, problem.1)));
        } else if !sample.is_good() {
            let is_refusal = ended_cleanly(&finished) && finished.result.is_err();
            check.case(if is_refusal { Ok(()) } else { failure("an error of the channel's, as its status says") });
        } else {
            let is_read = finished.result.as_ref().is_ok_and(reads_all);
            check.case(if is_read { Ok(()) } else { failure("what the sample says, as changes") });
        }
        if let Ok(decoded) = &finished.result {
            if decoded.changes.is_empty() {
                check.warn(format!("{}: nothing comes of it, so little can be seen with it", sample.name));
            }
            decoded_samples.push(DecodedSample { sample, finished });
        }
    }
    (vec![present(harness, samples).await, check.nothing("there are no samples")], decoded_samples)
}

/// True if every record was decoded. An unreadable record does not affect others, but the plugin's own samples must all
/// be readable.
fn reads_all(decoded: &SampleResult) -> bool {
    !decoded.changes.iter().any(|change| matches!(change.data, ChangeKind::Unreadable(_)))
}

/// Why a running host would never pass a sample to the plugin.
fn unreachable(harness: &Harness, sample: &Sample) -> Option<(String, &'static str)> {
    let exported = |interface| harness.plugin.exports().contains(&interface);
    match &sample.kind {
        SampleKind::Call { .. } if !exported(Interface::Inbound) => {
            Some(("no export inbound".to_owned(), "an export inbound, or no samples of calls"))
        }
        SampleKind::Answer { .. } if !exported(Interface::Pull) => {
            Some(("no export pull".to_owned(), "an export pull, or no samples of answers"))
        }
        SampleKind::Call { request, .. } => {
            let path = request.url.split('?').next().unwrap_or_default();
            let served = harness.routes(request).any(|route| route.kind != RouteKind::Feed);
            (!served).then(|| {
                (format!("no route of the manifest takes {} {path}", request.method), "a route, or another call.json")
            })
        }
        SampleKind::Answer { .. } => None,
    }
}

/// Checks that there are samples, since without them the other checks have no cases.
async fn present(harness: &Harness, samples: &Samples) -> Check {
    let mut check = Check::new("samples.present", "Are there samples for everything it reads?");
    let exported = |interface| harness.plugin.exports().contains(&interface);
    if exported(Interface::Inbound) {
        let any = samples.all.iter().any(Sample::is_call);
        let expected = "samples/calls/NAME.json (or .xml, …): a call as the channel makes it";
        check.expect(any, ("samples/calls", "none", expected));
    }
    let answered = |entity: Entity| {
        let of = |sample: &Sample| matches!(&sample.kind, SampleKind::Answer { asked, .. } if asked.entity == entity);
        samples.all.iter().any(|sample| sample.is_good() && of(sample))
    };
    let mut polled: Vec<Entity> = harness.plugin.manifest().polls.iter().map(|poll| poll.entity).collect();
    polled.dedup();
    for entity in polled.into_iter().filter(|_| exported(Interface::Pull)) {
        let folder = folder(entity);
        let asks = async || {
            let query = harness.query(&FetchSpec { entity, query: None });
            let channel = ChannelStub::replaying(Vec::new());
            let finished = harness
                .fetch("a fetch without an answer", query, channel, (CallVariation::default(), CallPurpose::Ordinary))
                .await;
            !finished.record.requests.is_empty()
        };
        // A fetch that does not call the channel needs no sample response.
        let good = answered(entity) || !asks().await;
        let expected = format!("{folder}/NAME.json (or .xml, …): the channel's answer to a fetch");
        check.expect(good, (&folder, "none, and the manifest polls it", &expected));
    }
    check.nothing("it reads neither calls nor answers")
}

fn folder(entity: Entity) -> String {
    let named = ANSWERED.iter().find(|(_, answered)| *answered == entity);
    let name = named.map_or(entity.as_str(), |(name, _)| name);
    format!("samples/answers/{name}")
}
