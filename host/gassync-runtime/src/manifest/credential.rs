use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A set of secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSlot {
    /// The first part of a placeholder.
    pub slot: String,
    /// For people.
    #[serde(default)]
    pub label: String,
    /// How it comes to life.
    pub kind: SlotKind,
    /// Where its secrets may be sent, in the form of the manifest's `hosts`; none means wherever the plugin may go.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What a person types in.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// Where a browser is sent for consent.
    pub authorize: Option<Authorize>,
    /// How inputs become tokens.
    pub setup: Option<Step>,
    /// How tokens become new ones.
    pub refresh: Option<Step>,
    /// How the channel is told to forget them.
    pub revoke: Option<Step>,
    /// How long before its end a token is refreshed, in seconds.
    #[serde(default)]
    pub refresh_before_seconds: u32,
    /// After how many days without use the channel forgets us.
    pub idle_days: Option<u32>,
}

impl CredentialSlot {
    /// What makes new tokens when those that are stored end. An application's own are made as at first.
    pub fn renewal(&self) -> Option<&Step> {
        match self.kind {
            SlotKind::Oauth2Client => self.setup.as_ref(),
            _ => self.refresh.as_ref(),
        }
    }

    /// Whether a step of it brings this field.
    pub fn brings(&self, field: &str) -> bool {
        let steps = self.setup.iter().chain(&self.refresh);
        steps.flat_map(|step| &step.captures).any(|capture| capture.field == field)
    }
}

/// How a slot comes to life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotKind {
    /// Fields that a person types in and nothing changes.
    ApiKey,
    /// The same, named `username` and `password`; `{{slot.basic}}` is both as HTTP wants them.
    Basic,
    /// Inputs become tokens by `setup`, tokens new ones by `refresh`.
    Steps,
    /// The same after a person has consented in a browser: `setup` may use `{{oauth.code}}` and `{{oauth.redirectUri}}`.
    Oauth2Code,
    /// Tokens for the application itself: `setup` needs nothing of a person, and is made again when they end.
    Oauth2Client,
}

/// A field that a person types in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The second part of a placeholder.
    pub field: String,
    /// For people.
    #[serde(default)]
    pub label: String,
}

/// Where a browser is sent for consent. The host adds `response_type`, `redirect_uri` and `state`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authorize {
    /// Absolute.
    pub url: String,
    /// With placeholders, such as the application's id.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// A request the host makes by itself to get, renew or end secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// With placeholders, `{{setting.NAME}}` among them.
    pub request: StepRequest,
    /// What of the answer is kept.
    #[serde(default)]
    pub captures: Vec<Capture>,
    /// A pointer to the seconds the captures are good for.
    pub expires_in: Option<String>,
    /// A pointer to the instant they end: seconds since 1970, or RFC 3339.
    pub expires_at: Option<String>,
    /// How long they are good for where the channel does not say, in seconds.
    pub lifetime_seconds: Option<u32>,
}

/// What a step sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepRequest {
    /// Upper case.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The bytes.
    pub body: Option<String>,
}

/// A secret in an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capture {
    /// The field it is kept as.
    pub field: String,
    /// Where it stands: a JSON pointer.
    pub pointer: String,
    /// It may be absent: what is stored stays.
    #[serde(default)]
    pub optional: bool,
    /// It outlives the others: the expiry is not its own.
    #[serde(default)]
    pub lasting: bool,
}
