//! Builds plugins from source: those of this repository, or a partner's in its own folder.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use super::say;

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

/// Builds plugins of this repository into a folder; each component is named after its channel.
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
    // Cargo reports on stderr: stdout is for data.
    let status = cargo.stdout(Stdio::null()).status().await.context("cargo cannot be run")?;
    ensure!(status.success(), "cargo failed");
    let built = target_dir(&root).await?.join(TARGET).join(PROFILE);
    std::fs::create_dir_all(into)?;
    let mut files = Vec::new();
    for name in names {
        let from = built.join(format!("gassync_plugin_{}.wasm", name.replace('-', "_")));
        let to = into.join(format!("{name}.wasm"));
        // Copy, then rename, so that a host watching the folder never reads a partial file.
        let half = into.join(format!("{name}.half"));
        std::fs::copy(&from, &half).with_context(|| format!("{} does not exist", from.display()))?;
        std::fs::rename(&half, &to)?;
        files.push(to);
    }
    Ok(files)
}

/// Builds the plugin of the current folder. The component is written next to the source, or into `into`.
pub async fn here(into: Option<&Path>) -> anyhow::Result<PathBuf> {
    let folder = std::env::current_dir()?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let has = |file: &str| folder.join(file).is_file();
    let built = if has("package.json") && has("build.mjs") {
        if !folder.join("node_modules").is_dir() {
            run(&folder, "npm", &["ci", "--no-audit", "--no-fund"]).await?;
        }
        run(&folder, "npm", &["run", "build"]).await?;
        only_component(&folder)?
    } else if has("requirements.txt") && has("build.py") {
        if !folder.join(".venv").is_dir() {
            run(&folder, "python3", &["-m", "venv", ".venv"]).await?;
            let install = ["install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
            run(&folder, ".venv/bin/pip", &install).await?;
        }
        run(&folder, ".venv/bin/python", &["build.py"]).await?;
        only_component(&folder)?
    } else if has("Cargo.toml") {
        add_target(&folder).await?;
        run(&folder, "cargo", &["build", "--release", "--target", TARGET]).await?;
        let component = package(&folder)?.replace('-', "_");
        let from = target_dir(&folder).await?.join(TARGET).join("release").join(format!("{component}.wasm"));
        let to = folder.join(format!("{}.wasm", package(&folder)?));
        std::fs::copy(&from, &to).with_context(|| format!("{} does not exist", from.display()))?;
        to
    } else {
        bail!("{} is not a plugin folder: it has no Cargo.toml, build.mjs or build.py", folder.display());
    };
    let Some(into) = into else { return Ok(built) };
    std::fs::create_dir_all(into)?;
    let file = built.file_name().map_or_else(|| format!("{name}.wasm").into(), ToOwned::to_owned);
    let (half, to) = (into.join(&file).with_extension("half"), into.join(&file));
    std::fs::copy(&built, &half)?;
    std::fs::rename(&half, &to)?;
    Ok(to)
}

/// Runs a build tool with its output on stderr.
async fn run(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    say(&format!("{program} {}", arguments.join(" ")));
    let mut command = Command::new(program);
    let status = command.current_dir(folder).args(arguments).stdout(Stdio::null()).kill_on_drop(true).status().await;
    let status = status.with_context(|| format!("{program} cannot be run"))?;
    ensure!(status.success(), "{program} failed");
    Ok(())
}

fn only_component(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
    match found.pop() {
        Some(path) if found.is_empty() => Ok(path),
        Some(_) => bail!("{} has several .wasm files; keep only the plugin's", folder.display()),
        None => bail!("the build left no .wasm file in {}", folder.display()),
    }
}

fn package(folder: &Path) -> anyhow::Result<String> {
    let manifest: toml::Table = std::fs::read_to_string(folder.join("Cargo.toml"))?.parse()?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    Ok(name.context("Cargo.toml names no package")?.to_owned())
}

/// Names of all plugins in this repository.
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

/// The repository root that contains the current folder.
fn repository() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let root = here.ancestors().find(|dir| dir.join("wit/next").is_dir() && dir.join("Cargo.toml").is_file());
    match root {
        Some(root) => Ok(root.to_owned()),
        None => bail!("named plugins are built inside the GasSync repository; {} is outside it", here.display()),
    }
}

/// Installs the WebAssembly target if rustup has not done so from the toolchain file.
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
