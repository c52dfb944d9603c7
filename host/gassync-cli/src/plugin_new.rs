//! `gassync plugin new`: creates a plugin project with the SDK and the contract.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use gassync_templates::FILES;

/// Placeholder for the plugin's name in templates.
const NAME: &str = "__NAME__";
/// Replacements in the example's manifest, which serves as a template.
const EXAMPLE: [(&str, &str); 4] = [
    (r#""id": "example""#, r#""id": "__NAME__""#),
    (r#""displayName": "Example channel""#, r#""displayName": "__NAME__""#),
    (r#""vendor": "GasSync""#, r#""vendor": "Your company""#),
    (r#""label": "Example account""#, r#""label": "__NAME__ account""#),
];
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 40;

/// Language of a plugin project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Rust,
    Javascript,
    Python,
}

/// Creates the folder `name` in `parent`.
pub fn make(name: &str, language: Language, parent: &Path) -> anyhow::Result<PathBuf> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
    ensure!(
        good && name.len() <= MAX_NAME_CHARS,
        "the name {name:?} must be of lower-case letters, digits and hyphens, begin with a letter, and have at most \
         {MAX_NAME_CHARS} characters"
    );
    let folder = parent.join(name);
    ensure!(!folder.exists(), "{} already exists", folder.display());
    for (path, bytes) in FILES {
        let Some(at) = place(path, language) else { continue };
        let file = folder.join(at);
        let within = file.parent().context("every file has a folder")?;
        fs::create_dir_all(within).with_context(|| format!("cannot create {}", within.display()))?;
        fs::write(&file, named(path, bytes, name)).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(folder)
}

/// Path of a repository file inside a plugin project; none if it is not part of it.
fn place(path: &str, language: Language) -> Option<PathBuf> {
    let below = |folder: &str| path.strip_prefix(folder).map(PathBuf::from);
    // All three languages implement the same channel, so they share its samples.
    let samples = || below("plugins/example/samples/").map(|at| Path::new("samples").join(at));
    match language {
        // The SDK finds the contract at the same relative path as in the repository.
        Language::Rust => below("plugins/templates/rust/").or_else(|| below("plugins/example/")).or_else(|| {
            (path.starts_with("plugins/gassync-plugin/") || path.starts_with("wit/"))
                .then(|| Path::new("gassync").join(path))
        }),
        Language::Javascript => below("plugins/templates/javascript/").or_else(samples).or_else(|| contract(path)),
        Language::Python => below("plugins/templates/python/").or_else(samples).or_else(|| contract(path)),
    }
}

/// Path of a contract file: WIT files where tools look for the dependencies of a world, and the schemas beside them.
fn contract(path: &str) -> Option<PathBuf> {
    let file = path.strip_prefix("wit/next/")?;
    Some(if file.ends_with(".wit") {
        Path::new("wit/deps/gassync-channel").join(file)
    } else {
        Path::new("wit").join(file)
    })
}

fn named(path: &str, bytes: &[u8], name: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    if path.starts_with("plugins/templates/") {
        text.replace(NAME, name).into_bytes()
    } else if path == "plugins/example/src/manifest.json" {
        let template = EXAMPLE.iter().fold(text.to_owned(), |text, (own, theirs)| text.replace(own, theirs));
        template.replace(NAME, name).into_bytes()
    } else {
        bytes.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_gets_its_folder_and_names_are_judged() {
        let parent = tempfile::tempdir().expect("a folder");
        for (language, name, files) in [
            (
                Language::Rust,
                "acme-rust",
                &[
                    "Cargo.toml",
                    "src/lib.rs",
                    "samples/calls/booked.json",
                    "gassync/plugins/gassync-plugin/Cargo.toml",
                    "gassync/wit/next/types.wit",
                ][..],
            ),
            (
                Language::Javascript,
                "acme-js",
                &["plugin.js", "samples/calls/booked.json", "gassync/index.js", "wit/deps/gassync-channel/types.wit"],
            ),
            (
                Language::Python,
                "acme-py",
                &["plugin.py", "samples/answers/reservations/two.json", "gassync/__init__.py", "wit/world.wit"],
            ),
        ] {
            let folder = make(name, language, parent.path()).expect("made");
            for file in files {
                assert!(folder.join(file).is_file(), "{name}: {file}");
            }
            let manifest = if language == Language::Rust { "src/manifest.json" } else { "manifest.json" };
            let manifest = fs::read_to_string(folder.join(manifest)).expect("a manifest");
            assert!(manifest.contains(&format!(r#""id": "{name}""#)) && !manifest.contains(NAME), "{manifest}");
            assert!(make(name, language, parent.path()).is_err(), "nothing is written over");
        }
        for wrong in ["", "Acme", "a b", "../x", "-a", "a-", "1a", &"a".repeat(41)] {
            assert!(make(wrong, Language::Rust, parent.path()).is_err(), "{wrong:?}");
        }
    }
}
