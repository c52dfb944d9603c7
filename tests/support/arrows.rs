//! Finds which modules use each other, from the source of a crate: from `use` items and paths in the code, without
//! tests, and following re-exports (`pub use`). Items that a module's own file defines are shared by the modules below
//! it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Maximum number of re-exports followed.
const MOST_STEPS: usize = 8;

/// The path of a module from the crate root; empty for the root.
type Module = Vec<String>;

/// A use of one module by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// The file that contains it, relative to the crate's source.
    pub file: String,
    /// The module that uses the other.
    pub from: Module,
    /// The module that is used.
    pub to: Module,
    /// The path as written.
    pub path: String,
}

/// The modules of a crate.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<Module, File>,
}

#[derive(Debug)]
struct File {
    name: String,
    /// Paths in the code and in private `use` items.
    paths: Vec<Vec<String>>,
    /// The path of each re-exported name.
    passed_on: BTreeMap<String, Vec<String>>,
}

impl Crate {
    /// Reads all files of a folder.
    ///
    /// # Panics
    ///
    /// Panics if a file cannot be read.
    pub fn read(src: &Path) -> Self {
        fn walk(dir: &Path, below: &str, found: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(dir).expect("a folder").filter_map(Result::ok) {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let name = if below.is_empty() { name } else { format!("{below}/{name}") };
                if path.is_dir() {
                    walk(&path, &name, found);
                } else if name.ends_with(".rs") {
                    found.push((name, fs::read_to_string(&path).expect("text")));
                }
            }
        }
        let mut found = Vec::new();
        walk(src, "", &mut found);
        Self::of(&found)
    }

    /// Parses files, given by path relative to the crate's source and text.
    pub fn of(files: &[(String, String)]) -> Self {
        let mut modules = BTreeMap::new();
        for (name, text) in files {
            let mut module: Module = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if module.iter().any(|part| part == "tests") || *name == "main.rs" {
                continue;
            }
            if module.last().is_some_and(|last| last == "mod") || *name == "lib.rs" {
                module.pop();
            }
            let (paths, passed_on) = paths_of(&without_tests(tokens(text)));
            modules.insert(module, File { name: name.clone(), paths, passed_on });
        }
        Self { modules }
    }

    /// All arrows. Using items that the file of a parent module defines makes no arrow.
    pub fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (from, file) in &self.modules {
            for path in &file.paths {
                let Some(to) = self.absolute(from, path).and_then(|path| self.module_of(&path, 0)) else { continue };
                if !from.starts_with(&to) {
                    arrows.push(Arrow { file: file.name.clone(), from: from.clone(), to, path: path.join("::") });
                }
            }
        }
        arrows
    }

    /// The arrows that are part of a circle.
    pub fn circles(&self) -> Vec<Arrow> {
        let arrows = self.arrows();
        let mut next: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
        for arrow in &arrows {
            next.entry(&arrow.from).or_default().insert(&arrow.to);
        }
        let reaches = |from: &Module, to: &Module| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(module) = open.pop() {
                if module == to {
                    return true;
                }
                if seen.insert(module) {
                    open.extend(next.get(module).into_iter().flatten());
                }
            }
            false
        };
        arrows.iter().filter(|arrow| reaches(&arrow.to, &arrow.from)).cloned().collect()
    }

    /// The top-level modules.
    pub fn rooms(&self) -> BTreeSet<&str> {
        self.modules.keys().filter_map(|module| module.first().map(String::as_str)).collect()
    }

    /// The path from the crate root; `None` if it leads into another crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = module.get(..module.len().checked_sub(ups)?)?;
                Some([base, &path[ups..]].concat())
            }
            child => {
                let child = [module, &[child.to_owned()]].concat();
                self.modules.contains_key(&child).then(|| [module, path].concat())
            }
        }
    }

    /// The module that defines what a path names.
    fn module_of(&self, path: &[String], step: usize) -> Option<Module> {
        let path: Vec<String> = path.iter().filter(|part| *part != "self").cloned().collect();
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let file = self.modules.get(module)?;
        match rest.first().and_then(|name| file.passed_on.get(name)) {
            Some(from) if step < MOST_STEPS => {
                let from = self.absolute(module, from)?;
                self.module_of(&[from.as_slice(), &rest[1..]].concat(), step + 1)
            }
            _ => Some(module.to_vec()),
        }
    }
}

