//! The conformance report, as JSON and as text.

use serde::{Serialize, Serializer};

/// Maximum failures and warnings reported in full per check.
const MAX_REPORTED: usize = 3;

/// Result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    /// Every case passed.
    Passed,
    /// At least one case failed.
    Failed,
    /// No case failed, but time ran out before all were tried.
    Unfinished,
    /// There were no cases.
    NotApplicable,
}

/// A failed case, with enough detail to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The call and its input.
    pub sent: String,
    /// What the plugin returned.
    pub came_back: String,
    /// What was expected.
    pub expected: String,
}

/// A check with its cases. A check without cases does not pass.
#[derive(Debug, Clone)]
pub struct Check {
    /// Stable name.
    pub name: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// Number of cases run.
    pub cases: usize,
    /// The first failures.
    pub failures: Vec<Failure>,
    /// Number of further failures.
    pub more_failures: usize,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Notes.
    pub notes: Vec<String>,
    /// Number of cases skipped for lack of time.
    pub not_begun: usize,
    /// Why there were no cases.
    pub reason: Option<String>,
}

impl Check {
    pub(super) fn new(name: &'static str, question: &'static str) -> Self {
        Self {
            name,
            question,
            cases: 0,
            failures: Vec::new(),
            more_failures: 0,
            warnings: Vec::new(),
            notes: Vec::new(),
            not_begun: 0,
            reason: None,
        }
    }

    /// The result.
    pub fn verdict(&self) -> CheckVerdict {
        match (self.failures.is_empty(), self.cases) {
            (false, _) => CheckVerdict::Failed,
            _ if self.not_begun > 0 => CheckVerdict::Unfinished,
            (true, 0) => CheckVerdict::NotApplicable,
            (true, _) => CheckVerdict::Passed,
        }
    }

    /// Records a case.
    pub(super) fn case(&mut self, outcome: Result<(), Failure>) {
        self.cases += 1;
        match outcome {
            Ok(()) => {}
            Err(failure) if self.failures.len() < MAX_REPORTED => self.failures.push(failure),
            Err(_) => self.more_failures += 1,
        }
    }

    /// Records a case from a condition.
    pub(super) fn expect(&mut self, good: bool, (sent, came_back, expected): (&str, &str, &str)) {
        self.case(if good { Ok(()) } else { Err(Failure::new(sent, came_back, expected)) });
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if self.warnings.len() < MAX_REPORTED && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Marks the check as not applicable, if it has no cases.
    pub(super) fn nothing(mut self, reason: &str) -> Self {
        if self.cases == 0 {
            self.reason = Some(if self.not_begun > 0 { "out of time" } else { reason }.to_owned());
        }
        self
    }
}

impl Failure {
    pub(super) fn new(sent: impl Into<String>, came_back: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { sent: sent.into(), came_back: came_back.into(), expected: expected.into() }
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            name: &'a str,
            question: &'a str,
            verdict: CheckVerdict,
            cases: usize,
            failures: &'a [Failure],
            more_failures: usize,
            warnings: &'a [String],
            notes: &'a [String],
            not_begun: usize,
            reason: &'a Option<String>,
        }
        Shown {
            name: self.name,
            question: self.question,
            verdict: self.verdict(),
            cases: self.cases,
            failures: &self.failures,
            more_failures: self.more_failures,
            warnings: &self.warnings,
            notes: &self.notes,
            not_begun: self.not_begun,
            reason: &self.reason,
        }
        .serialize(serializer)
    }
}

/// Usage of one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Name of the limit.
    pub name: &'static str,
    /// Amount used.
    pub used: u64,
    /// The limit.
    pub limit: u64,
    /// Unit of both.
    pub unit: &'static str,
}

/// Usage of one sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The sample.
    pub sample: String,
    /// Usage per limit.
    pub figures: Vec<Figure>,
}

/// The plugin under test, as far as it could be loaded.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Identity {
    /// File name without extension.
    pub name: String,
    /// File size.
    pub bytes: usize,
    /// Plugin version.
    pub version: Option<String>,
    /// Contract version.
    pub contract: Option<String>,
    /// SHA-256 of the file, in hex.
    pub hash: Option<String>,
}

/// The complete report.
#[derive(Debug, Clone, Serialize)]
pub struct ConformanceReport {
    /// The plugin.
    pub plugin: Identity,
    /// Checks, in order.
    pub checks: Vec<Check>,
    /// Limit usage per sample.
    pub usage: Vec<Usage>,
    /// Number of plugin calls.
    pub calls: u32,
    /// Duration in milliseconds, excluding compilation.
    pub millis: u64,
}

impl ConformanceReport {
    /// True if all checks completed without failures.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict(), CheckVerdict::Failed | CheckVerdict::Unfinished))
    }

    /// Names of the checks with this result.
    pub fn named(&self, verdict: CheckVerdict) -> Vec<&'static str> {
        self.checks.iter().filter(|check| check.verdict() == verdict).map(|check| check.name).collect()
    }
}
