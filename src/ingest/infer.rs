//! The server's version where `meta` does not say it: from its settings, else concluded from the columns present.

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
    if let Some(version) = set(snapshot) {
        snapshot.meta.version = Some(version);
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

/// What the settings say.
fn set(snapshot: &Snapshot) -> Option<PgVersion> {
    let settings = snapshot.tables.get("pg_settings")?;
    let value = |name| settings.iter().find(|r| r.text("name") == Some(name)).and_then(|r| r.text("setting"));
    ["server_version_num", "server_version"].into_iter().find_map(|name| PgVersion::parse(value(name)?))
}

#[cfg(test)]
mod tests {
    use super::version;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use crate::version::PgVersion;

    #[test]
    fn settings_say_the_version_itself() {
        let told = |rows: &[&str]| {
            let given = literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting", rows).build();
            let mut snapshot = Snapshot::clone(&given);
            snapshot.meta.version = None;
            version(&mut snapshot, &[]);
            (snapshot.meta.version, snapshot.meta.version_inferred)
        };
        let of = |text| (PgVersion::parse(text), false);
        assert_eq!(told(&["server_version | 16.14", "server_version_num | 160014"]), of("160014"));
        assert_eq!(told(&["server_version | 18beta1"]), of("18beta1"));
        assert_eq!(told(&["server_version_num | x", "work_mem | 4096"]), (None, false));
    }
}
