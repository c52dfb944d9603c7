//! Import policy: checks the imports of a component by name before linking, and reports all forbidden ones with
//! reasons.

use wasmtime::{Engine, component::Component};

use crate::denied_imports;

/// Interfaces the contract offers to guests.
const OFFERED: [&str; 7] = ["http", "signing", "settings", "state", "core-data", "log", "types"];
/// WASI packages that are linked.
const WASI: [&str; 4] = ["wasi:io/", "wasi:cli/", "wasi:clocks/", "wasi:random/"];
/// Interfaces of `wasi:http`, which use the contract's HTTP gate.
const WASI_HTTP: [&str; 2] = ["wasi:http/types@", "wasi:http/outgoing-handler@"];
/// Linked WASI version.
const WASI_VERSION: &str = "@0.2.";
/// The contract's package.
const CONTRACT: &str = "gassync:channel/";

/// Forbidden imports of a component, with reasons.
pub(crate) fn refused(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    ty.imports(engine).filter_map(|(name, _)| Some(format!("{name}: {}", reason(name)?))).collect()
}

fn reason(name: &str) -> Option<&'static str> {
    if let Some(rest) = name.strip_prefix(CONTRACT) {
        let interface = rest.split('@').next().unwrap_or_default();
        return (!OFFERED.contains(&interface)).then_some("not an import of the contract");
    }
    let known =
        WASI.iter().chain(&denied_imports::DENIED_PACKAGES).chain(&WASI_HTTP).any(|start| name.starts_with(start));
    if known && name.contains(WASI_VERSION) {
        None
    } else if name.starts_with("wasi:") && !name.contains(WASI_VERSION) {
        Some("only WASI 0.2 is supported")
    } else if name.starts_with("wasi:http/") {
        Some("plugins receive calls through the contract's inbound interface")
    } else {
        Some("unknown import")
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
