use crate::ManifestError;

/// Why a component failed to load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine failed to start.
    #[error("the engine cannot be set up: {0}")]
    Engine(String),
    /// The file is native code; only this host may compile.
    #[error("the file is compiled code; a plugin is a WebAssembly component")]
    Precompiled,
    /// The file is not a component.
    #[error("the file is not a component that compiles: {0}")]
    Compile(String),
    /// The component has forbidden imports.
    #[error("the plugin imports what it may not have: {}", .0.join("; "))]
    Imports(Vec<String>),
    /// The component implements no contract version this host supports.
    #[error("the plugin does not fit the contract: {0}")]
    Contract(String),
    /// The host is temporarily unable to instantiate the component, which may be valid.
    #[error("the host could not try it: {0}")]
    Busy(String),
    /// The manifest is invalid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}
