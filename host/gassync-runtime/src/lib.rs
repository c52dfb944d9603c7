//! The plugin sandbox.
//!
//! [`Engine`] compiles a component and returns an [`Adapter`]: one trait in domain types, for every contract version.
//! Every call runs in a fresh sandbox within a [`Budget`]. A [`Grant`] lists the hosts it may reach. Secrets never
//! enter the sandbox. This crate contains no SQL and no routes.

mod adapter;
mod address;
mod cache;
mod call;
mod capability;
pub mod conformance;
mod credential_flow;
mod denied_imports;
mod engine;
mod grant;
mod import_policy;
mod interface;
mod load_error;
mod manifest;
mod permissions;
mod placeholder;
mod sandbox;
mod secret;
mod signature;
mod transport;
pub mod try_call;
mod v1_0;
mod version;

pub use adapter::Adapter;
pub use address::is_public;
pub use call::{Budget, Call, CallError, CallRecord, Finished, LogLine, MAX_SANDBOX_BYTES, RecordedRequest};
pub use capability::{
    core_data::{CoreData, CoreDataError, NoCoreData},
    state::{MAX_MEMORY_BYTES, Memory, MemoryChanges},
};
pub use credential_flow::{Captured, StepError, UserInput, consent_url, run_step};
pub use engine::{Engine, EngineSettings, MAX_COMPONENT_BYTES};
pub use grant::{Denial, Grant, HostPattern, Origin};
pub use interface::Interface;
pub use load_error::LoadError;
pub use manifest::{
    Authorize, Batch, Batches, CredentialSlot, Days, Encoding, FallbackResponse, InboundRoute, Input, LimitScope,
    Limits, Manifest, ManifestError, Poll, RateLimit, RouteKind, SlotKind, Step, StepRequest, Verification, Window,
};
pub use permissions::{PermissionRequest, Permissions};
pub use secret::{CredentialError, Credentials, NoCredentials, PlaceholderCredentials, Secret};
pub use signature::{Algorithm, SignatureError};
pub use transport::{
    AddressPolicy, HttpTransport, Network, OutgoingRequest, ReplayTransport, Resolver, SendError, Transport,
};
