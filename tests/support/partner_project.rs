//! Plugin projects as partners create them, with `gassync plugin new` and `gassync plugin build`. The folders persist
//! between runs, so that dependencies are installed once.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    plugins::{repository, target_dir},
    process::program,
};

/// One test at a time per language: they share the folder.
static FOLDERS: [(&str, Mutex<()>); 3] =
    [("rust", Mutex::new(())), ("javascript", Mutex::new(())), ("python", Mutex::new(()))];

/// The folder of a plugin project.
pub struct PartnerProject {
    name: String,
    /// The project folder.
    pub folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl PartnerProject {
    /// Creates a project in `rust`, `javascript` or `python`.
    pub fn new(name: &str, language: &str) -> Self {
        let (_, lock) = FOLDERS.iter().find(|(known, _)| *known == language).expect("a language");
        let alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = target_dir().join("partners").join(language);
        fs::create_dir_all(&folder).expect("a folder");
        let fresh = tempfile::tempdir().expect("a folder");
        checked_output(
            Command::new(program()).args(["plugin", "new", name, "--lang", language]).current_dir(fresh.path()),
        );
        let partner = Self { name: name.to_owned(), folder, _alone: alone };
        // Remove what an earlier run built or copied into it.
        for entry in fs::read_dir(&partner.folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            let kept = ["node_modules", ".venv", "target"].iter().any(|kept| entry.file_name() == *kept);
            if !kept {
                checked_output(Command::new("rm").arg("-rf").arg(entry.path()));
            }
        }
        checked_output(Command::new("cp").arg("-a").arg(fresh.path().join(name).join(".")).arg(&partner.folder));
        partner
    }

    /// Copies a file of the repository over one of the project.
    pub fn lay(&self, from: &str, to: &str) {
        fs::copy(repository().join(from), self.folder.join(to)).expect("copied");
    }

    /// Builds the project; returns the component.
    pub fn build(&self) -> Vec<u8> {
        self.run(&["build"]);
        fs::read(self.component()).expect("a component")
    }

    /// The path of its component.
    pub fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", self.name))
    }

    /// Runs `gassync plugin …` in the folder; returns stdout.
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(program());
        command.arg("plugin").args(arguments).current_dir(&self.folder);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO") && name != "CARGO_HOME") {
                command.env_remove(name);
            }
        }
        String::from_utf8(checked_output(&mut command).stdout).expect("text")
    }
}

fn checked_output(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}{wrong}");
    output
}
