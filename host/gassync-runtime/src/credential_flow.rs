//! Credential flows as data: the manifest declares the requests that obtain or renew tokens, and the host makes them.
//! No guest code runs, so guests never see the tokens.

use std::time::Duration;

use async_trait::async_trait;
use gassync_domain::{HttpResponse, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use crate::{
    Authorize, CredentialError, Credentials, Denial, Grant, OutgoingRequest, Secret, SendError, Step, StepRequest,
    Transport, manifest::NO_SLOTS, placeholder,
};

/// Values captured by a step.
#[derive(Debug)]
pub struct Captured {
    /// Name, value and expiry of each field.
    pub fields: Vec<(String, Secret, Option<Timestamp>)>,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The manifest's address is unusable.
    #[error("a step of the manifest has an invalid URL")]
    Address,
    /// The address is not granted.
    #[error("a step of the manifest is denied: {0}")]
    Denied(#[from] Denial),
    /// The secrets of this slot may not be sent to this address.
    #[error("a step of the manifest may not send secrets of {0} to this host")]
    Slot(String),
    /// A placeholder has no value.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The channel was unreachable.
    #[error("cannot reach the channel: {0}")]
    Send(#[from] SendError),
    /// The channel refused the credentials; they no longer work.
    #[error("the channel refused the credential with status {0}")]
    Refused(u16),
    /// The channel returned another status.
    #[error("the channel responded with status {0}")]
    Status(u16),
    /// The response has no token at the manifest's pointer.
    #[error("the channel's response has no value at {0}")]
    Missing(String),
}

/// Resolves the reserved slot `setting` from the settings.
struct KnownFields<'a> {
    settings: &'a Value,
    secrets: &'a dyn Credentials,
}

#[async_trait]
impl Credentials for KnownFields<'_> {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        if slot != "setting" {
            return self.secrets.field(slot, field).await;
        }
        let value = self.settings.get(field).and_then(Value::as_str);
        value.map(Secret::new).ok_or_else(|| CredentialError::new(slot, field, "there is no such setting"))
    }

    async fn keep(
        &self,
        slot: &str,
        field: &str,
        secret: Secret,
        good_for: Option<Duration>,
    ) -> Result<(), CredentialError> {
        self.secrets.keep(slot, field, secret, good_for).await
    }
}

impl Step {
    /// Slots and fields sent by the step's request.
    pub fn sends(&self) -> impl Iterator<Item = (&str, &str)> {
        let StepRequest { url, headers, body, .. } = &self.request;
        let texts = [url].into_iter().chain(headers.values()).chain(body);
        texts.flat_map(|text| placeholder::names(text)).filter(|(slot, _)| !NO_SLOTS.contains(slot))
    }
}

/// True if a person entered the field of a slot.
pub type UserInput<'a> = dyn Fn(&str, &str) -> bool + Sync + 'a;

