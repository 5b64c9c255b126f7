//! Installed extensions against those allowed, required and forbidden.

use super::{Node, Verdict};
use crate::advisor;
use crate::check::policy::ExtensionName;
use crate::ident::visible;
use crate::snapshot::Row;
use std::cmp::Ordering;

const COLUMNS: &[&str] = &["extname", "extversion"];

/// The extensions of the exporting session's database; else why they are not known.
fn installed<'a>(node: &Node<'a>) -> Result<Vec<Row<'a>>, &'static str> {
    let state = advisor::state(node.chain, "pg_extension").ok_or("`pg_extension` is not in the dump")?;
    if state.stale {
        return Err("extensions were exported more than a day before the last snapshot only");
    }
    Ok(state.table.iter().collect())
}

fn name<'a>(row: &Row<'a>) -> &'a str {
    row.text("extname").unwrap_or_default()
}

fn version<'a>(row: &Row<'a>) -> &'a str {
    row.text("extversion").unwrap_or_default()
}

/// Whether an installed extension is this one; `None` where its version is not known and counts.
fn is(row: &Row<'_>, wanted: &ExtensionName) -> Option<bool> {
    if name(row) != wanted.name {
        return Some(false);
    }
    match &wanted.at_least {
        None => Some(true),
        Some(_) if version(row).is_empty() => None,
        Some(least) => Some(compare(version(row), least).is_ge()),
    }
}

/// Versions part by part: numbers by value, words by their letters. 1.10 is later than 1.9.
fn compare(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(Option<u64>, String)> {
        text.split(['.', '-', '_']).map(|p| (p.parse().ok(), p.to_owned())).collect()
    };
    let (a, b) = (parts(a), parts(b));
    for (x, y) in a.iter().zip(&b) {
        let order = match (x.0, y.0) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x.1.cmp(&y.1),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn shown(row: &Row<'_>) -> String {
    format!("{} {}", visible(name(row)), visible(version(row))).trim_end().to_owned()
}

fn place(node: &Node<'_>) -> String {
    let database = node.chain.last().meta.database.as_deref();
    database.map_or_else(String::new, |d| format!(" in {}", visible(d)))
}

/// No others than these.
pub(super) fn only(node: &Node<'_>, allowed: &[ExtensionName], expected: String) -> Verdict {
    let rows = match installed(node) {
        Ok(rows) => rows,
        Err(why) => return Verdict::unknown(expected, why),
    };
    let verdict = |row: &Row<'_>| {
        let each: Vec<Option<bool>> = allowed.iter().map(|wanted| is(row, wanted)).collect();
        if each.contains(&Some(true)) { Some(true) } else { (!each.contains(&None)).then_some(false) }
    };
    let with = |outcome: Option<bool>| rows.iter().filter(|r| verdict(r) == outcome).copied().collect::<Vec<_>>();
    let (others, unsure) = (with(Some(false)), with(None));
    let list = |rows: &[Row<'_>]| rows.iter().map(shown).collect::<Vec<_>>().join(", ");
    if !others.is_empty() {
        return Verdict::met(expected, false, format!("{}{}", list(&others), place(node)))
            .read_from(node.cite(&others, COLUMNS));
    }
    if !unsure.is_empty() {
        return Verdict::unknown(expected, format!("the version of {} is not exported", list(&unsure)));
    }
    Verdict::met(expected, true, format!("{}{}", list(&rows), place(node))).read_from(node.cite(&rows, COLUMNS))
}

/// This one is installed.
pub(super) fn needs(node: &Node<'_>, needed: &ExtensionName, expected: String) -> Verdict {
    let rows = match installed(node) {
        Ok(rows) => rows,
        Err(why) => return Verdict::unknown(expected, why),
    };
    let Some(row) = rows.iter().find(|r| name(r) == needed.name) else {
        return Verdict::met(expected, false, format!("not among {} extensions{}", rows.len(), place(node)));
    };
    let evidence = node.cite(&[*row], COLUMNS);
    match is(row, needed) {
        None => Verdict::unknown(expected, "its version is not exported"),
        Some(met) => Verdict::met(expected, met, format!("{}{}", shown(row), place(node))),
    }
    .read_from(evidence)
}

/// This one is not.
pub(super) fn forbids(node: &Node<'_>, forbidden: &str, expected: String) -> Verdict {
    let rows = match installed(node) {
        Ok(rows) => rows,
        Err(why) => return Verdict::unknown(expected, why),
    };
    match rows.iter().find(|r| name(r) == forbidden) {
        Some(row) => Verdict::met(expected, false, format!("{}{}", shown(row), place(node)))
            .read_from(node.cite(&[*row], COLUMNS)),
        None => Verdict::met(expected, true, format!("not among {} extensions{}", rows.len(), place(node))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge::testing::{node, said};
    use crate::snapshot::literal::literal;

    #[test]
    fn versions_are_compared_part_by_part() {
        for (a, b, want) in [
            ("1.10", "1.9", Ordering::Greater),
            ("1.10", "1.10", Ordering::Equal),
            ("1.10", "1.10.1", Ordering::Less),
            ("3.4.0dev", "3.4.0", Ordering::Greater),
            ("2.0", "10.0", Ordering::Less),
        ] {
            assert_eq!(compare(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn allowed_required_and_forbidden() {
        let b = literal("2026-11-22 12:00:00+00")
            .meta(|m| m.database = Some("shop".to_owned()))
            .view(
                "pg_extension",
                "oid | extname | extversion",
                &["1 | plpgsql | 1.0", "2 | dblink | 1.2", "3 | hstore | "],
            )
            .build();
        let node = node(&[b]);
        for (expect, want) in [
            ("allowed = ['plpgsql', 'hstore']", "fail: dblink 1.2 in shop"),
            ("allowed = ['plpgsql', 'hstore', 'dblink >= 1.2']", "pass: plpgsql 1.0, dblink 1.2, hstore in shop"),
            ("allowed = ['plpgsql', 'hstore', 'dblink >= 1.10']", "fail: dblink 1.2 in shop"),
            (
                "allowed = ['plpgsql', 'dblink', 'hstore >= 1.1']",
                "not assessable: the version of hstore is not exported",
            ),
            ("required = 'dblink'", "pass: dblink 1.2 in shop"),
            ("required = 'pgaudit'", "fail: not among 3 extensions in shop"),
            ("required = 'hstore >= 1.1'", "not assessable: its version is not exported"),
            ("forbidden = 'dblink'", "fail: dblink 1.2 in shop"),
            ("forbidden = 'adminpack'", "pass: not among 3 extensions in shop"),
        ] {
            assert_eq!(said(&node, &format!("[[extension]]\n{expect}")), want, "{expect}");
        }
    }

    #[test]
    fn without_the_list_nothing_is_passed() {
        let node = node(&[literal("2026-11-22 12:00:00+00").build()]);
        for expect in ["allowed = 'plpgsql'", "required = 'x'", "forbidden = 'x'"] {
            assert_eq!(
                said(&node, &format!("[[extension]]\n{expect}")),
                "not assessable: `pg_extension` is not in the dump"
            );
        }
    }
}
