//! Dismissal of something that waits for a person: who and why.

use serde::{Deserialize, Serialize};

use crate::{http::ApiError, inbound::decide::DecidedBy};

/// Who dismisses, and why.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// Who decides.
    pub by: String,
    /// Why; kept in the sync log, so no guest data.
    pub why: String,
}

impl Dismissal {
    /// The text for the sync log, or the validation error.
    pub(super) fn checked(&self) -> Result<String, ApiError> {
        DecidedBy { who: &self.by, why: &self.why }.check()?;
        Ok(format!("by {}: {}", self.by.trim(), self.why.trim()))
    }
}
