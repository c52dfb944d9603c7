use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use gassync_domain::Timestamp;
use gassync_runtime::{
    Engine,
    conformance::{self, CheckSubject, Samples},
};

use super::{FAILED, USAGE, fail, plugin_try::engine_settings, print, say};

/// What time it is for the plugin where nobody says: the same for everybody, so that two runs see the same.
const NOW: &str = "2027-01-15T12:00:00Z";

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A component, called as its channel is
    file: PathBuf,
    /// What its channel sends and answers; `samples` beside the component unless said otherwise
    #[arg(long)]
    samples: Option<PathBuf>,
    /// What time it is for the plugin
    #[arg(long, default_value = NOW)]
    now: Timestamp,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    /// The report on stdout. Status 1 where a check failed, 2 where file or samples cannot be read.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { file, samples, now, json } = self;
        let wasm = match fs::read(&file) {
            Ok(wasm) => wasm,
            Err(error) => return Ok(fail(USAGE, &format!("{} cannot be read: {error}", file.display()))),
        };
        if let Some(folder) = samples.as_deref().filter(|folder| !folder.is_dir()) {
            return Ok(fail(USAGE, &format!("there is no folder {}", folder.display())));
        }
        let folder = samples.unwrap_or_else(|| file.parent().unwrap_or(Path::new("")).join("samples"));
        let samples = match Samples::read(&folder) {
            Ok(samples) => samples,
            Err(error) => return Ok(fail(USAGE, &error.to_string())),
        };
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        say(&format!("Compiling {}, and checking it with {}", file.display(), folder.display()));
        let engine = Engine::new(engine_settings())?;
        let report = conformance::check(&engine, CheckSubject { name, wasm, samples, now }).await;
        print(&if json { serde_json::to_string(&report)? } else { report.to_string() });
        Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }
}
