//! Who lets something go that waits for a person, and why.

use gassync_domain::FieldError;
use serde::{Deserialize, Serialize};

use crate::api::Problem;

/// Who says that something needs nothing more, and why.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// Who decides, 1 to 255 characters.
    pub by: String,
    /// Why, 1 to 1,000 characters; kept in the sync log, so no guest data.
    pub why: String,
}

impl Dismissal {
    /// The most characters of `by`.
    const MAX_BY_CHARS: usize = 255;
    /// The most characters of `why`.
    const MAX_WHY_CHARS: usize = 1_000;

    /// As the sync log keeps it, or what is wrong with it.
    pub(super) fn checked(&self) -> Result<String, Problem> {
        let fields = [("/by", &self.by, Self::MAX_BY_CHARS), ("/why", &self.why, Self::MAX_WHY_CHARS)];
        let errors = fields.into_iter().filter_map(|(path, text, limit)| {
            let chars = text.chars().count();
            let problem = match text.trim() {
                "" => "must not be empty".to_owned(),
                _ if chars > limit => format!("has {chars} characters; the limit is {limit}"),
                _ => return None,
            };
            Some(FieldError { path: path.to_owned(), problem })
        });
        let errors: Vec<FieldError> = errors.collect();
        if errors.is_empty() { Ok(format!("by {}: {}", self.by, self.why)) } else { Err(Problem::Invalid(errors)) }
    }
}
