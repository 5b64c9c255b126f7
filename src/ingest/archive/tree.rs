//! An archive's members as the folders they were.

use super::{Listing, Part};
use crate::ingest::name::Named;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// How many folders may stand in each other in a member's name.
const DEEPEST: usize = 16;
/// How many files that are not read are named.
const NAMED: usize = 100;

/// Folders and files of an archive, under paths such as `history.zip!/2026-01-01/pg_stat_wal.csv`.
#[derive(Debug)]
pub(in crate::ingest) struct Tree {
    root: PathBuf,
    /// What stands in each folder, and whether it is one.
    folders: HashMap<PathBuf, BTreeMap<PathBuf, bool>>,
    parts: HashMap<PathBuf, Part>,
    /// What is not read, with the reason.
    pub ignored: Vec<(String, String)>,
}

/// Whether a member's name makes it worth keeping.
pub(super) fn may_hold_a_view(name: &str) -> bool {
    Named::new(Path::new(name.rsplit(['/', '\\']).next().unwrap_or(name))).may_hold_a_view()
}

impl Tree {
    pub(super) fn new(archive: &Path, listing: Listing) -> Self {
        let root = PathBuf::from(format!("{}!", archive.display()));
        let mut tree = Self { root: root.clone(), folders: HashMap::new(), parts: HashMap::new(), ignored: Vec::new() };
        tree.folders.insert(root.clone(), BTreeMap::new());
        for (name, reason) in listing.ignored {
            let shown =
                if name.is_empty() { archive.display().to_string() } else { format!("{}/{name}", root.display()) };
            tree.ignored.push((shown, reason));
        }
        for (name, part) in listing.members {
            match components(&name) {
                Ok(names) if names.iter().any(|n| n.starts_with('.') || *n == "__MACOSX") => {}
                Ok(names) => tree.add(&names, part),
                Err(why) => tree.ignored.push((format!("{}/{name}", root.display()), why.to_owned())),
            }
        }
        if tree.ignored.len() > NAMED {
            let more = tree.ignored.len() - NAMED;
            tree.ignored.truncate(NAMED);
            tree.ignored
                .push((archive.display().to_string(), format!("{more} more files in it are like those before")));
        }
        tree
    }

    fn add(&mut self, names: &[&str], part: Option<Part>) {
        let mut path = self.root.clone();
        for (at, name) in names.iter().enumerate() {
            let is_folder = at + 1 < names.len();
            let parent = path.clone();
            path.push(name);
            let beside = self.folders.entry(parent).or_default();
            // A file where a folder is, or the other way round: what came first stays.
            if *beside.entry(path.clone()).or_insert(is_folder) != is_folder {
                self.ignored.push((path.display().to_string(), "it is there as a file and as a folder".to_owned()));
                return;
            }
        }
        let Some(part) = part else { return };
        if self.parts.insert(path.clone(), part).is_some() {
            let why = "it is in the archive twice; the later one was read, as unpacking leaves it".to_owned();
            self.ignored.push((path.display().to_string(), why));
        }
    }

    /// The path under which its members are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What stands in a folder, in order of names, and whether it is one.
    pub fn list(&self, folder: &Path) -> Option<Vec<(PathBuf, bool)>> {
        Some(self.folders.get(folder)?.iter().map(|(path, is_folder)| (path.clone(), *is_folder)).collect())
    }

    /// A file that may hold a view.
    pub fn part(&self, path: &Path) -> Option<&Part> {
        self.parts.get(path)
    }
}

/// A member's name, part by part: a leading slash means nothing, and nothing leads upwards.
fn components(name: &str) -> Result<Vec<&str>, &'static str> {
    let names: Vec<&str> = name.split(['/', '\\']).filter(|n| !n.is_empty() && *n != ".").collect();
    if names.contains(&"..") {
        return Err("its name leads out of the archive");
    }
    if name.contains(|c: char| c.is_control()) {
        return Err("its name holds control characters");
    }
    if names.len() > DEEPEST {
        return Err("it lies too deep");
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_serve_to_recognise_only() {
        for (name, want) in [
            ("2026/pg_stat_wal.csv", Ok(vec!["2026", "pg_stat_wal.csv"])),
            ("/etc/pg_stat_wal.csv", Ok(vec!["etc", "pg_stat_wal.csv"])),
            ("./a//b", Ok(vec!["a", "b"])),
            ("a\\b", Ok(vec!["a", "b"])),
            ("../../pg_stat_wal.csv", Err("its name leads out of the archive")),
            ("a\\..\\b", Err("its name leads out of the archive")),
            ("pg_stat_wal.csv\0.exe", Err("its name holds control characters")),
        ] {
            assert_eq!(components(name), want, "{name:?}");
        }
        assert!(components(&"a/".repeat(17)).is_err());
    }
}
