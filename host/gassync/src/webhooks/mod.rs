//! Subscribers hear of what changes, by outbound webhooks as Standard Webhooks 1.0 has them: what they want (`subscription`),
//! which facts come to which of them (`fan_out`), what they are told (`message`) with which headers
//! of their own (`headers`), how it is signed (`signing`), how it gets there (`deliver`), what they make of it (`answer`), and
//! once more (`replay`); `desk` is what both doors, that of partners and that of operators, do with them.

mod answer;
mod deliver;
pub mod desk;
pub mod fan_out;
mod headers;
mod message;
mod replay;
mod shape;
mod signing;
mod subscription;

pub(crate) use deliver::{Told, tell_safely};
pub use replay::{Asked, MAX_LOOKED_AT, MAX_REPLAYED, Replayed, again, plan, replay, test};
pub use shape::{NewWebhook, SecretRotation, WebhookChange, WebhookMade, WebhookShown};
pub use signing::{BadSecret, Secret, Signing, Unverified, VerifyError, verify};
pub(crate) use subscription::give_up;
pub use subscription::{By, MAX_WEBHOOKS, change, create, forget, rotate, show};
