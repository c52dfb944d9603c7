//! Components, built from source once per run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

static BUILT: OnceLock<()> = OnceLock::new();

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// Where cargo builds: this binary stands in `<target>/debug/deps`.
pub fn target_dir() -> PathBuf {
    let here = std::env::current_exe().expect("this binary");
    here.ancestors().nth(3).expect("the target folder").to_owned()
}

/// Runs cargo in the repository.
pub fn cargo(arguments: &[&str]) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args(arguments).env("CARGO_TARGET_DIR", target_dir());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The bytes of a component: `beds24`, `example` or `rogue`.
pub fn component(name: &str) -> Vec<u8> {
    BUILT.get_or_init(|| {
        let packages = ["gassync-plugin-beds24", "gassync-plugin-example", "gassync-plugin-rogue"];
        let mut arguments = vec!["build", "--locked", "--target", "wasm32-wasip2", "--profile", "plugin"];
        for package in packages {
            arguments.extend(["-p", package]);
        }
        cargo(&arguments);
    });
    let file = target_dir().join(format!("wasm32-wasip2/plugin/gassync_plugin_{name}.wasm"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