/// Splits code into names, `::` and single characters; drops comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let (mut index, mut tokens) = (0, Vec::new());
    while index < chars.len() {
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < chars.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => {
                while index < chars.len() && !(at(index) == '*' && at(index + 1) == '/') {
                    index += 1;
                }
                index += 2;
            }
            'r' if at(index + 1) == '"' || (at(index + 1) == '#' && matches!(at(index + 2), '"' | '#')) => {
                index += 1;
                let from = index;
                while at(index) == '#' {
                    index += 1;
                }
                let hashes = index - from;
                index += 1;
                let ends = |index: usize| at(index) == '"' && (1..=hashes).all(|hash| at(index + hash) == '#');
                while index < chars.len() && !ends(index) {
                    index += 1;
                }
                index += hashes + 1;
            }
            '"' => {
                index += 1;
                while index < chars.len() && at(index) != '"' {
                    index += if at(index) == '\\' { 2 } else { 1 };
                }
                index += 1;
            }
            // A character literal, not a lifetime.
            '\'' if at(index + 1) == '\\' => {
                index += 3;
                while index < chars.len() && at(index) != '\'' {
                    index += 1;
                }
                index += 1;
            }
            '\'' if at(index + 2) == '\'' => index += 3,
            ':' if at(index + 1) == ':' => {
                tokens.push("::".to_owned());
                index += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let from = index;
                while at(index).is_alphanumeric() || at(index) == '_' {
                    index += 1;
                }
                tokens.push(chars[from..index].iter().collect());
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                index += 1;
            }
        }
    }
    tokens
}

/// Drops everything behind `#[cfg(test)]`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut index) = (Vec::new(), 0);
    while index < tokens.len() {
        if !tokens[index..].iter().map(String::as_str).take(MARK.len()).eq(MARK) {
            kept.push(tokens[index].clone());
            index += 1;
            continue;
        }
        index += MARK.len();
        let mut depth = 0;
        while index < tokens.len() {
            match tokens[index].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            let is_end = depth == 0 && matches!(tokens[index].as_str(), "}" | ";");
            index += 1;
            if is_end {
                break;
            }
        }
    }
    kept
}

type Paths = (Vec<Vec<String>>, BTreeMap<String, Vec<String>>);

fn paths_of(tokens: &[String]) -> Paths {
    let (mut paths, mut passed_on) = (Vec::new(), BTreeMap::new());
    let mut index = 0;
    while index < tokens.len() {
        let before = index.checked_sub(1).map_or("", |index| tokens[index].as_str());
        if tokens[index] == "use" {
            let end = tokens[index..].iter().position(|token| token == ";").map_or(tokens.len(), |end| index + end);
            let mut found = Vec::new();
            tree(&tokens[index + 1..end], &[], &mut found);
            // `pub use`, and `pub(crate) use`.
            if before == "pub" || before == ")" {
                passed_on.extend(found.into_iter().map(|(path, name)| (name, path)));
            } else {
                paths.extend(found.into_iter().map(|(path, _)| path));
            }
            index = end;
        } else if is_name(&tokens[index]) && before != "::" {
            let mut path = vec![tokens[index].clone()];
            while tokens.get(index + 1).is_some_and(|token| token == "::")
                && tokens.get(index + 2).is_some_and(|token| is_name(token))
            {
                path.push(tokens[index + 2].clone());
                index += 2;
            }
            if path.len() > 1 {
                paths.push(path);
            }
            index += 1;
        } else {
            index += 1;
        }
    }
    (paths, passed_on)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The paths of a `use` item and the names they bind.
fn tree(tokens: &[String], before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let (mut depth, mut from) = (0, 0);
    for index in 0..=tokens.len() {
        match tokens.get(index).map(String::as_str) {
            Some("{") => depth += 1,
            Some("}") => depth -= 1,
            Some(",") | None if depth == 0 => {
                branch(&tokens[from..index], before, found);
                from = index + 1;
            }
            _ => {}
        }
    }
}

fn branch(tokens: &[String], before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let end = tokens.iter().position(|token| token == "{" || token == "as").unwrap_or(tokens.len());
    let names = tokens[..end].iter().filter(|token| *token != "::").cloned();
    let path: Vec<String> = before.iter().cloned().chain(names).collect();
    match tokens.get(end).map(String::as_str) {
        Some("{") => tree(&tokens[end + 1..tokens.len() - 1], &path, found),
        Some(_) => found.extend(tokens.get(end + 1).map(|name| (path, name.clone()))),
        None => {
            let name = path.iter().rev().find(|part| *part != "self").cloned();
            found.extend(name.filter(|_| !tokens.is_empty()).map(|name| (path, name)));
        }
    }
}
