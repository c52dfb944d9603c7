use std::{
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;

use super::{FAILED, USAGE, fail, say, system_clock};
use gassync::webhooks::{VerifyError, verify};

/// Largest body or secret, in bytes.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

#[derive(Debug, Args)]
pub struct Verify {
    /// Secret (whsec_…) or public key (whpk_…)
    #[arg(long, required_unless_present = "secret_file", conflicts_with = "secret_file")]
    secret: Option<String>,
    /// File with the secret, which keeps it out of the process list; - for stdin
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// Value of the webhook-id header
    #[arg(long)]
    id: String,
    /// Value of the webhook-timestamp header
    #[arg(long, allow_hyphen_values = true)]
    timestamp: String,
    /// Value of the webhook-signature header
    #[arg(long)]
    signature: String,
    /// File with the exact body; - for stdin
    #[arg(long)]
    body: PathBuf,
}

impl Verify {
    /// Verifies offline. Exit code 1 for an invalid message, 2 for an invalid key or an unreadable file.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let is_stdin = |path: &Path| path.as_os_str() == "-";
        if is_stdin(&self.body) && self.secret_file.as_deref().is_some_and(is_stdin) {
            return Ok(fail(USAGE, "stdin cannot be both the body and the secret"));
        }
        let secret = match read_secret(self.secret, self.secret_file.as_deref()) {
            Ok(secret) => secret.unwrap_or_default(),
            Err(error) => return Ok(fail(USAGE, &format!("{error:#}"))),
        };
        let body = match read(&self.body) {
            Ok(body) => body,
            Err(error) => return Ok(fail(USAGE, &format!("{error:#}"))),
        };
        let headers = (self.id.as_str(), self.timestamp.as_str(), self.signature.as_str());
        match verify(&secret, headers, &body, system_clock()()) {
            Ok(()) => {
                say("The signature is valid.");
                Ok(ExitCode::SUCCESS)
            }
            Err(error @ VerifyError::Key(_)) => Ok(fail(USAGE, &error.to_string())),
            Err(error @ VerifyError::Message(_)) => Ok(fail(FAILED, &error.to_string())),
        }
    }
}

/// The secret from the argument or the file.
pub fn read_secret(said: Option<String>, file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(file) = file else { return Ok(said) };
    let text = String::from_utf8(read(file)?).with_context(|| format!("{} is not UTF-8 text", file.display()))?;
    Ok(Some(text.trim().to_owned()))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}
