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

/// Default clock of a check, fixed so that runs are reproducible.
const NOW: &str = "2027-01-15T12:00:00Z";

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Component file, named after its channel
    file: PathBuf,
    /// Samples folder; defaults to `samples` next to the component
    #[arg(long)]
    samples: Option<PathBuf>,
    /// Current time for the plugin
    #[arg(long, default_value = NOW)]
    now: Timestamp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    /// Prints the report. Exit code 1 if a check failed, 2 if the component or the samples cannot be read.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { file, samples, now, json } = self;
        let wasm = match fs::read(&file) {
            Ok(wasm) => wasm,
            Err(error) => return Ok(fail(USAGE, &format!("{} cannot be read: {error}", file.display()))),
        };
        if let Some(folder) = samples.as_deref().filter(|folder| !folder.is_dir()) {
            return Ok(fail(USAGE, &format!("{} is not a folder", folder.display())));
        }
        let folder = samples.unwrap_or_else(|| file.parent().unwrap_or(Path::new("")).join("samples"));
        let samples = match Samples::read(&folder) {
            Ok(samples) => samples,
            Err(error) => return Ok(fail(USAGE, &error.to_string())),
        };
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        say(&format!("Compiling {} and checking it with {}", file.display(), folder.display()));
        let engine = Engine::new(engine_settings())?;
        let report = conformance::check(&engine, CheckSubject { name, wasm, samples, now }).await;
        print(&if json { serde_json::to_string(&report)? } else { report.to_string() });
        Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }
}
