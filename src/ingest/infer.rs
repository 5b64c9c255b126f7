//! The server's version, concluded from the columns present.

use crate::catalog;
use crate::snapshot::Snapshot;
use crate::version::{Majors, NEWEST, OLDEST, PgVersion};

/// Views whose columns follow an extension's version, not the server's.
fn follows_an_extension(view: &str) -> bool {
    view.starts_with("pg_stat_statements")
}

/// Sets the version where the dump does not say it. `exported`: for each view read, the column names of its file.
pub(super) fn version(snapshot: &mut Snapshot, exported: &[(&'static catalog::View, Vec<String>)]) {
    if snapshot.meta.version.is_some() {
        return;
    }
    let mut candidates: Vec<u8> = (OLDEST..=NEWEST).collect();
    for (view, columns) in exported.iter().filter(|(v, _)| !follows_an_extension(v.name)) {
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let majors = catalog::majors_with(view, &names).unwrap_or(Majors::ALL);
        let narrower: Vec<u8> = candidates.iter().copied().filter(|m| majors.contains(*m)).collect();
        // Files that contradict each other tell nothing.
        if !narrower.is_empty() {
            candidates = narrower;
        }
    }
    let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else { return };
    if candidates.len() > usize::from(NEWEST - OLDEST) {
        return;
    }
    if first != last {
        snapshot
            .meta
            .notes
            .say("version", format!("the columns are those of PostgreSQL {first} to {last}; read as {last}"));
    }
    snapshot.meta.version = Some(PgVersion::major_only(*last));
    snapshot.meta.version_inferred = true;
}
