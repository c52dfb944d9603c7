//! Detects the contract version of a component once, when it is loaded. No other module depends on the set of versions.

use std::sync::Arc;

use wasmtime::{Engine, component::Component};

use crate::{Adapter, LoadError, v1_0};

/// The package of the metadata interface that every plugin exports.
const METADATA: &str = "gassync:channel/metadata@";

pub(crate) async fn adapter(
    engine: &Engine,
    component: &Component,
    hash: String,
) -> Result<Arc<dyn Adapter>, LoadError> {
    let exports: Vec<String> = component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect();
    let version = exports.iter().find_map(|name| name.strip_prefix(METADATA));
    match version {
        Some(v1_0::CONTRACT) => v1_0::load(engine, component, hash).await,
        Some(other) => {
            Err(LoadError::Contract(format!("it speaks version {other}; this host knows {}", v1_0::CONTRACT)))
        }
        None => Err(LoadError::Contract("it exports no interface gassync:channel/metadata".to_owned())),
    }
}
