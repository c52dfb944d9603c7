use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A credential slot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSlot {
    /// Name, the first part of placeholders.
    pub slot: String,
    /// Label.
    #[serde(default)]
    pub label: String,
    /// How it is set up.
    pub kind: SlotKind,
    /// Hosts that may receive its secrets, in the form of the manifest's `hosts`; empty means all allowed hosts.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// User inputs.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// OAuth authorization endpoint.
    pub authorize: Option<Authorize>,
    /// Step that turns inputs into tokens.
    pub setup: Option<Step>,
    /// Step that refreshes tokens.
    pub refresh: Option<Step>,
    /// Step that revokes tokens.
    pub revoke: Option<Step>,
    /// How long before expiry a token is refreshed, in seconds.
    #[serde(default)]
    pub refresh_before_seconds: u32,
    /// Days without use after which the channel drops the credentials.
    pub idle_days: Option<u32>,
}

impl CredentialSlot {
    /// The step that renews expired tokens; for OAuth client credentials this is `setup`.
    pub fn renewal(&self) -> Option<&Step> {
        match self.kind {
            SlotKind::Oauth2Client => self.setup.as_ref(),
            _ => self.refresh.as_ref(),
        }
    }

    /// True if a step captures this field.
    pub fn brings(&self, field: &str) -> bool {
        let steps = self.setup.iter().chain(&self.refresh);
        steps.flat_map(|step| &step.captures).any(|capture| capture.field == field)
    }
}

/// Kinds of credential slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotKind {
    /// Static fields entered by a person.
    ApiKey,
    /// The same, with fields named `username` and `password`; `{{slot.basic}}` is their HTTP Basic encoding.
    Basic,
    /// Tokens obtained by `setup` and renewed by `refresh`.
    Steps,
    /// The same after browser consent: `setup` may use `{{oauth.code}}` and `{{oauth.redirectUri}}`.
    Oauth2Code,
    /// Application tokens: `setup` needs no consent and is repeated on expiry.
    Oauth2Client,
}

/// A user input.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Field, the second part of placeholders.
    pub field: String,
    /// Label.
    #[serde(default)]
    pub label: String,
}

/// OAuth authorization endpoint. The host adds `response_type`, `redirect_uri` and `state`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authorize {
    /// Absolute.
    pub url: String,
    /// Query parameters, which may contain placeholders such as the client id.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// A request made by the host to obtain, renew or revoke secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Request, which may contain placeholders including `{{setting.NAME}}`.
    pub request: StepRequest,
    /// Values to capture from the response.
    #[serde(default)]
    pub captures: Vec<Capture>,
    /// JSON pointer to the lifetime in seconds.
    pub expires_in: Option<String>,
    /// JSON pointer to the expiry: Unix seconds or RFC 3339.
    pub expires_at: Option<String>,
    /// Default lifetime in seconds.
    pub lifetime_seconds: Option<u32>,
}

/// The request of a step.
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

/// A captured value of a response.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capture {
    /// Field to store it in.
    pub field: String,
    /// JSON pointer.
    pub pointer: String,
    /// May be absent; the stored value is then kept.
    #[serde(default)]
    pub optional: bool,
    /// Does not expire with the other values.
    #[serde(default)]
    pub lasting: bool,
}
