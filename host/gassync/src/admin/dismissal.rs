//! Who lets something go that waits for a person, and why.

use serde::{Deserialize, Serialize};

use crate::{http::ApiError, inbound::decide::DecidedBy};

/// Who says that something needs nothing more, and why.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// Who decides.
    pub by: String,
    /// Why; kept in the sync log, so no guest data.
    pub why: String,
}

impl Dismissal {
    /// As the sync log keeps it, or what is wrong with it.
    pub(super) fn checked(&self) -> Result<String, ApiError> {
        DecidedBy { who: &self.by, why: &self.why }.check()?;
        Ok(format!("by {}: {}", self.by.trim(), self.why.trim()))
    }
}
