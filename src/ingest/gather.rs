//! Paths to moments: which files belong to one snapshot.

use super::name::{Named, Packing};
use super::readers::is_moment;
use super::source::Input;
use crate::error::{Error, Result};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How deep folders are searched.
const DEEPEST: usize = 4;

/// A file of a group.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub input: Input,
    /// As shown to people.
    pub path: String,
    pub named: Named,
}

/// The files of one moment.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The name the user knows it by.
    pub label: String,
    pub files: Vec<Member>,
    /// Files beside them that were not read, with the reason.
    pub ignored: Vec<(String, &'static str)>,
    /// The capture time that the folder's or file's name says.
    pub name_time: Option<Timestamp>,
}

/// Sorts the inputs into moments, in the order given; folders in the order of their names.
pub(super) fn gather(inputs: &[PathBuf]) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    let mut loose: Vec<PathBuf> = Vec::new();
    for input in inputs {
        if input.as_os_str() == "-" {
            groups.push(standard_input()?);
            continue;
        }
        let about = std::fs::metadata(input).map_err(Error::io("read", input))?;
        if about.is_dir() {
            let before = groups.len();
            let mut ignored = Vec::new();
            folder(input, input, 0, &mut groups, &mut ignored)?;
            if groups.len() == before {
                return Err(Error::Input {
                    message: format!("find a snapshot in `{}`: no file in it is an exported view", input.display()),
                    hint: Some(
                        "a dump is a folder of files such as pg_stat_user_tables.csv; `pgretro export-sql` prints a \
                         script that writes one"
                            .to_owned(),
                    ),
                });
            }
            if let Some(group) = groups.get_mut(before) {
                group.ignored.append(&mut ignored);
            }
        } else {
            loose.push(input.clone());
        }
    }
    if !loose.is_empty() {
        // Files given by name: those of different views in one folder are one moment, as in a folder.
        let mut by_folder: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
        for path in loose {
            let parent = path.parent().map(Path::to_path_buf).unwrap_or_default();
            match by_folder.iter_mut().find(|(p, _)| *p == parent) {
                Some((_, files)) => files.push(path),
                None => by_folder.push((parent, vec![path])),
            }
        }
        for (parent, paths) in by_folder {
            let mut members = Vec::new();
            for path in paths {
                let member = member(&path, path.to_string_lossy().into_owned());
                members.push(member);
            }
            let label = match members.as_slice() {
                [only] => only.path.clone(),
                _ => parent.display().to_string(),
            };
            moments(&label, &parent, members, true, &mut groups)?;
        }
    }
    Ok(groups)
}

fn standard_input() -> Result<Group> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map_err(Error::io("read", "-"))?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Input {
            message: "read standard input: it is empty".to_owned(),
            hint: Some("`-` reads one JSON dump, {\"meta\": {...}, \"pg_stat_user_tables\": [...]}".to_owned()),
        });
    }
    let named = Named { view: None, ending: "json".to_owned(), packing: Packing::Plain, tag: "-".to_owned() };
    let file = Member { input: Input::Memory(bytes.into()), path: "-".to_owned(), named };
    Ok(Group { label: "standard input".to_owned(), files: vec![file], ignored: Vec::new(), name_time: None })
}

fn member(path: &Path, shown: String) -> Member {
    Member { input: Input::File(path.to_path_buf()), path: shown, named: Named::new(path) }
}

/// Adds the moments of a folder and of the folders in it.
fn folder(
    root: &Path,
    path: &Path,
    depth: usize,
    groups: &mut Vec<Group>,
    ignored: &mut Vec<(String, &'static str)>,
) -> Result<()> {
    let mut entries: Vec<(PathBuf, bool)> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(Error::io("read", path))? {
        let entry = entry.map_err(Error::io("read", path))?;
        let path = entry.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        let is_dir = std::fs::metadata(&path).is_ok_and(|m| m.is_dir());
        entries.push((path, is_dir));
    }
    entries.sort();
    let mut members = Vec::new();
    for (file, _) in entries.iter().filter(|(_, is_dir)| !is_dir) {
        let shown = file.to_string_lossy().into_owned();
        let named = Named::new(file);
        if named.may_hold_a_view() {
            members.push(Member { input: Input::File(file.clone()), path: shown, named });
        } else {
            ignored.push((shown, "its name is not that of an exported view"));
        }
    }
    let has_folders = entries.iter().any(|(_, is_dir)| *is_dir);
    // Beside folders of snapshots a stray file (a driver's log, a README) is no snapshot.
    if has_folders {
        let (views, stray): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|m| m.named.view.is_some() || is_moment(m));
        ignored.extend(stray.into_iter().map(|m| (m.path, "it stands beside the snapshots' folders")));
        members = views;
    }
    if !members.is_empty() {
        let label = path.strip_prefix(root).ok().filter(|p| !p.as_os_str().is_empty()).unwrap_or(path);
        let label = label.file_name().map_or_else(|| label.display().to_string(), |n| n.to_string_lossy().into_owned());
        moments(&label, path, members, false, groups)?;
    }
    if depth < DEEPEST {
        for (sub, _) in entries.iter().filter(|(_, is_dir)| *is_dir) {
            folder(root, sub, depth + 1, groups, ignored)?;
        }
    }
    Ok(())
}

