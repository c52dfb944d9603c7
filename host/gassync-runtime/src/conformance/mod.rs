//! `gassync plugin check`: the conformance suite for plugins. It uses the same engine, sandbox, limits and HTTP gate as
//! a running host.
//!
//! [`check`] loads a component, runs the partner's [`Samples`] through it, including failures, and returns a
//! [`ConformanceReport`] of named checks. It needs no database or network: responses come from files. It is bounded to
//! 40 samples, [`MAX_CASES`] alterations per check, and [`MAX_TIME`] in total, after which no new case starts.

mod behaviour;
mod change_results;
mod channel_stub;
mod connection_checks;
mod describe;
mod errors;
mod fault_cases;
mod feeds;
mod generated;
mod harness;
mod hostile;
mod idempotency;
mod limits;
mod loading;
mod manifest_checks;
mod payload;
mod reply_checks;
mod report;
mod report_text;
mod samples;
mod samples_decode;
mod secrets;
mod tolerance;

use std::time::Duration;

use gassync_domain::Timestamp;

pub use report::{Check, CheckVerdict, ConformanceReport, Failure, Figure, Identity, Usage};
pub use samples::{SampleError, Samples};

use self::harness::Harness;
use crate::{Engine, try_call::TryContext};

/// Maximum alterations per check; more are sampled evenly.
pub const MAX_CASES: usize = 1_000;
/// Time limit for starting cases, excluding compilation.
pub const MAX_TIME: Duration = Duration::from_secs(60);

/// The plugin under test.
pub struct CheckSubject {
    /// File name without extension, which must equal the channel id.
    pub name: String,
    /// Content of the file.
    pub wasm: Vec<u8>,
    /// Sample requests and responses of the channel.
    pub samples: Samples,
    /// Current time for the plugin.
    pub now: Timestamp,
}

/// Runs all checks.
pub async fn check(engine: &Engine, subject: CheckSubject) -> ConformanceReport {
    let (mut checks, plugin) = loading::checks(engine, &subject).await;
    let mut shown = Identity { name: subject.name.clone(), bytes: subject.wasm.len(), ..Default::default() };
    let Some(plugin) = plugin else {
        return ConformanceReport { plugin: shown, checks, usage: Vec::new(), calls: 0, millis: 0 };
    };
    shown.version = Some(plugin.manifest().version.clone());
    shown.contract = Some(plugin.manifest().contract.clone());
    shown.hash = Some(plugin.hash().to_owned());
    let CheckSubject { name, samples, now, .. } = subject;
    checks.extend(manifest_checks::checks(&name, &*plugin, &samples.settings));
    let (settings, core_data) = (samples.settings.clone(), samples.core_data.clone());
    let harness = Harness::new(plugin, TryContext { settings, now, seed: 0, core_data });
    let (of_samples, decoded_samples) = samples_decode::check(&harness, &samples).await;
    checks.extend(of_samples);
    let (of_limits, usage) = limits::check(&harness, &samples).await;
    checks.push(of_limits);
    checks.extend(idempotency::checks(&harness, &decoded_samples).await);
    checks.extend(tolerance::checks(&harness, &decoded_samples).await);
    checks.extend(errors::checks(&harness, &samples, &decoded_samples).await);
    checks.extend(reply_checks::checks(&harness, &decoded_samples).await);
    checks.extend(feeds::checks(&harness, &samples).await);
    checks.extend(connection_checks::checks(&harness, &samples).await);
    checks.extend(hostile::checks(&harness, &samples).await);
    let behaviour = std::mem::take(&mut *harness.behaviour());
    checks.extend(behaviour.checks());
    let millis = u64::try_from(harness.elapsed().as_millis()).unwrap_or(u64::MAX);
    ConformanceReport { plugin: shown, checks, usage, calls: harness.calls(), millis }
}
