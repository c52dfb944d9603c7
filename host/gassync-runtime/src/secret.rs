use std::{fmt, time::Duration};

use async_trait::async_trait;

/// A secret text that is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why a placeholder could not be filled.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{slot}.{field}: {problem}")]
pub struct CredentialError {
    /// The slot of the placeholder.
    pub slot: String,
    /// The field of the placeholder.
    pub field: String,
    /// What is wrong, without the secret.
    pub problem: String,
}

impl CredentialError {
    /// Creates an error.
    pub fn new(slot: &str, field: &str, problem: impl Into<String>) -> Self {
        Self { slot: slot.to_owned(), field: field.to_owned(), problem: problem.into() }
    }
}

/// A source of secrets.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The current value of a field, refreshed if due.
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError>;

    /// Stores a captured secret with its lifetime, if known.
    async fn keep(
        &self,
        slot: &str,
        field: &str,
        secret: Secret,
        good_for: Option<Duration>,
    ) -> Result<(), CredentialError>;
}

/// No credentials.
#[derive(Debug, Clone, Copy)]
pub struct NoCredentials;

#[async_trait]
impl Credentials for NoCredentials {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        Err(CredentialError::new(slot, field, "no credentials available"))
    }

    async fn keep(&self, slot: &str, field: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
        Err(CredentialError::new(slot, field, "no credentials available"))
    }
}

/// Fills each placeholder with its own name, to show requests.
#[derive(Debug, Clone, Copy)]
pub struct PlaceholderCredentials;

#[async_trait]
impl Credentials for PlaceholderCredentials {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        Ok(Secret::new(format!("{{{slot}.{field}}}")))
    }

    async fn keep(&self, _: &str, _: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
        Ok(())
    }
}
