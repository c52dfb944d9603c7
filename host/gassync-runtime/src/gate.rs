//! What a component may import, by name, judged before it is linked: all that is refused is named at once, with the
//! reason.

use wasmtime::{Engine, component::Component};

/// Interfaces of the contract this host offers.
const OFFERED: [&str; 5] = ["http", "settings", "log", "types", "outcomes"];
/// Interfaces of the contract this host does not offer yet.
const NOT_YET: [&str; 3] = ["keys", "state", "inventory"];
/// WASI packages that are linked.
const WASI: [&str; 4] = ["wasi:io/", "wasi:cli/", "wasi:clocks/", "wasi:random/"];
/// The contract's package.
const CONTRACT: &str = "gassync:channel/";

/// The refused imports of a component, each with its reason; empty when it may be linked.
pub(crate) fn refused(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    ty.imports(engine).filter_map(|(name, _)| Some(format!("{name}: {}", reason(name)?))).collect()
}

fn reason(name: &str) -> Option<&'static str> {
    if WASI.iter().any(|package| name.starts_with(package)) {
        return None;
    }
    if let Some(rest) = name.strip_prefix(CONTRACT) {
        let interface = rest.split('@').next().unwrap_or_default();
        return if OFFERED.contains(&interface) {
            None
        } else if NOT_YET.contains(&interface) {
            Some("this host does not offer it yet")
        } else {
            Some("the contract has no such interface")
        };
    }
    Some(if name.starts_with("wasi:filesystem/") || name.starts_with("wasi:sockets/") {
        "a plugin has no files and no sockets: use the contract's http"
    } else if name.starts_with("wasi:http/") {
        "use the contract's http"
    } else {
        "this host does not know it"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_import_is_judged_by_name() {
        for allowed in ["wasi:io/streams@0.2.6", "gassync:channel/http@1.0.0-rc.1", "wasi:clocks/wall-clock@0.2.6"] {
            assert_eq!(reason(allowed), None, "{allowed}");
        }
        for refused in
            ["wasi:filesystem/types@0.2.6", "wasi:sockets/tcp@0.2.6", "gassync:channel/keys@1.0.0-rc.1", "env"]
        {
            assert!(reason(refused).is_some(), "{refused}");
        }
    }
}
