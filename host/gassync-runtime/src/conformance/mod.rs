//! `gassync plugin check`: what a plugin must stand before it may serve, tried with the engine, the sandbox, the budgets
//! and the gate that it will serve in.
//!
//! [`check`] loads a component, runs a partner's [`Samples`] through it in good weather and bad, and gives a [`Report`]
//! of named checks. It needs no database and no network: the channel is played by files. What is tried is bounded:
//! 40 samples, [`MAX_CASES`] alterations of them in a check, and [`MAX_TIME`] in all, after which no case is begun.

mod agreement;
mod answering;
mod change_results;
mod connecting;
mod errors;
mod feeds;
mod hostile;
mod limits;
mod loading;
mod made_up;
mod manners;
mod payload;
mod printed;
mod repeats;
mod report;
mod samples;
mod secrets;
mod situations;
mod stand;
mod tolerance;
mod understood;
mod wire;
mod wording;

use std::time::Duration;

use gassync_domain::Timestamp;

pub use report::{Check, Failure, Figure, Identity, Report, Usage, Verdict};
pub use samples::{SampleError, Samples};

use self::stand::Stand;
use crate::{Engine, trial::Conditions};

/// Most alterations of samples that one check tries; of more, a part is chosen that is spread evenly.
pub const MAX_CASES: usize = 1_000;
/// When the last case is begun, compiling left out.
pub const MAX_TIME: Duration = Duration::from_secs(60);

/// What is to be looked at.
pub struct Subject {
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
pub async fn check(engine: &Engine, subject: Subject) -> Report {
    let (mut checks, plugin) = loading::checks(engine, &subject).await;
    let mut shown = Identity { name: subject.name.clone(), bytes: subject.wasm.len(), ..Default::default() };
    let Some(plugin) = plugin else {
        return Report { plugin: shown, checks, usage: Vec::new(), calls: 0, millis: 0 };
    };
    shown.version = Some(plugin.manifest().version.clone());
    shown.contract = Some(plugin.manifest().contract.clone());
    shown.hash = Some(plugin.hash().to_owned());
    let Subject { name, samples, now, .. } = subject;
    checks.extend(agreement::checks(&name, &*plugin, &samples.settings));
    let (settings, core_data) = (samples.settings.clone(), samples.core_data.clone());
    let stand = Stand::new(plugin, Conditions { settings, now, seed: 0, core_data });
    let (of_samples, understood) = understood::check(&stand, &samples).await;
    checks.extend(of_samples);
    let (of_limits, usage) = limits::check(&stand, &samples).await;
    checks.push(of_limits);
    checks.extend(repeats::checks(&stand, &understood).await);
    checks.extend(tolerance::checks(&stand, &understood).await);
    checks.extend(errors::checks(&stand, &samples, &understood).await);
    checks.extend(answering::checks(&stand, &understood).await);
    checks.extend(feeds::checks(&stand, &samples).await);
    checks.extend(connecting::checks(&stand, &samples).await);
    checks.extend(hostile::checks(&stand, &samples).await);
    let manners = std::mem::take(&mut *stand.manners());
    checks.extend(manners.checks());
    let millis = u64::try_from(stand.taken().as_millis()).unwrap_or(u64::MAX);
    Report { plugin: shown, checks, usage, calls: stand.calls(), millis }
}
