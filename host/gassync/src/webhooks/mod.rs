//! Outbound webhooks by Standard Webhooks 1.0: subscriptions (`subscription`), matching events to them (`fan_out`),
//! message bodies (`message`), extra headers (`headers`), signatures (`signing`), delivery (`deliver`), evaluation of
//! responses (`response`) and replays (`replay`). `service` holds the operations that the partner and operator
//! endpoints share, `dto` their bodies.

mod circuit_trip;
mod deliver;
mod dto;
pub mod fan_out;
mod headers;
mod message;
mod replay;
mod response;
pub mod service;
mod signing;
mod subscription;

pub use crate::store::webhooks::{Signing, WebhookEnvelope, WebhookPayload};
pub(crate) use deliver::{DispatchReport, dispatch};
pub use dto::{CreatedWebhook, NewWebhook, SecretRotation, WebhookChange, WebhookResponse};
pub use replay::{
    MAX_REPLAYED, MAX_SCANNED, ReplayPlan, ReplayRequest, ReplayState, enqueue_replay, enqueue_test, plan, redeliver,
};
pub use signing::{InvalidSecret, SigningSecret, VerificationFailure, VerifyError, verify};
pub(crate) use subscription::disable_endpoint;
pub use subscription::{MAX_WEBHOOKS, Requester, change, create, delete, rotate, show};
