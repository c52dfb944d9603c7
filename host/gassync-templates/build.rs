//! Collects what `gassync plugin new` gives to partners: the templates, the SDK and the contract.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Folders of the repository, and where their files go in the list.
const FOLDERS: [&str; 6] = [
    "plugins/templates/rust",
    "plugins/templates/javascript",
    "plugins/templates/python",
    "plugins/example/samples",
    "plugins/gassync-plugin",
    "wit",
];
/// The Rust template's code is the example itself.
const FILES: [&str; 2] = ["plugins/example/src/lib.rs", "plugins/example/src/manifest.json"];
/// What a trial in the repository may leave there.
const LEFT_OUT: [&str; 6] = ["node_modules", "target", "build", ".venv", "__pycache__", "Cargo.lock"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../..").canonicalize()?;
    let mut files: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
        collect(&root, Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let path = root.join(&file);
        println!("cargo:rerun-if-changed={}", path.display());
        list.push_str(&format!(
            "    ({:?}, include_bytes!({:?})),\n",
            file.display().to_string(),
            path.display().to_string()
        ));
    }
    list.push(']');
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("partner_files.rs"), list)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left| name == *left) || name.to_string_lossy().ends_with(".wasm") {
            continue;
        }
        let path = folder.join(&name);
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
