//! What a component may import, by name, judged before it is linked: all that is refused is named at once, with the
//! reason.

use wasmtime::{Engine, component::Component};

use crate::denied_imports;

/// Interfaces of the contract.
const OFFERED: [&str; 7] = ["http", "signing", "settings", "state", "core-data", "log", "types"];
/// WASI packages that are linked, or linked to refusals.
const WASI: [&str; 4] = ["wasi:io/", "wasi:cli/", "wasi:clocks/", "wasi:random/"];
/// Interfaces of `wasi:http`, which lead through the same gate as the contract's own.
const WASI_HTTP: [&str; 2] = ["wasi:http/types@", "wasi:http/outgoing-handler@"];
/// The versions of WASI that are linked.
const WASI_VERSION: &str = "@0.2.";
/// The contract's package.
const CONTRACT: &str = "gassync:channel/";

/// The refused imports of a component, each with its reason; empty when it may be linked.
pub(crate) fn refused(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    ty.imports(engine).filter_map(|(name, _)| Some(format!("{name}: {}", reason(name)?))).collect()
}

fn reason(name: &str) -> Option<&'static str> {
    if let Some(rest) = name.strip_prefix(CONTRACT) {
        let interface = rest.split('@').next().unwrap_or_default();
        return (!OFFERED.contains(&interface)).then_some("the contract has no such import");
    }
    let known =
        WASI.iter().chain(&denied_imports::DENIED_PACKAGES).chain(&WASI_HTTP).any(|start| name.starts_with(start));
    if known && name.contains(WASI_VERSION) {
        None
    } else if name.starts_with("wasi:") && !name.contains(WASI_VERSION) {
        Some("this host offers WASI 0.2")
    } else if name.starts_with("wasi:http/") {
        Some("a plugin is called through the contract's inbound")
    } else {
        Some("this host does not know it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_checked_by_name() {
        for allowed in [
            "wasi:io/streams@0.2.6",
            "gassync:channel/http@1.0.0-rc.5",
            "gassync:channel/signing@1.0.0-rc.5",
            "wasi:clocks/wall-clock@0.2.6",
            "wasi:filesystem/preopens@0.2.0",
            "wasi:http/outgoing-handler@0.2.10",
        ] {
            assert_eq!(reason(allowed), None, "{allowed}");
        }
        for refused in [
            "wasi:filesystem/types@0.3.0",
            "wasi:http/incoming-handler@0.2.6",
            "wasi:nn/tensor@0.2.0-rc-2024-10-28",
            "gassync:channel/inbound@1.0.0-rc.5",
            "gassync:core/bookings@1.0.0",
            "env",
        ] {
            assert!(reason(refused).is_some(), "{refused}");
        }
    }
}