/// Adds the moments that files of one folder are of: one, unless a view is there twice.
fn moments(
    label: &str,
    folder: &Path,
    members: Vec<Member>,
    each_by_itself: bool,
    groups: &mut Vec<Group>,
) -> Result<()> {
    let (bundles, members): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|m| m.named.view.is_none() && is_moment(m));
    let alone = members.is_empty() && bundles.len() == 1;
    for file in bundles {
        let path = Path::new(&file.path);
        let own = path.file_name().map_or_else(|| file.path.clone(), |n| n.to_string_lossy().into_owned());
        let name_time = Timestamp::from_name(&own).or_else(|| alone.then(|| folder_time(folder)).flatten());
        groups.push(Group { label: own, files: vec![file], ignored: Vec::new(), name_time });
    }
    if members.is_empty() {
        return Ok(());
    }
    let mut ignored = Vec::new();
    let members = one_format(members, &mut ignored);
    let twice = {
        let mut names: Vec<&str> = members.iter().filter_map(|m| m.named.view.map(|(_, n)| n)).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        names.len() < all
    };
    let times: Vec<Timestamp> = members.iter().filter_map(|m| Timestamp::from_name(&m.named.tag)).collect();
    // Files of one export are written within minutes.
    let apart = times.iter().max().zip(times.iter().min()).is_some_and(|(a, b)| a.seconds_since(*b) > 3600.0);
    if !twice && !apart {
        let name_time = folder_time(folder).or_else(|| times.first().copied());
        groups.push(Group { label: label.to_owned(), files: members, ignored, name_time });
        return Ok(());
    }
    let mut by_tag: BTreeMap<(Option<Timestamp>, String), Vec<Member>> = BTreeMap::new();
    for member in members {
        let time = Timestamp::from_name(&member.named.tag);
        let tag = if time.is_some() && !twice { String::new() } else { member.named.tag.clone() };
        by_tag.entry((time, tag)).or_default().push(member);
    }
    for ((time, tag), files) in by_tag {
        let mut names: Vec<&str> = files.iter().filter_map(|m| m.named.view.map(|(_, n)| n)).collect();
        names.sort_unstable();
        let clash = names.windows(2).find(|w| w[0] == w[1]).map(|w| w[0].to_owned());
        if let (Some(view), false) = (clash, each_by_itself) {
            return Err(Error::Input {
                message: format!("tell which files of `{}` belong together: {view} is there twice", folder.display()),
                hint: Some("put the files of each moment into a folder of their own".to_owned()),
            });
        }
        let own = tag.replace('*', "").trim_matches(['-', '_', '.', ' ']).to_owned();
        let label = if own.is_empty() { label.to_owned() } else { format!("{label}/{own}") };
        groups.push(Group { label, files, ignored: std::mem::take(&mut ignored), name_time: time });
    }
    Ok(())
}

/// The same view with the same name in two formats (`.csv` beside `.json`, `.csv.gz` beside `.csv`): the first in the
/// order of endings is read.
fn one_format(members: Vec<Member>, ignored: &mut Vec<(String, &'static str)>) -> Vec<Member> {
    let mut kept: Vec<Member> = Vec::new();
    for member in members {
        let same = |other: &&Member| {
            other.named.tag == member.named.tag
                && other.named.view.map(|(_, n)| n) == member.named.view.map(|(_, n)| n)
                && member.named.view.is_some()
                && (other.named.ending != member.named.ending || other.named.packing != member.named.packing)
        };
        if kept.iter().find(same).is_some() {
            ignored.push((member.path, "the same view of the same name is there in another format"));
        } else {
            kept.push(member);
        }
    }
    kept
}

fn folder_time(folder: &Path) -> Option<Timestamp> {
    folder.file_name().and_then(|n| Timestamp::from_name(&n.to_string_lossy()))
}
