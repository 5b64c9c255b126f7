//! In which schemas a statement looked for its tables: what its role, its database or nobody has set.

use crate::advisor::Context;
use crate::snapshot::Row;
use std::collections::{BTreeMap, BTreeSet};

const PREFIX: &str = "search_path=";
/// PostgreSQL's own.
const DEFAULT: &str = "\"$user\", public";
/// From here on one entry of `pg_stat_statements` may stand for tables of several schemas with one name.
const MERGED_SINCE: u8 = 18;

/// The search paths of roles, as far as the dump tells them.
#[derive(Debug, Default)]
pub struct SearchPaths {
    by_role: BTreeMap<i64, Vec<String>>,
    /// Role and text of entries that the server tells apart only by their tables: one path cannot be right for all.
    switched: BTreeMap<i64, BTreeSet<String>>,
}

impl SearchPaths {
    /// Reads the settings of roles and databases, for the roles that these statements ran as.
    pub fn read<'a>(cx: &Context<'a>, statements: impl Iterator<Item = Row<'a>>) -> Self {
        let mut out = Self::default();
        let mut seen: BTreeMap<(i64, &'a str), i64> = BTreeMap::new();
        for row in statements {
            let (Some(role), Some(text), Some(id)) = (row.int("userid"), row.text("query"), row.int("queryid")) else {
                continue;
            };
            if *seen.entry((role, text)).or_insert(id) != id {
                out.switched.entry(role).or_default().insert(text.to_owned());
            }
        }
        for role in seen.into_keys().map(|(role, _)| role).collect::<BTreeSet<i64>>() {
            out.by_role.extend(path(cx, role).map(|path| (role, path)));
        }
        out
    }

    /// The schemas in which a statement's names without one are looked for; empty where that is not known.
    pub fn of(&self, statement: Row<'_>) -> &[String] {
        let (Some(role), Some(text)) = (statement.int("userid"), statement.text("query")) else { return &[] };
        if self.switched.get(&role).is_some_and(|texts| texts.contains(text)) {
            return &[];
        }
        self.by_role.get(&role).map_or(&[], Vec::as_slice)
    }
}

/// The path that sessions of a role begin with: set for it in the database, for it, for the database, or by nobody.
fn path(cx: &Context<'_>, role: i64) -> Option<Vec<String>> {
    let name = cx.find_by_int("pg_roles", "oid", role)?.text("rolname")?;
    let database = cx.chain.last().meta.database.as_deref();
    let settings = cx.state("role_settings")?.table;
    let set = |role: Option<&str>, database: Option<&str>| {
        let own = |r: &Row<'_>| given(*r, "rolname") == role && given(*r, "datname") == database;
        let mut set = settings.iter().filter(own).flat_map(|r| r.array("setconfig"));
        set.find_map(|s| s.strip_prefix(PREFIX).map(str::to_owned))
    };
    let here = || database.and_then(|d| set(Some(name), Some(d)));
    let own = here().or_else(|| set(Some(name), None));
    let all = || database.and_then(|d| set(None, Some(d))).or_else(|| by_default(cx));
    Some(schemas(&own.or_else(all)?, name))
}

/// What holds where neither the role nor the database has a path of its own: known where the exporting session began
/// with PostgreSQL's.
fn by_default(cx: &Context<'_>) -> Option<String> {
    let settings = cx.state("pg_settings")?.table;
    let row = settings.iter().find(|r| r.text("name") == Some("search_path"))?;
    (cx.major() < MERGED_SINCE && row.text("reset_val") == Some(DEFAULT)).then(|| DEFAULT.to_owned())
}

fn given<'a>(row: Row<'a>, column: &str) -> Option<&'a str> {
    row.text(column).filter(|t| !t.is_empty())
}

/// The schemas of a setting, `"$user"` replaced by the role.
fn schemas(setting: &str, role: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut name, mut quoted) = (String::new(), false);
    let mut rest = setting.chars().chain(std::iter::once(',')).peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => name.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => match std::mem::take(&mut name) {
                empty if empty.is_empty() => {}
                user if user == "$user" => out.push(role.to_owned()),
                schema => out.push(schema),
            },
            c if quoted => name.push(c),
            c if c.is_whitespace() => {}
            c => name.extend(c.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings() {
        for (setting, want) in [
            ("\"$user\", public", &["app", "public"][..]),
            ("tenant_a, Public", &["tenant_a", "public"]),
            ("\"Core\", \"a,b\",x", &["Core", "a,b", "x"]),
            ("\"a\"\"b\", c", &["a\"b", "c"]),
            ("", &[]),
            ("\"\"", &[]),
        ] {
            assert_eq!(schemas(setting, "app"), want, "{setting}");
        }
    }
}