/// The consent URL for the browser, filled. Its host must be granted, and it may contain only secrets that a person
/// entered (`is_user_input`) and that may be sent there.
pub async fn consent_url(
    authorize: &Authorize,
    settings: &Value,
    secrets: &dyn Credentials,
    (grant, is_user_input): (&Grant, &UserInput<'_>),
    (redirect_uri, state): (&str, &str),
) -> Result<Url, StepError> {
    let fields = KnownFields { settings, secrets };
    let mut url: Url =
        placeholder::fill(&authorize.url, &fields).await?.parse().map_err(|_: url::ParseError| StepError::Address)?;
    grant.judge("GET", &url)?;
    let texts = [&authorize.url].into_iter().chain(authorize.parameters.values());
    let named = texts.flat_map(|text| placeholder::names(text)).filter(|(slot, _)| *slot != "setting");
    for (slot, field) in named {
        if !is_user_input(slot, field) || !grant.allows_slot(slot, "GET", &url) {
            return Err(StepError::Slot(slot.to_owned()));
        }
    }
    for (name, value) in &authorize.parameters {
        let value = placeholder::fill(value, &fields).await?;
        url.query_pairs_mut().append_pair(name, &value);
    }
    let ours = [("response_type", "code"), ("redirect_uri", redirect_uri), ("state", state)];
    url.query_pairs_mut().extend_pairs(ours);
    Ok(url)
}

/// Runs the request of a step and captures its values.
pub async fn run_step(
    step: &Step,
    settings: &Value,
    secrets: &dyn Credentials,
    (grant, transport): (&Grant, &dyn Transport),
    now: Timestamp,
) -> Result<Captured, StepError> {
    let fields = KnownFields { settings, secrets };
    let url: Url = placeholder::fill(&step.request.url, &fields)
        .await?
        .parse()
        .map_err(|_: url::ParseError| StepError::Address)?;
    grant.judge(&step.request.method, &url)?;
    if let Some((slot, _)) = step.sends().find(|(slot, _)| !grant.allows_slot(slot, &step.request.method, &url)) {
        return Err(StepError::Slot(slot.to_owned()));
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
    let request = OutgoingRequest {
        method: step.request.method.clone(),
        url,
        shown: step.request.url.clone(),
        headers,
        body,
        may_be_private,
    };
    let answer = transport.send(request).await?;
    match answer.status {
        200..=299 => capture(step, &answer, now),
        400 | 401 | 403 => Err(StepError::Refused(answer.status)),
        status => Err(StepError::Status(status)),
    }
}

fn capture(step: &Step, answer: &HttpResponse, now: Timestamp) -> Result<Captured, StepError> {
    if step.captures.is_empty() {
        return Ok(Captured { fields: Vec::new() });
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| StepError::Missing("/".to_owned()))?;
    let end = end(step, &body, now);
    let mut fields = Vec::with_capacity(step.captures.len());
    for capture in &step.captures {
        match body.pointer(&capture.pointer).and_then(Value::as_str) {
            Some(text) => fields.push((capture.field.clone(), Secret::new(text), end.filter(|_| !capture.lasting))),
            None if capture.optional => {}
            None => return Err(StepError::Missing(capture.pointer.clone())),
        }
    }
    Ok(Captured { fields })
}

/// Expiry of the captured values, from the response or else from the manifest.
fn end(step: &Step, body: &Value, now: Timestamp) -> Option<Timestamp> {
    let said = |pointer: &Option<String>| pointer.as_ref().and_then(|pointer| body.pointer(pointer));
    // Seconds may be numbers or strings.
    let seconds = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    if let Some(value) = said(&step.expires_at) {
        return match seconds(value) {
            Some(seconds) => Timestamp::from_second(seconds).ok(),
            None => value.as_str()?.parse().ok(),
        };
    }
    let lifetime = step.lifetime_seconds.map(i64::from);
    let seconds = said(&step.expires_in).and_then(seconds).or(lifetime)?;
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(step: &str, body: &str) -> Vec<(String, Option<String>)> {
        let step: Step = serde_json::from_str(step).expect("a step");
        let answer = HttpResponse { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let captured = capture(&step, &answer, Timestamp::UNIX_EPOCH).expect("captured");
        captured.fields.into_iter().map(|(field, _, end)| (field, end.map(|end| end.to_string()))).collect()
    }

    #[test]
    fn expiry_is_read_in_all_forms() {
        let step = |rest: &str| {
            format!(
                r#"{{"request":{{"method":"GET","url":"https://x"}},"captures":[{{"field":"token","pointer":"/t"}},
                    {{"field":"refresh","pointer":"/r","optional":true,"lasting":true}}]{rest}}}"#
            )
        };
        let end = |rest, body| captured(&step(rest), body)[0].1.clone();
        assert_eq!(end(r#","expiresIn":"/in""#, r#"{"t":"a","in":60}"#).as_deref(), Some("1970-01-01T00:01:00Z"));
        assert_eq!(end(r#","expiresIn":"/in""#, r#"{"t":"a","in":"60"}"#).as_deref(), Some("1970-01-01T00:01:00Z"));
        assert_eq!(end(r#","expiresAt":"/at""#, r#"{"t":"a","at":86400}"#).as_deref(), Some("1970-01-02T00:00:00Z"));
        let text = r#"{"t":"a","at":"2027-01-01T00:00:00Z"}"#;
        assert_eq!(end(r#","expiresAt":"/at""#, text).as_deref(), Some("2027-01-01T00:00:00Z"));
        assert_eq!(end(r#","lifetimeSeconds":3600"#, r#"{"t":"a"}"#).as_deref(), Some("1970-01-01T01:00:00Z"));
        assert_eq!(end("", r#"{"t":"a"}"#), None);
        let both = captured(&step(r#","lifetimeSeconds":3600"#), r#"{"t":"a","r":"b"}"#);
        assert_eq!(both[1], ("refresh".to_owned(), None), "the expiry is not the refresh token's");
    }
}
