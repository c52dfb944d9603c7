//! What the kit found, for programs as JSON and for people as text.

use serde::{Serialize, Serializer};

/// Most failures and warnings of one check that are told in full.
const MAX_REPORTED: usize = 3;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    /// Every case went as it should.
    Passed,
    /// At least one did not.
    Failed,
    /// None that was tried went wrong, and the time was up before all were.
    Unfinished,
    /// There was nothing to look at.
    NotApplicable,
}

/// A case that did not go as it should, told so that it can be mended without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What was called, with what.
    pub sent: String,
    /// What the plugin made of it.
    pub came_back: String,
    /// What it should have made of it.
    pub expected: String,
}

/// One question, and how the plugin stood it. Its verdict follows from its cases: one without any cannot pass.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, which stays the same from version to version.
    pub name: &'static str,
    /// What it asks.
    pub question: &'static str,
    /// How many cases were tried.
    pub cases: usize,
    /// What went wrong: the first few.
    pub failures: Vec<Failure>,
    /// How many more went wrong.
    pub more_failures: usize,
    /// What is no failure and should be looked at.
    pub warnings: Vec<String>,
    /// What was found, where that is worth telling.
    pub notes: Vec<String>,
    /// How many cases were not begun, because the time was up.
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

    /// How it ended.
    pub fn verdict(&self) -> CheckVerdict {
        match (self.failures.is_empty(), self.cases) {
            (false, _) => CheckVerdict::Failed,
            _ if self.not_begun > 0 => CheckVerdict::Unfinished,
            (true, 0) => CheckVerdict::NotApplicable,
            (true, _) => CheckVerdict::Passed,
        }
    }

    /// A case, which may have gone wrong.
    pub(super) fn case(&mut self, outcome: Result<(), Failure>) {
        self.cases += 1;
        match outcome {
            Ok(()) => {}
            Err(failure) if self.failures.len() < MAX_REPORTED => self.failures.push(failure),
            Err(_) => self.more_failures += 1,
        }
    }

    /// A case that reads something and finds it good or not.
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

    /// There is nothing to look at, for this reason; without effect where there was.
    pub(super) fn nothing(mut self, reason: &str) -> Self {
        if self.cases == 0 {
            self.reason = Some(if self.not_begun > 0 { "the time was up" } else { reason }.to_owned());
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

/// What was used of one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The limit's name.
    pub name: &'static str,
    /// What was used.
    pub used: u64,
    /// What there is.
    pub limit: u64,
    /// What both are counted in.
    pub unit: &'static str,
}

/// What one sample's call used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The sample.
    pub sample: String,
    /// Limit by limit.
    pub figures: Vec<Figure>,
}

/// The plugin that was looked at, as far as it could be loaded.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Identity {
    /// The file's name without its ending.
    pub name: String,
    /// The file's size.
    pub bytes: usize,
    /// Its version, by its manifest.
    pub version: Option<String>,
    /// The contract it speaks.
    pub contract: Option<String>,
    /// SHA-256 of the file, in hex.
    pub hash: Option<String>,
}

/// All that was found.
#[derive(Debug, Clone, Serialize)]
pub struct ConformanceReport {
    /// Of which plugin.
    pub plugin: Identity,
    /// In the order they were made.
    pub checks: Vec<Check>,
    /// What the samples used.
    pub usage: Vec<Usage>,
    /// Calls of the plugin.
    pub calls: u32,
    /// What all of it took, compiling left out, in milliseconds.
    pub millis: u64,
}

impl ConformanceReport {
    /// Whether nothing failed, and everything was tried.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict(), CheckVerdict::Failed | CheckVerdict::Unfinished))
    }

    /// Names of the checks that ended so.
    pub fn named(&self, verdict: CheckVerdict) -> Vec<&'static str> {
        self.checks.iter().filter(|check| check.verdict() == verdict).map(|check| check.name).collect()
    }
}
