//! Files that tell of no moment of their own but stand beside one: query plans, the server's log.

use super::gather::{Group, Member, folder_time, shown};
use crate::time::Timestamp;
use std::path::Path;

/// Folders whose files are query plans, whatever they are called.
const PLANS: &[&str] = &["plans", "plan", "explain", "explains", "auto_explain"];

/// Whether a folder is one of query plans by its name.
pub(super) fn holds_plans(folder: &Path) -> bool {
    folder.file_name().is_some_and(|n| PLANS.contains(&n.to_string_lossy().to_lowercase().as_str()))
}

/// A file of a folder of plans: its name says nothing about views, unless it is an export of plans.
pub(super) fn plan_file(mut member: Member) -> Member {
    member.named.view = member.named.view.filter(|(view, _)| view.name == "plans");
    member.beside = true;
    member
}

/// Adds files that tell of no moment to the newest one beside them; where there is none they are one by themselves.
pub(super) fn stand_beside(beside: Vec<Member>, folder: &Path, before: usize, groups: &mut Vec<Group>) {
    let Some(first) = beside.first() else { return };
    let name_time = folder_time(folder).or_else(|| Timestamp::from_name(&first.named.tag));
    let label = folder.file_name().map_or_else(|| first.path.clone(), |n| shown(Path::new(n)));
    let newest = groups.get_mut(before..).and_then(|new| new.iter_mut().rfind(|g| g.packed.is_none()));
    if let Some(group) = newest {
        group.files.extend(beside);
    } else {
        groups.push(Group { label, files: beside, ignored: Vec::new(), name_time, packed: None });
    }
}
