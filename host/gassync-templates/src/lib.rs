//! The files that `gassync plugin new` copies: the templates, the SDK and the contract. A crate of its own, so that editing
//! one of them recompiles this list and the command line, and nothing else.

/// Path in the repository and content of each file, in the order of paths.
pub const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/partner_files.rs"));
