//! Paths to moments: which files belong to one snapshot.

use super::archive::{self, Tree};
use super::beside::{holds_plans, plan_file, stand_beside};
use super::name::{Named, Packing};
use super::packed::{packed, within_packed};
use super::readers::is_moment;
use super::source::Input;
use crate::error::{Error, Result};
use crate::pack::{History, MANIFEST, is_packed};
use crate::time::Timestamp;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// From so many folders on they are looked into side by side.
const SIDE_BY_SIDE: usize = 16;

/// How deep folders are searched.
const DEEPEST: usize = 4;

/// A file of a group.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub input: Input,
    /// As shown to people.
    pub path: String,
    pub named: Named,
    /// Whether it tells of no moment of its own but stands beside one: plans, the server's log.
    pub beside: bool,
}

/// The files of one moment.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The name the user knows it by.
    pub label: String,
    pub files: Vec<Member>,
    /// Files beside them that were not read, with the reason.
    pub ignored: Vec<(String, String)>,
    /// The capture time that the folder's or file's name says.
    pub name_time: Option<Timestamp>,
    /// A snapshot of a packed history, by its position there; then there are no files.
    pub packed: Option<(Arc<History>, usize)>,
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
        let found = std::fs::metadata(input);
        if found.is_err()
            && let Some((archive, kind)) = within_archive(input)
        {
            inside(&archive::open(&archive, kind)?, input, &mut groups)?;
            continue;
        }
        if found.is_err()
            && let Some((folder, name)) = within_packed(input)
        {
            packed(&folder, Some(name), &mut groups)?;
            continue;
        }
        let about = found.map_err(Error::io("read", input))?;
        if about.is_dir() && is_packed(input) {
            packed(input, None, &mut groups)?;
        } else if about.is_dir() {
            search(&Place::Disk, input, Vec::new(), &mut groups)?;
        } else if let Some(kind) = archive::kind(input).map_err(Error::io("read", input))? {
            let tree = archive::open(input, kind)?;
            search(&Place::Archive(&tree), tree.root(), tree.ignored.clone(), &mut groups)?;
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
                members.extend(Place::Disk.member(path));
            }
            let label = match members.as_slice() {
                [only] => only.path.clone(),
                _ => parent.display().to_string(),
            };
            let in_plans = holds_plans(&parent);
            let members = members.into_iter().map(|m| if in_plans { plan_file(m) } else { m });
            let (beside, members): (Vec<_>, Vec<_>) = members.partition(|m| m.beside);
            let before = groups.len();
            moments(&label, &parent, members, true, &mut groups)?;
            stand_beside(beside, &parent, before, &mut groups);
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
    let file = Member { input: Input::Memory(bytes.into()), path: "-".to_owned(), named, beside: false };
    Ok(Group {
        label: "standard input".to_owned(),
        files: vec![file],
        ignored: Vec::new(),
        name_time: None,
        packed: None,
    })
}

/// Where folders are searched.
enum Place<'a> {
    Disk,
    Archive(&'a Tree),
}

impl Place<'_> {
    /// What stands in a folder, in order of names, and whether it is one.
    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, bool)>> {
        let mut entries: Vec<(PathBuf, bool)> = Vec::new();
        match self {
            Self::Archive(tree) => entries = tree.list(folder).unwrap_or_default(),
            Self::Disk => {
                for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
                    let entry = entry.map_err(Error::io("read", folder))?;
                    let path = entry.path();
                    if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
                        continue;
                    }
                    // A link is what it leads to.
                    let own = entry.file_type().ok().filter(|own| !own.is_symlink());
                    let is_dir =
                        own.map_or_else(|| std::fs::metadata(&path).is_ok_and(|m| m.is_dir()), |own| own.is_dir());
                    entries.push((path, is_dir));
                }
                entries.sort();
            }
        }
        Ok(entries)
    }

    /// A file to be read; `None` where an archive does not give it.
    fn member(&self, path: PathBuf) -> Option<Member> {
        let (shown, named) = (path.to_string_lossy().into_owned(), Named::new(&path));
        let input = match self {
            Self::Disk => Input::File(path),
            Self::Archive(tree) => Input::Archived(tree.part(&path)?.clone()),
        };
        let beside = matches!(named.ending.as_str(), "plan" | "explain" | "log");
        Some(Member { input, path: shown, named, beside })
    }
}

/// The archive of a path into one: `history.zip!/2026-01-01`.
fn within_archive(path: &Path) -> Option<(PathBuf, archive::Kind)> {
    let text = path.to_str()?;
    text.match_indices("!/").find_map(|(at, _)| {
        let archive = PathBuf::from(&text[..at]);
        let kind = std::fs::metadata(&archive).is_ok_and(|m| m.is_file()).then(|| archive::kind(&archive))?;
        Some((archive, kind.ok()??))
    })
}

/// Adds the moments of a folder or file in an archive.
fn inside(tree: &Tree, path: &Path, groups: &mut Vec<Group>) -> Result<()> {
    let path: PathBuf = path.components().collect();
    match Place::Archive(tree).member(path.clone()) {
        Some(member) => {
            let (label, folder) = (member.path.clone(), path.parent().map(Path::to_path_buf).unwrap_or_default());
            moments(&label, &folder, vec![member], true, groups)
        }
        None => search(&Place::Archive(tree), &path, Vec::new(), groups),
    }
}

