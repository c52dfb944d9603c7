//! What subscriptions look like to those who make them.

use std::collections::BTreeMap;

use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A subscription to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewWebhook {
    /// Where messages are posted, over TLS. Private, loopback and link-local addresses are refused, now and whenever a
    /// message is sent.
    #[schema(example = "https://partner.example/hooks/gassync", max_length = 2048)]
    pub url: String,
    /// For people, 500 characters at most.
    #[schema(required = false, example = "front desk", max_length = 500)]
    pub description: Option<String>,
    /// Events by either of their names, `reservation.*` for all of a kind; all where none is named.
    #[schema(required = false, example = json!(["reservation.created", "booking.cancelled"]), max_items = 64)]
    pub events: Vec<String>,
    /// Only of these properties (the source's own ids); of all where none is named. What is about no property, such as a
    /// guest, is not told then. Of what was deleted nobody knows any more where it was: it is told, whosever it was.
    #[schema(required = false, example = json!([]), max_items = 200)]
    pub property_ids: Vec<String>,
    /// `thin` (where nothing is said) names the entity; `full` adds its record as the core has it, where the source has a link
    /// with it. For that the key must be allowed to read what the events can carry: guests and what they booked, and so on.
    #[schema(required = false, example = "thin")]
    pub payload: Option<String>,
    /// `standard` (where nothing is said) or `cloudevents` (1.0, structured).
    #[schema(required = false, example = "standard")]
    pub envelope: Option<String>,
    /// What this source did itself is not told; so it is where nothing is said.
    #[schema(required = false, example = true)]
    pub exclude_origin: Option<bool>,
    /// What is about one entity arrives in its order: what happened later waits until what was before it has arrived.
    #[schema(required = false, example = false)]
    pub ordered: bool,
    /// `v1` (HMAC-SHA256, where nothing is said) or `v1a` (Ed25519).
    #[schema(required = false, example = "v1")]
    pub signing: Option<String>,
    /// The secret, `whsec_…` or for `v1a` `whsk_…`; made where none is given.
    #[schema(required = false, example = json!(null))]
    pub secret: Option<String>,
    /// Headers to send with every message, 20 at most.
    #[schema(required = false, example = json!({}))]
    pub headers: BTreeMap<String, String>,
    /// For `Authorization: Bearer …`.
    #[schema(required = false, example = json!(null))]
    pub bearer: Option<String>,
    /// For `Authorization: Basic …`: user and password with a colon between them.
    #[schema(required = false, example = json!(null))]
    pub basic: Option<String>,
    /// How often a message is tried, 1 to 10.
    #[schema(required = false, example = 10, minimum = 1, maximum = 10)]
    pub max_attempts: Option<u32>,
    /// How long an answer may take, 1 to 15 seconds.
    #[schema(required = false, example = 15, minimum = 1, maximum = 15)]
    pub timeout_seconds: Option<u32>,
}

/// What is to change of a subscription; what is not said stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookChange {
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://partner.example/hooks/gassync")]
    pub url: Option<String>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["reservation.*"]))]
    pub events: Option<Vec<String>>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!([]))]
    pub property_ids: Option<Vec<String>>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "thin")]
    pub payload: Option<String>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "standard")]
    pub envelope: Option<String>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_origin: Option<bool>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// All headers of its own, in place of those that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!({}))]
    pub headers: Option<BTreeMap<String, String>>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 10, minimum = 1, maximum = 10)]
    pub max_attempts: Option<u32>,
    /// As when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 15, minimum = 1, maximum = 15)]
    pub timeout_seconds: Option<u32>,
    /// Whether it is told of anything. What happens meanwhile can be replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// How a secret is to be replaced.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretRotation {
    /// The new one; made where none is given.
    #[schema(required = false, example = json!(null))]
    pub secret: Option<String>,
    /// How long messages carry the signatures of both, in seconds: a day where nothing is said, a week at most.
    #[schema(required = false, example = 86400, maximum = 604800)]
    pub grace_seconds: Option<u32>,
}

/// A subscription, as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookResponse {
    /// Its number.
    #[schema(example = 17)]
    pub id: i64,
    /// Where messages are posted.
    #[schema(example = "https://partner.example/hooks/gassync")]
    pub url: String,
    /// For people.
    pub description: Option<String>,
    /// Which events; all where none is named.
    #[schema(example = json!(["reservation.created"]))]
    pub events: Vec<String>,
    /// Of which properties (the source's own ids); of all where none is named.
    #[schema(example = json!([]))]
    pub property_ids: Vec<String>,
    /// `thin` or `full`.
    #[schema(example = "thin")]
    pub payload: String,
    /// `standard` or `cloudevents`.
    #[schema(example = "standard")]
    pub envelope: String,
    /// What this source did itself is not told.
    pub exclude_origin: bool,
    /// What is about one entity arrives in its order.
    pub ordered: bool,
    /// `v1` or `v1a`.
    #[schema(example = "v1")]
    pub signing: String,
    /// What messages are verified with that are signed by `v1a`, the newest first: `whpk_…`.
    pub public_keys: Vec<String>,
    /// The names of the headers of its own.
    #[schema(example = json!([]))]
    pub headers: Vec<String>,
    /// How often a message is tried.
    #[schema(example = 10)]
    pub max_attempts: i64,
    /// How long an answer may take, in seconds.
    #[schema(example = 15)]
    pub timeout_seconds: i64,
    /// Whether it is told of anything.
    pub enabled: bool,
    /// Why it is not.
    pub disabled_reason: Option<String>,
    /// Why nothing is sent although it is enabled: where its source stands.
    pub suspended_reason: Option<String>,
    /// Since when nothing has arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// How many times in a row it was told of something, of one message or several at once, and nothing arrived.
    #[schema(example = 0)]
    pub failures: i64,
    /// When it was last told of something, whatever came of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_triggered_at: Option<Timestamp>,
    /// When something last arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A subscription that was made, or whose secret is new. The secret is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedWebhook {
    /// The subscription.
    #[serde(flatten)]
    pub webhook: WebhookResponse,
    /// What messages are verified with: `whsec_…`, or for `v1a` the public key, `whpk_…`.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub secret: String,
}
