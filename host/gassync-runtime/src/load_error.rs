use crate::ManifestError;

/// Why a component cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine cannot be set up.
    #[error("the engine cannot be set up: {0}")]
    Engine(String),
    /// It is native code: only this host may compile.
    #[error("the file is compiled code; a plugin is a WebAssembly component")]
    Precompiled,
    /// It is not a component.
    #[error("the file is not a component that compiles: {0}")]
    Compile(String),
    /// It imports what it may not.
    #[error("the plugin imports what it may not have: {}", .0.join("; "))]
    Imports(Vec<String>),
    /// It speaks no version of the contract that this host knows.
    #[error("the plugin does not fit the contract: {0}")]
    Contract(String),
    /// This host could not try it just now: it may be as good as any.
    #[error("the host could not try it: {0}")]
    Busy(String),
    /// Its manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}