/// Adds the moments of a folder, of which there must be some. `ignored`: what is known not to be read.
fn search(place: &Place<'_>, root: &Path, mut ignored: Vec<(String, String)>, groups: &mut Vec<Group>) -> Result<()> {
    let before = groups.len();
    folder(place, root, root, 0, groups, &mut ignored)?;
    let Some(group) = groups.get_mut(before) else {
        let why = ignored.first().filter(|_| matches!(place, Place::Archive(_)));
        let why = why.map_or_else(String::new, |(path, reason)| format!(" (`{path}`: {reason})"));
        return Err(Error::Input {
            message: format!("find a snapshot in `{}`: no file in it is an exported view{why}", shown(root)),
            hint: Some(
                "a dump is a folder of files such as pg_stat_user_tables.csv; `pgretro export-sql` prints a script that \
                 writes one"
                    .to_owned(),
            ),
        });
    };
    group.ignored.append(&mut ignored);
    Ok(())
}

/// A folder as people know it: an archive's own without the mark behind its name.
pub(super) fn shown(folder: &Path) -> String {
    let text = folder.display().to_string();
    text.strip_suffix('!').map_or_else(|| text.clone(), str::to_owned)
}

/// Adds the moments of a folder and of the folders in it.
fn folder(
    place: &Place<'_>,
    root: &Path,
    path: &Path,
    depth: usize,
    groups: &mut Vec<Group>,
    ignored: &mut Vec<(String, String)>,
) -> Result<()> {
    let entries = place.list(path)?;
    let manifest = || entries.iter().any(|(file, is_dir)| !is_dir && file.file_name().is_some_and(|n| n == MANIFEST));
    // Only where its folder says that there is one is the manifest looked at: a history has thousands of folders.
    if matches!(place, Place::Disk) && depth > 0 && manifest() && is_packed(path) {
        return packed(path, None, groups);
    }
    let mut members = Vec::new();
    for (file, _) in entries.iter().filter(|(_, is_dir)| !is_dir) {
        if Named::new(file).may_hold_a_view() {
            members.extend(place.member(file.clone()));
        } else if let (Place::Disk, Some(kind)) = (place, archive::by_name(&file.to_string_lossy())) {
            match archive::open(file, kind) {
                Ok(tree) => {
                    ignored.extend(tree.ignored.iter().cloned());
                    folder(&Place::Archive(&tree), tree.root(), tree.root(), depth + 1, groups, ignored)?;
                }
                Err(e) => ignored.push((file.to_string_lossy().into_owned(), e.to_string())),
            }
        } else {
            ignored.push((file.to_string_lossy().into_owned(), "its name is not that of an exported view".to_owned()));
        }
    }
    let (plans, folders): (Vec<&PathBuf>, Vec<&PathBuf>) =
        entries.iter().filter(|(_, is_dir)| *is_dir).map(|(sub, _)| sub).partition(|sub| holds_plans(sub));
    let has_folders = !folders.is_empty();
    // Beside folders of snapshots a stray file (a driver's log, a README) is no snapshot.
    if has_folders {
        let (views, stray): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|m| m.beside || m.named.view.is_some() || is_moment(m));
        ignored.extend(stray.into_iter().map(|m| (m.path, "it stands beside the snapshots' folders".to_owned())));
        members = views;
    }
    let mut beside: Vec<Member> = Vec::new();
    for sub in plans {
        for (file, _) in place.list(sub)?.into_iter().filter(|(_, is_dir)| !is_dir) {
            beside.extend(place.member(file).map(plan_file));
        }
    }
    let (more, members): (Vec<_>, Vec<_>) = members.into_iter().partition(|m| m.beside);
    beside.extend(more);
    let before = groups.len();
    if !members.is_empty() {
        let label = path.strip_prefix(root).ok().filter(|p| !p.as_os_str().is_empty()).unwrap_or(path);
        let label = label.file_name().map_or_else(|| label.display().to_string(), |n| n.to_string_lossy().into_owned());
        let label = shown(Path::new(&label));
        moments(&label, path, members, false, groups)?;
    }
    if matches!(place, Place::Disk) && depth < DEEPEST && folders.len() >= SIDE_BY_SIDE {
        // Those of a history are looked into side by side, and come in their order all the same.
        let look = |sub: &&PathBuf| {
            let (mut groups, mut ignored) = (Vec::new(), Vec::new());
            folder(&Place::Disk, root, sub, depth + 1, &mut groups, &mut ignored)?;
            Ok((groups, ignored))
        };
        for found in folders.par_iter().map(look).collect::<Result<Vec<_>>>()? {
            groups.extend(found.0);
            ignored.extend(found.1);
        }
    } else if depth < DEEPEST {
        for sub in folders {
            folder(place, root, sub, depth + 1, groups, ignored)?;
        }
    }
    stand_beside(beside, path, before, groups);
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
        groups.push(Group { label: own, files: vec![file], ignored: Vec::new(), name_time, packed: None });
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
        groups.push(Group { label: label.to_owned(), files: members, ignored, name_time, packed: None });
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
        groups.push(Group { label, files, ignored: std::mem::take(&mut ignored), name_time: time, packed: None });
    }
    Ok(())
}

/// The same view with the same name in two formats (`.csv` beside `.json`, `.csv.gz` beside `.csv`): the first in the
/// order of endings is read.
fn one_format(members: Vec<Member>, ignored: &mut Vec<(String, String)>) -> Vec<Member> {
    let mut kept: Vec<Member> = Vec::new();
    for member in members {
        let same = |other: &&Member| {
            other.named.tag == member.named.tag
                && other.named.view.map(|(_, n)| n) == member.named.view.map(|(_, n)| n)
                && member.named.view.is_some()
                && (other.named.ending != member.named.ending || other.named.packing != member.named.packing)
        };
        if kept.iter().find(same).is_some() {
            ignored.push((member.path, "the same view of the same name is there in another format".to_owned()));
        } else {
            kept.push(member);
        }
    }
    kept
}

pub(super) fn folder_time(folder: &Path) -> Option<Timestamp> {
    folder.file_name().and_then(|n| Timestamp::from_name(&n.to_string_lossy()))
}
