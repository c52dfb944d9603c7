//! The plugin sandbox.
//!
//! [`Engine`] compiles a component and hands out an [`Adapter`]: one trait in domain types, whichever version of the
//! contract the component speaks. Every call runs in a fresh sandbox under a [`Budget`]; what it may reach is what a
//! [`Grant`] says; secrets stay on this side. There is no SQL here, and there are no routes.

mod adapter;
mod address;
mod allowance;
mod cache;
mod call;
mod capability;
pub mod conformance;
mod denied;
mod engine;
mod gate;
mod grant;
mod interface;
mod load_error;
mod manifest;
mod placeholder;
mod sandbox;
mod secret;
mod signature;
mod steps;
mod transport;
pub mod trial;
mod v1_0;
mod version;

pub use adapter::Adapter;
pub use address::is_public;
pub use allowance::{Allowance, Wish};
pub use call::{Budget, Call, CallError, CallRecord, Finished, LogLine, MAX_SANDBOX_BYTES, RecordedRequest};
pub use capability::{
    core_data::{CoreData, CoreDataError, NoCoreData},
    state::{MAX_MEMORY_BYTES, Memory, MemoryChanges},
};
pub use engine::{Engine, EngineSettings, MAX_COMPONENT_BYTES};
pub use grant::{Denial, Grant, Origin, Place};
pub use interface::Interface;
pub use load_error::LoadError;
pub use manifest::{
    Authorize, Batch, Batches, CredentialSlot, Days, Encoding, FallbackResponse, Input, LimitScope, Limits, Manifest,
    ManifestError, Poll, RateLimit, Route, RouteKind, SlotKind, Step, StepRequest, Verification, Window,
};
pub use secret::{CredentialError, Credentials, NoCredentials, Secret, ShownAsPlaceholders};
pub use signature::{Algorithm, SignatureError};
pub use steps::{Captured, StepError, Typed, consent_url, run_step};
pub use transport::{HttpTransport, Judge, LookUp, Network, OutgoingRequest, ReplayTransport, SendError, Transport};
