//! Checks that a file can be loaded: it is a component, with allowed imports, a supported contract version and a valid
//! manifest.

use std::sync::Arc;

use super::{
    CheckSubject,
    report::{Check, Failure},
};
use crate::{Adapter, Engine, LoadError, MAX_COMPONENT_BYTES, denied_imports};

/// Size above which the report warns, in bytes.
const LARGE_COMPONENT_BYTES: usize = 32 * 1024 * 1024;

/// Checks the file and loads the plugin; `None` if that fails.
pub(super) async fn checks(engine: &Engine, subject: &CheckSubject) -> (Vec<Check>, Option<Arc<dyn Adapter>>) {
    let mut size = Check::new("file.size", "Is the file within the size limit?");
    let bytes = subject.wasm.len();
    let expected = format!("at most {MAX_COMPONENT_BYTES} bytes; debug information and unused packages left out");
    size.expect(bytes <= MAX_COMPONENT_BYTES, ("the file", &format!("{bytes} bytes"), &expected));
    if bytes > LARGE_COMPONENT_BYTES {
        size.warn(format!("{bytes} bytes: over half of what a host takes"));
    }
    let component = Check::new("file.component", "Is it a WebAssembly component that compiles?");
    let imports = Check::new("file.imports", "Are all imports offered by the host?");
    let contract = Check::new("file.contract", "Does it implement this host's contract version?");
    let manifest = Check::new("manifest.form", "Is the manifest valid?");
    let mut checks = [component, imports, contract, manifest];
    let loaded = engine.load(subject.wasm.clone()).await;
    // Checks before the failed one passed, and checks after it did not run.
    let (failed, plugin) = match loaded {
        Ok(plugin) => (checks.len(), Some(plugin)),
        Err(error) => {
            let place = place(&error);
            for failure in failures(&error) {
                checks[place].case(Err(failure));
            }
            (place, None)
        }
    };
    for check in checks.iter_mut().take(failed) {
        check.case(Ok(()));
    }
    if let Some(plugin) = &plugin {
        checks[1].note(named(plugin.imports()));
    }
    let mut all = vec![size];
    all.extend(checks.map(|check| check.nothing("the file could not be loaded that far")));
    (all, plugin)
}

fn place(error: &LoadError) -> usize {
    match error {
        LoadError::Engine(_) | LoadError::Busy(_) | LoadError::Precompiled | LoadError::Compile(_) => 0,
        LoadError::Imports(_) => 1,
        LoadError::Contract(_) => 2,
        LoadError::Manifest(_) => 3,
    }
}

fn failures(error: &LoadError) -> Vec<Failure> {
    let one = |expected: &str| vec![Failure::new("the file", error.to_string(), expected)];
    match error {
        LoadError::Imports(refused) => {
            let expected = "gassync:channel's imports and WASI 0.2, by the list in the contract's README";
            refused.iter().map(|import| Failure::new("import", import, expected)).collect()
        }
        LoadError::Contract(_) => {
            one("the interfaces of the contract, built against the version that this host serves")
        }
        LoadError::Manifest(error) => {
            vec![Failure::new(
                format!("manifest, {}", error.path),
                &error.problem,
                "what the contract's README says of it",
            )]
        }
        _ => one("a WebAssembly component, as `gassync plugin build` leaves it"),
    }
}

/// Lists the imports by package, with their interfaces.
fn named(imports: &[String]) -> String {
    let mut packages: Vec<(&str, Vec<&str>)> = Vec::new();
    for import in imports {
        let (package, rest) = import.split_once('/').unwrap_or((import, ""));
        let interface = rest.split('@').next().unwrap_or_default();
        match packages.iter_mut().find(|(name, _)| *name == package) {
            Some((_, interfaces)) => interfaces.push(interface),
            None => packages.push((package, vec![interface])),
        }
    }
    let refused = |package: &str| {
        if denied_imports::DENIED_PACKAGES.contains(&&*format!("{package}/")) { " (refused when called)" } else { "" }
    };
    let one =
        |(package, interfaces): &(&str, Vec<&str>)| format!("{package}{}: {}", refused(package), interfaces.join(" "));
    packages.iter().map(one).collect::<Vec<_>>().join("; ")
}
