//! Subscribers hear of what changes, by outbound webhooks as Standard Webhooks 1.0 has them: what they want (`subscription`),
//! which facts come to which of them (`fan_out`), what they are told (`message`) with which headers
//! of their own (`headers`), how it is signed (`signing`), how it gets there (`deliver`), what they make of it (`answer`), and
//! once more (`replay`); `service` is what both doors, that of partners and that of operators, do with them.

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

pub(crate) use deliver::{DispatchReport, dispatch};
pub use dto::{CreatedWebhook, NewWebhook, SecretRotation, WebhookChange, WebhookResponse};
pub use replay::{MAX_REPLAYED, MAX_SCANNED, ReplayPlan, ReplayRequest, enqueue_replay, enqueue_test, plan, redeliver};
pub use signing::{InvalidSecret, Signing, SigningSecret, VerificationFailure, VerifyError, verify};
pub(crate) use subscription::disable_endpoint;
pub use subscription::{MAX_WEBHOOKS, Requester, change, create, delete, rotate, show};
