//! A credential's life as data: the manifest says which request gets or renews tokens, and the host makes it. No guest
//! code runs, so no guest ever holds what comes of it.

use async_trait::async_trait;
use gassync_domain::{HttpResponse, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use crate::{CredentialError, Credentials, Grant, OutgoingRequest, Secret, SendError, Step, Transport, placeholder};

/// What a step brought.
#[derive(Debug)]
pub struct Captured {
    /// Names and values.
    pub fields: Vec<(String, Secret)>,
    /// Until when they are good.
    pub expires_at: Option<Timestamp>,
}

/// Why a step brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The manifest's address cannot be used.
    #[error("the manifest's step goes to no address that is granted")]
    Address,
    /// A placeholder stays empty.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The channel was not reached.
    #[error("the channel was not reached: {0}")]
    Send(#[from] SendError),
    /// The channel refused; the secret does not work any more.
    #[error("the channel refused the credential with status {0}")]
    Refused(u16),
    /// The channel answered otherwise.
    #[error("the channel answered status {0}")]
    Status(u16),
    /// A token is not where the manifest says.
    #[error("the channel's answer has nothing at {0}")]
    Missing(String),
}

/// Settings stand in for the slot named `setting`.
struct WithSettings<'a> {
    settings: &'a Value,
    secrets: &'a dyn Credentials,
}

#[async_trait]
impl Credentials for WithSettings<'_> {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        if slot != "setting" {
            return self.secrets.field(slot, field).await;
        }
        let value = self.settings.get(field).and_then(Value::as_str);
        value.map(Secret::new).ok_or_else(|| CredentialError::new(slot, field, "there is no such setting"))
    }

    async fn keep(&self, slot: &str, field: &str, secret: Secret) -> Result<(), CredentialError> {
        self.secrets.keep(slot, field, secret).await
    }
}

/// Makes a step's request and takes its captures.
pub async fn run_step(
    step: &Step,
    settings: &Value,
    secrets: &dyn Credentials,
    (grant, transport): (&Grant, &dyn Transport),
    now: Timestamp,
) -> Result<Captured, StepError> {
    let fields = WithSettings { settings, secrets };
    let url: Url = placeholder::fill(&step.request.url, &fields)
        .await?
        .parse()
        .map_err(|_: url::ParseError| StepError::Address)?;
    if !grant.allows(&url) {
        return Err(StepError::Address);
    }
    let mut headers = Vec::with_capacity(step.request.headers.len());
    for (name, value) in &step.request.headers {
        headers.push((name.clone(), placeholder::fill(value, &fields).await?));
    }
    let body = match &step.request.body {
        Some(body) => Some(placeholder::fill(body, &fields).await?.into_bytes()),
        None => None,
    };
    let may_be_private = grant.allows_private(&url);
    let request = OutgoingRequest { method: step.request.method.clone(), url, headers, body, may_be_private };
    let answer = transport.send(request).await?;
    match answer.status {
        200..=299 => capture(step, &answer, now),
        400 | 401 | 403 => Err(StepError::Refused(answer.status)),
        status => Err(StepError::Status(status)),
    }
}

fn capture(step: &Step, answer: &HttpResponse, now: Timestamp) -> Result<Captured, StepError> {
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| StepError::Missing("/".to_owned()))?;
    let mut fields = Vec::with_capacity(step.captures.len());
    for capture in &step.captures {
        match body.pointer(&capture.pointer).and_then(Value::as_str) {
            Some(text) => fields.push((capture.field.clone(), Secret::new(text))),
            None if capture.optional => {}
            None => return Err(StepError::Missing(capture.pointer.clone())),
        }
    }
    let seconds = step.expires_in.as_ref().and_then(|pointer| body.pointer(pointer)).and_then(Value::as_i64);
    let expires_at = seconds.and_then(|s| now.checked_add(SignedDuration::from_secs(s)).ok());
    Ok(Captured { fields, expires_at })
}
