//! Requests and responses about subscriptions.

use std::collections::BTreeMap;

use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::webhooks::{Signing, WebhookEnvelope, WebhookPayload};

/// A new subscription.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewWebhook {
    /// The HTTPS endpoint that receives messages. Private, loopback and link-local addresses are refused, both now and
    /// when a message is sent.
    #[schema(example = "https://partner.example/hooks/gassync", max_length = 2048)]
    pub url: String,
    /// Free text, up to 500 characters.
    #[schema(required = false, example = "front desk", max_length = 500)]
    pub description: Option<String>,
    /// Event names of either form; `reservation.*` selects all events of a kind. Empty: all events.
    #[schema(required = false, example = json!(["reservation.created", "booking.cancelled"]), max_items = 64)]
    pub events: Vec<String>,
    /// Only events of these properties (the source's own ids). Empty: all properties. Events without a property, such
    /// as guest events, are not delivered if this filter is set. Deletions are always delivered, because the property
    /// of a deleted record is no longer known.
    #[schema(required = false, example = json!([]), max_items = 200)]
    pub property_ids: Vec<String>,
    /// `thin` (default) identifies the entity; `full` adds its core record if it is linked to the source. `full`
    /// requires a key with the read scopes of all records that the events can carry.
    #[schema(required = false, example = "thin")]
    pub payload: Option<WebhookPayload>,
    /// `standard` (default) or `cloudevents` (1.0, structured mode).
    #[schema(required = false, example = "standard")]
    pub envelope: Option<WebhookEnvelope>,
    /// Do not deliver changes that this source made itself. Default: true.
    #[schema(required = false, example = true)]
    pub exclude_origin: Option<bool>,
    /// Deliver events of one entity in order: a later event waits until the earlier one is delivered.
    #[schema(required = false, example = false)]
    pub ordered: bool,
    /// `v1` (HMAC-SHA256, default) or `v1a` (Ed25519).
    #[schema(required = false, example = "v1")]
    pub signing: Option<Signing>,
    /// The signing secret: `whsec_…`, or `whsk_…` for `v1a`. Generated if omitted.
    #[schema(required = false, example = json!(null))]
    pub secret: Option<String>,
    /// Extra headers to send with every message, up to 20.
    #[schema(required = false, example = json!({}))]
    pub headers: BTreeMap<String, String>,
    /// Token to send as `Authorization: Bearer …`.
    #[schema(required = false, example = json!(null))]
    pub bearer: Option<String>,
    /// `user:password` to send as `Authorization: Basic …`.
    #[schema(required = false, example = json!(null))]
    pub basic: Option<String>,
    /// Maximum number of attempts per message, 1 to 10.
    #[schema(required = false, example = 10, minimum = 1, maximum = 10)]
    pub max_attempts: Option<u32>,
    /// Response timeout in seconds, 1 to 15.
    #[schema(required = false, example = 15, minimum = 1, maximum = 15)]
    pub timeout_seconds: Option<u32>,
}

/// Changes to a subscription. Omitted fields keep their value.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookChange {
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://partner.example/hooks/gassync")]
    pub url: Option<String>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["reservation.*"]))]
    pub events: Option<Vec<String>>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!([]))]
    pub property_ids: Option<Vec<String>>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "thin")]
    pub payload: Option<WebhookPayload>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "standard")]
    pub envelope: Option<WebhookEnvelope>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_origin: Option<bool>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// Replaces all extra headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!({}))]
    pub headers: Option<BTreeMap<String, String>>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 10, minimum = 1, maximum = 10)]
    pub max_attempts: Option<u32>,
    /// See the field of the same name in `NewWebhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 15, minimum = 1, maximum = 15)]
    pub timeout_seconds: Option<u32>,
    /// Whether events are delivered. Events that occur while it is disabled can be replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// How to replace the signing secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretRotation {
    /// The new secret. Generated if omitted.
    #[schema(required = false, example = json!(null))]
    pub secret: Option<String>,
    /// How long messages carry signatures of both secrets, in seconds. Default: one day. Maximum: one week.
    #[schema(required = false, example = 86400, maximum = 604800)]
    pub grace_seconds: Option<u32>,
}

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookResponse {
    /// Identifier.
    #[schema(example = 17)]
    pub id: i64,
    /// The endpoint that receives messages.
    #[schema(example = "https://partner.example/hooks/gassync")]
    pub url: String,
    /// Free text.
    pub description: Option<String>,
    /// Selected events. Empty: all.
    #[schema(example = json!(["reservation.created"]))]
    pub events: Vec<String>,
    /// Selected properties (the source's own ids). Empty: all.
    #[schema(example = json!([]))]
    pub property_ids: Vec<String>,
    /// `thin` or `full`.
    #[schema(example = "thin")]
    pub payload: WebhookPayload,
    /// `standard` or `cloudevents`.
    #[schema(example = "standard")]
    pub envelope: WebhookEnvelope,
    /// Whether changes that this source made itself are left out.
    pub exclude_origin: bool,
    /// Whether events of one entity are delivered in order.
    pub ordered: bool,
    /// `v1` or `v1a`.
    #[schema(example = "v1")]
    pub signing: Signing,
    /// Public keys (`whpk_…`) that verify `v1a` signatures, newest first.
    pub public_keys: Vec<String>,
    /// Names of the extra headers.
    #[schema(example = json!([]))]
    pub headers: Vec<String>,
    /// Maximum number of attempts per message.
    #[schema(example = 10)]
    pub max_attempts: i64,
    /// Response timeout in seconds.
    #[schema(example = 15)]
    pub timeout_seconds: i64,
    /// Whether events are delivered.
    pub enabled: bool,
    /// Why the subscription is disabled.
    pub disabled_reason: Option<String>,
    /// Why nothing is sent although the subscription is enabled: the status of its source.
    pub suspended_reason: Option<String>,
    /// Since when no delivery has succeeded.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Number of consecutive batches in which no delivery succeeded.
    #[schema(example = 0)]
    pub failures: i64,
    /// Time of the last attempt, successful or not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_triggered_at: Option<Timestamp>,
    /// Time of the last successful delivery.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<Timestamp>,
    /// Creation time.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Time of the last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A new subscription, or one with a new secret. The secret is shown only in this response.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedWebhook {
    /// The subscription.
    #[serde(flatten)]
    pub webhook: WebhookResponse,
    /// The key that verifies messages: `whsec_…`, or the public key `whpk_…` for `v1a`.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub secret: String,
}
