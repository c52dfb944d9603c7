//! The plugin sandbox.
//!
//! [`Engine`] compiles a component and hands out an [`Adapter`]: one trait in domain types, whichever version of the
//! contract the component speaks. Every call runs in a fresh sandbox under a [`Budget`]; what it may reach is what a
//! [`Grant`] says; secrets stay on this side. There is no SQL here, and there are no routes.

mod adapter;
mod address;
mod cache;
mod call;
mod capability;
mod engine;
mod gate;
mod grant;
mod manifest;
mod placeholder;
mod sandbox;
mod secret;
mod steps;
mod transport;
pub mod trial;
mod v1_0;
mod version;

pub use adapter::{Adapter, Interface};
pub use address::is_public;
pub use call::{Budget, Call, CallError, CallRecord, Finished, LogLine, RecordedRequest};
pub use engine::{Engine, EngineSettings, LoadError};
pub use grant::{Grant, Origin};
pub use manifest::{
    CredentialSlot, Manifest, ManifestError, Poll, RateLimit, Route, RouteKind, Step, StepRequest, Verification,
    WhenUnable,
};
pub use secret::{CredentialError, Credentials, NoCredentials, Secret, ShownAsPlaceholders};
pub use steps::{Captured, StepError, run_step};
pub use transport::{HttpTransport, OutgoingRequest, ReplayTransport, SendError, Transport};
