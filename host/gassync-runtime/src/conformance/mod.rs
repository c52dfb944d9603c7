//! `gassync plugin check`: what a plugin must stand before it may serve, tried with the engine, the sandbox, the budgets
//! and the gate that it will serve in.
//!
//! [`check`] loads a component, runs a partner's [`Samples`] through it in good weather and bad, and gives a [`ConformanceReport`]
//! of named checks. It needs no database and no network: the channel is played by files. What is tried is bounded:
//! 40 samples, [`MAX_CASES`] alterations of them in a check, and [`MAX_TIME`] in all, after which no case is begun.

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

/// Most alterations of samples that one check tries; of more, a part is chosen that is spread evenly.
pub const MAX_CASES: usize = 1_000;
/// When the last case is begun, compiling left out.
pub const MAX_TIME: Duration = Duration::from_secs(60);

/// What is to be looked at.
pub struct CheckSubject {
    /// The file's name without its ending, which is the channel's.
    pub name: String,
    /// The file.
    pub wasm: Vec<u8>,
    /// What its channel sends and answers.
    pub samples: Samples,
    /// What time it is for the plugin.
    pub now: Timestamp,
}

/// Makes all checks.
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
