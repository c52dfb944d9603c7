//! Requests and responses about sources.

use std::collections::BTreeMap;

use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::sources::SourceState;

/// A new source.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSourceRequest {
    /// Account name; created if it does not exist.
    pub account: String,
    /// Channel (plugin id).
    pub channel: String,
    /// Name.
    pub name: String,
    /// Settings as defined in the plugin's manifest.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    /// Credentials by the fields of the manifest's slots.
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
    /// IANA time zone for properties whose channel sends none.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A created source. The token is shown only in this response.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSource {
    /// Identifier.
    pub id: i64,
    /// Whether it creates core entities or only links to them.
    pub creates: bool,
    /// Webhook URL for the channel.
    pub webhook_url: String,
    /// Header that carries the token, if the channel supports one.
    pub webhook_header: Option<String>,
    /// Token for that header, or for the query parameter `token`.
    pub webhook_token: String,
    /// URL to open for consent, if the channel requires it; the source is pending until then.
    #[serde(default)]
    pub consent_url: Option<String>,
    /// Labels of missing credentials.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Time zone of its properties. If there is none and the channel sends none, days start early.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A poll that keeps failing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailingPollResponse {
    /// The poll's name.
    pub poll: String,
    /// Consecutive failures.
    pub failures: i64,
    /// Time of the first failure.
    pub since: Timestamp,
    /// Last error.
    pub message: String,
}

/// The inbound webhook of a source.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundWebhookResponse {
    /// URL that the channel must call.
    pub url: String,
    /// Header that carries the token, if the channel supports one; otherwise the query parameter `token` does.
    pub header: Option<String>,
    /// The last webhook about bookings.
    pub last_at: Option<Timestamp>,
    /// Polls since then that found booking changes without a webhook.
    pub unannounced_polls: i64,
}

/// New credentials of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCredentials {
    /// By field, or by `slot.field`.
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
}

/// Result of connecting a source.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectResponse {
    /// `active`, or `pending` until consent is given.
    pub status: SourceState,
    /// URL to open for consent, valid for 15 minutes.
    pub consent_url: Option<String>,
}

/// Result of disconnecting a source. Its secrets are deleted in any case.
#[derive(Debug, Serialize, Deserialize)]
pub struct DisconnectResponse {
    /// Errors of the channel.
    pub problems: Vec<String>,
}

/// A source with details and credentials.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceDetail {
    /// Status.
    #[serde(flatten)]
    pub source: SourceResponse,
    /// Its settings.
    pub settings: Value,
    /// Last error, if the last attempt failed.
    pub error: Option<String>,
    /// Stored credential fields, without values.
    pub credentials: Vec<CredentialResponse>,
    /// Time zone for properties whose channel sends none.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Failing polls.
    #[serde(default)]
    pub failing: Vec<FailingPollResponse>,
    /// Inbound webhook, if it has a channel.
    #[serde(default)]
    pub webhook: Option<InboundWebhookResponse>,
}

/// A stored field of a credential.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialResponse {
    /// The slot.
    pub slot: String,
    /// The field.
    pub field: String,
    /// When it expires, if known.
    pub expires_at: Option<Timestamp>,
    /// Time of the last update.
    pub updated_at: Timestamp,
    /// Whether the host renews it automatically.
    pub renews: bool,
}

/// A source and its status.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceResponse {
    /// Identifier.
    pub id: i64,
    /// Account.
    pub account_id: i64,
    /// The channel.
    pub channel: String,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub status: SourceState,
    /// Whether it only listens: nothing is pushed before it goes live.
    #[serde(default)]
    pub listening: bool,
    /// Time of the last successful exchange with the channel or partner, accurate to ten seconds.
    pub last_sync_at: Option<Timestamp>,
}
