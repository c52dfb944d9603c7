//! Components, built from source once per run and compiled to machine code once for all hosts.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use gassync::vault::{self, Vault, system_random};
use gassync_runtime::{Engine, EngineSettings};

/// Like the release profile, but much faster to build: tests check behaviour, not speed.
const PROFILE: &str = "plugin-test";
/// The encryption key of test hosts. Compiled code is authenticated with it, so hosts can load each other's compiled
/// code.
const SECRET_KEY: [u8; 32] = [0x5e; 32];

static BUILT: OnceLock<()> = OnceLock::new();

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// Cargo's target folder: this binary is in `<target>/debug/deps`.
pub fn target_dir() -> PathBuf {
    let here = std::env::current_exe().expect("this binary");
    here.ancestors().nth(3).expect("the target folder").to_owned()
}

/// Runs cargo in the repository with a clean environment: variables set by the cargo that runs these tests would
/// invalidate other packages and rebuild half of them.
pub fn cargo(arguments: &[&str]) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME") {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(repository()).args(arguments).env("CARGO_TARGET_DIR", target_dir());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The folders of this repository's own plugins, by name: those in `plugins` with a manifest.
pub fn own_plugins() -> Vec<String> {
    let entries = fs::read_dir(repository().join("plugins")).expect("a folder").map(|entry| entry.expect("an entry"));
    let own = entries.filter(|entry| entry.path().join("src/manifest.json").exists());
    let mut names: Vec<String> = own.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The bytes of a component: one of [`own_plugins`], or of the guests in `tests/plugins`.
pub fn component(name: &str) -> Vec<u8> {
    built(&format!("gassync_plugin_{}", name.replace('-', "_")))
}

/// The bytes of a sketch in `tests/sketches`.
pub fn sketch(channel: &str) -> Vec<u8> {
    built(&format!("gassync_sketch_{}", channel.replace('-', "_")))
}

fn built(library: &str) -> Vec<u8> {
    BUILT.get_or_init(|| {
        let mut arguments = vec!["build", "--locked", "--target", "wasm32-wasip2", "--profile", PROFILE, "--lib"];
        let packages = guests();
        for package in &packages {
            arguments.extend(["-p", package]);
        }
        cargo(&arguments);
    });
    let file = target_dir().join(format!("wasm32-wasip2/{PROFILE}/{library}.wasm"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The folder of compiled code, kept between runs. File names are component hashes and engine settings.
fn compiled_dir() -> PathBuf {
    target_dir().join("tests/compiled")
}

/// An engine without a host, with this limit of concurrent calls.
pub fn engine(concurrent_calls: u32) -> Engine {
    let cache_key = Vault::new(&SECRET_KEY, system_random()).cache_key();
    let settings = EngineSettings { cache_dir: Some(compiled_dir()), cache_key, concurrent_calls };
    Engine::new(settings).expect("an engine")
}

/// Lets a host with this data folder load code compiled by another. Existing files stay unchanged.
pub fn share_compiled(data: &Path) {
    fs::create_dir_all(data).expect("a folder");
    fs::create_dir_all(compiled_dir()).expect("a folder");
    let key = vault::private_file(&data.join("secret.key"), || hex::encode(SECRET_KEY)).expect("a key");
    if key != hex::encode(SECRET_KEY) {
        return; // The host has its own key, so it cannot share.
    }
    match symlink(compiled_dir(), data.join("compiled")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => panic!("{}: {error}", data.display()),
        _ => {}
    }
}

/// All packages of this repository that build a component.
fn guests() -> Vec<String> {
    let mut packages = Vec::new();
    for folder in ["plugins", "tests/plugins", "tests/sketches"] {
        for entry in std::fs::read_dir(repository().join(folder)).expect("a folder") {
            let manifest = entry.expect("an entry").path().join("Cargo.toml");
            let Ok(text) = std::fs::read_to_string(manifest) else { continue };
            if text.contains("cdylib") {
                let name = text.lines().find_map(|line| line.strip_prefix("name = ")).expect("a name");
                packages.push(name.trim_matches('"').to_owned());
            }
        }
    }
    packages
}

/// Another version of the guest `versioned`: the same code with another number, from 1001 to 9999, and further
/// requested hosts.
pub fn versioned(number: u32, more_hosts: &[&str]) -> Vec<u8> {
    let mut component = component("versioned");
    let room = "\t".repeat(32);
    let more: String = more_hosts.iter().map(|host| format!(", {host:?}")).collect();
    write_over(&mut component, room.as_bytes(), format!("{more:<32}").as_bytes());
    write_over(&mut component, b"1.0.1000", format!("1.0.{number:04}").as_bytes());
    component
}

/// Another version of `beds24` with this batch size for bookings, 99 at most.
pub fn beds24_in_batches_of(items: u32) -> Vec<u8> {
    let mut component = component("beds24");
    let batch = |items: u32| format!(r#""reservations": {{ "items": {items:2},"#);
    write_over(&mut component, batch(20).as_bytes(), batch(items).as_bytes());
    component
}

fn write_over(bytes: &mut [u8], former: &[u8], new: &[u8]) {
    assert_eq!(former.len(), new.len(), "as many bytes as before");
    let mut places = 0;
    for start in 0..=bytes.len() - former.len() {
        if bytes[start..].starts_with(former) {
            bytes[start..start + new.len()].copy_from_slice(new);
            places += 1;
        }
    }
    assert!(places > 0, "the bytes to write over are there");
}
