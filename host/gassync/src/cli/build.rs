//! Builds plugins from source, with the cargo that built this program.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use super::say;

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

/// Builds plugins of this repository and puts them into a folder, each under its channel's name.
pub async fn plugins(names: &[String], into: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let root = repository()?;
    add_target(&root).await?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&root).args(["build", "--locked", "--target", TARGET, "--profile", PROFILE]);
    for name in names {
        ensure!(root.join("plugins").join(name).join("Cargo.toml").is_file(), "there is no plugins/{name}");
        cargo.arg("-p").arg(format!("gassync-plugin-{name}"));
    }
    say(&format!("Building {} for {TARGET}", names.join(", ")));
    // What cargo says belongs to the person at the terminal: stdout is for data.
    let status = cargo.stdout(Stdio::null()).status().await.context("cargo cannot be run")?;
    ensure!(status.success(), "cargo failed");
    let built = target_dir(&root).await?.join(TARGET).join(PROFILE);
    std::fs::create_dir_all(into)?;
    let mut files = Vec::new();
    for name in names {
        let from = built.join(format!("gassync_plugin_{}.wasm", name.replace('-', "_")));
        let to = into.join(format!("{name}.wasm"));
        // Under another name first: a host that watches the folder never sees half a file.
        let half = into.join(format!("{name}.half"));
        std::fs::copy(&from, &half).with_context(|| format!("{} is not there", from.display()))?;
        std::fs::rename(&half, &to)?;
        files.push(to);
    }
    Ok(files)
}

/// The channels whose adapters stand in this repository.
pub fn all() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(repository()?.join("plugins"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.join("src/manifest.json").is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The repository around the current folder.
fn repository() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let root = here.ancestors().find(|dir| dir.join("wit/next").is_dir() && dir.join("Cargo.toml").is_file());
    match root {
        Some(root) => Ok(root.to_owned()),
        None => bail!("plugins are built inside the GasSync repository; {} is not in it", here.display()),
    }
}

/// rustup adds a target that the toolchain file lists by itself, unless it was told not to.
async fn add_target(root: &Path) -> anyhow::Result<()> {
    let rustc = Command::new("rustc").current_dir(root).args(["--print", "target-libdir", "--target", TARGET]).output();
    let output = rustc.await.context("rustc cannot be run")?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && libraries.is_dir() {
        return Ok(());
    }
    say(&format!("Adding the target {TARGET}"));
    let mut rustup = Command::new("rustup");
    let status = rustup.current_dir(root).args(["target", "add", TARGET]).stdout(Stdio::null()).status().await;
    let status = status.with_context(|| format!("the target {TARGET} is missing, and rustup cannot be run"))?;
    ensure!(status.success(), "rustup could not add the target {TARGET}");
    Ok(())
}

async fn target_dir(root: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = cargo.output().await.context("cargo cannot be run")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let dir = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(PathBuf::from(dir.context("cargo does not say where it builds")?))
}
