//! A setting against what is expected of it.

use super::{Node, Verdict};
use crate::advisor;
use crate::catalog::settings::{Amount, parse};
use crate::check::expect::{Compare, Expect, Op, order, quoted};
use crate::check::sentinel::{Word, word};
use crate::ident::visible;
use crate::snapshot::Row;
use crate::suggest;
use crate::unit::{Quantity, Unit};
use std::cmp::Ordering;

/// An export of so many settings is the whole view: what it does not list does not exist for the exporter.
const WHOLE: usize = 150;

/// Judges one setting.
pub(super) fn judge(node: &Node<'_>, name: &str, expect: &[Expect], expected: String) -> Verdict {
    let Some(state) = advisor::state(node.chain, "pg_settings") else {
        return Verdict::unknown(expected, "`pg_settings` is not in the dump");
    };
    if state.stale {
        return Verdict::unknown(expected, "settings were exported more than a day before the last snapshot only");
    }
    let row =
        |wanted: &str| state.table.iter().find(|r| r.text("name").is_some_and(|n| n.eq_ignore_ascii_case(wanted)));
    let Some(found) = row(name) else { return absent(expected, name, state.table.iter(), state.table.rows) };
    let evidence = node.cite(&[found], &["name", "setting", "unit", "source"]);
    let Some(text) = server_value(found) else {
        let source = found.text("source").unwrap_or_default();
        let why = format!("the exporting session has its own value (source: {source}); the server's is not visible");
        return Verdict::unknown(expected, why).read_from(evidence);
    };
    let value = Value { name, text, row: found };
    let verdict = match every(expect.iter().map(|e| holds(&value, e, &row))) {
        Ok(met) => Verdict::met(expected, met, value.said()),
        Err(why) => Verdict::unknown(expected, format!("{}; {why}", value.said())),
    };
    verdict.read_from(evidence)
}

/// The value that the server gives every session; `None` where the exporting session, its role or its database has one
/// of its own and the server's is not visible. An empty value and none are one spelling in some exports.
fn server_value(row: Row<'_>) -> Option<&str> {
    match row.text("source") {
        Some("client" | "user" | "database" | "database user") => None,
        Some("session" | "interactive") if !row.table().has("reset_val") => None,
        Some("session" | "interactive") => Some(row.text("reset_val").unwrap_or_default()),
        _ => Some(row.text("setting").unwrap_or_default()),
    }
}

/// A setting that the export does not list.
fn absent<'a>(expected: String, name: &str, rows: impl Iterator<Item = Row<'a>>, listed: usize) -> Verdict {
    if listed < WHOLE {
        return Verdict::unknown(expected, format!("not in the export, which is not of all settings ({listed})"));
    }
    if name.contains('.') {
        let found = format!("not set: none of {listed} settings; the module that defines it is not loaded");
        return Verdict::met(expected, false, found);
    }
    let names: Vec<&str> = rows.filter_map(|r| r.text("name")).collect();
    let near = suggest::nearest(name, names.iter().copied());
    let near = near.first().map_or_else(String::new, |n| format!("; did you mean `{}`?", visible(n)));
    let why =
        format!("none of {listed} settings: this version has no such setting, or the exporter may not see it{near}");
    Verdict::unknown(expected, why)
}

/// A setting's value.
struct Value<'a, 'n> {
    name: &'n str,
    text: &'a str,
    row: Row<'a>,
}

impl<'a> Value<'a, '_> {
    fn unit(&self) -> &'a str {
        self.row.text("unit").unwrap_or_default()
    }

    fn amount(&self) -> Amount {
        parse(self.text, Some(self.unit()))
    }

    /// As people read it: `128 MB`, `on`.
    fn said(&self) -> String {
        let words = self.amount().quantity().filter(|q| matches!(q.unit, Unit::Bytes | Unit::Ms)).map(Quantity::human);
        let mut out = words.unwrap_or_else(|| quoted(&visible(self.text)));
        match self.amount().number().and_then(|n| word(self.name, n)) {
            Some(Word::Unlimited) => out = format!("{} (no limit, or never)", visible(self.text)),
            Some(Word::As(other)) => out = format!("{} (as {other})", visible(self.text)),
            None => {}
        }
        if self.row.bool("pending_restart") == Some(true) {
            out.push_str(", a changed value waits for a restart");
        }
        out
    }
}

/// Whether all hold. One that does not decides, whatever cannot be said of the others.
fn every(each: impl Iterator<Item = Result<bool, String>>) -> Result<bool, String> {
    let mut unknown = None;
    for one in each {
        match one {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Ok(true), Err)
}

/// Whether a value is as expected; else why nothing can be said.
fn holds<'a>(value: &Value<'a, '_>, expect: &Expect, row: &dyn Fn(&str) -> Option<Row<'a>>) -> Result<bool, String> {
    let has = |wanted: &String| value.text.split(',').any(|part| part.trim().trim_matches('"') == wanted);
    match expect {
        Expect::OneOf(values) => Ok(values.iter().any(|v| equal(value, v))),
        Expect::Contains(values) => Ok(values.iter().all(has)),
        Expect::Lacks(values) => Ok(!values.iter().any(has)),
        Expect::All(all) => every(all.iter().map(|c| compare(value, c, row))),
    }
}

fn equal(value: &Value<'_, '_>, wanted: &str) -> bool {
    let (found, amount) = (value.amount(), parse(wanted, Some(value.unit())));
    let same = match (&found, &amount) {
        (Amount::Switch(a), Amount::Switch(b)) => a == b,
        _ => order(&found, &amount) == Some(Ordering::Equal),
    };
    let is_enum = value.row.text("vartype") == Some("enum");
    same || value.text == wanted || (is_enum && value.text.eq_ignore_ascii_case(wanted.trim()))
}

fn compare<'a>(
    value: &Value<'a, '_>,
    compare: &Compare,
    row: &dyn Fn(&str) -> Option<Row<'a>>,
) -> Result<bool, String> {
    if !compare.op.orders() {
        return Ok(equal(value, &compare.value) == (compare.op == Op::Equal));
    }
    let wanted = parse(&compare.value, Some(value.unit()));
    let found = value.amount();
    let Some(number) = found.number() else {
        return Err("it is no number".to_owned());
    };
    match word(value.name, number) {
        Some(Word::Unlimited) => return Ok(compare.op.holds(Ordering::Greater)),
        Some(Word::As(other)) => {
            let other_row = row(other).ok_or_else(|| format!("`{other}` is not in the export"))?;
            let text = server_value(other_row).ok_or_else(|| format!("the server's `{other}` is not visible"))?;
            let other = Value { name: other, text, row: other_row };
            let found = order(&other.amount(), &wanted).ok_or_else(|| units(&other, compare))?;
            return Ok(compare.op.holds(found));
        }
        None if number < 0.0 && wanted.number().is_some_and(|w| w >= 0.0) => {
            return Err("a number below zero has a meaning of its own here; expect it with `=` or `!=`".to_owned());
        }
        None => {}
    }
    let found = order(&found, &wanted).ok_or_else(|| units(value, compare))?;
    Ok(compare.op.holds(found))
}

fn units(value: &Value<'_, '_>, compare: &Compare) -> String {
    let unit = value.unit();
    let unit =
        if unit.is_empty() { "a number without unit".to_owned() } else { format!("measured in {}", visible(unit)) };
    format!("it is {unit}, which `{}` is not", compare.value)
}

#[cfg(test)]
mod tests {
    use crate::check::judge::testing::{node, said};
    use crate::snapshot::literal::literal;

    const COLUMNS: &str = "name | setting | unit | vartype | source | reset_val | pending_restart";

    /// What becomes of an expectation of settings with these rows.
    fn of(expect: &str, rows: &[&str]) -> String {
        let b = literal("2026-11-22 12:00:00+00").view("pg_settings", COLUMNS, rows).build();
        said(&node(&[b]), &format!("[[setting]]\n{expect}"))
    }

    #[test]
    fn compares_in_the_units_of_the_setting() {
        for (expect, row, want) in [
            ("'>= 2GB'", "shared_buffers | 16384 | 8kB | integer |  |  | f", "fail: 128 MB"),
            ("'>= 128MB'", "shared_buffers | 16384 | 8kB | integer |  |  | f", "pass: 128 MB"),
            ("'>= 16384'", "shared_buffers | 16384 | 8kB | integer |  |  | f", "pass: 128 MB"),
            ("16384", "shared_buffers | 16384 | 8kB | integer |  |  | f", "pass: 128 MB"),
            ("'> 1min and < 10min'", "checkpoint_timeout | 300 | s | integer |  |  | f", "pass: 5 min 00 s"),
            ("'<= 0.1'", "autovacuum_vacuum_scale_factor | 0.2 |  | real |  |  | f", "fail: 0.2"),
            ("'on'", "fsync | on |  | bool |  |  | f", "pass: on"),
            ("true", "fsync | on |  | bool |  |  | f", "pass: on"),
            ("'!= off'", "fsync | off |  | bool |  |  | f", "fail: off"),
            ("['replica', 'LOGICAL']", "wal_level | logical |  | enum |  |  | f", "pass: logical"),
            ("['a']", "cluster_name | A |  | string |  |  | f", "fail: A"),
            ("''", "synchronous_standby_names |  |  | string |  |  | f", "pass: ''"),
            (
                "'>= 5min'",
                "some_buffers | 16384 | 8kB | integer |  |  | f",
                "not assessable: 128 MB; it is measured in 8kB, which `5min` is not",
            ),
            ("'>= 1'", "cluster_name | x |  | string |  |  | f", "not assessable: x; it is no number"),
            (
                "'<= 300'",
                "max_connections | 100 |  | integer |  |  | t",
                "pass: 100, a changed value waits for a restart",
            ),
        ] {
            let name = row.split(" | ").next().unwrap();
            assert_eq!(of(&format!("name = '{name}'\nexpect = {expect}"), &[row]), want, "{expect} {row}");
        }
    }

    #[test]
    fn numbers_that_are_words_are_not_numbers() {
        for (expect, row, want) in [
            ("<= 60s", "statement_timeout | 0 | ms | integer |  |  | f", "fail: 0 (no limit, or never)"),
            ("= 0", "statement_timeout | 0 | ms | integer |  |  | f", "pass: 0 (no limit, or never)"),
            ("<= 60s", "statement_timeout | 30000 | ms | integer |  |  | f", "pass: 30.0 s"),
            (">= 10GB", "max_slot_wal_keep_size | -1 | MB | integer |  |  | f", "pass: -1 (no limit, or never)"),
            ("<= 10GB", "max_slot_wal_keep_size | -1 | MB | integer |  |  | f", "fail: -1 (no limit, or never)"),
            ("<= 1s", "log_min_duration_statement | -1 | ms | integer |  |  | f", "fail: -1 (no limit, or never)"),
            ("<= 1s", "log_min_duration_statement | 0 | ms | integer |  |  | f", "pass: 0 ms"),
            (
                "<= 10",
                "some_new_setting | -1 |  | integer |  |  | f",
                "not assessable: -1; a number below zero has a meaning of its own here; expect it with `=` or `!=`",
            ),
            ("!= -1", "some_new_setting | -1 |  | integer |  |  | f", "fail: -1"),
        ] {
            let name = row.split(" | ").next().unwrap();
            assert_eq!(of(&format!("name = '{name}'\nexpect = '{expect}'"), &[row]), want, "{expect} {row}");
        }
        let rows = [
            "autovacuum_work_mem | -1 | kB | integer |  |  | f",
            "maintenance_work_mem | 65536 | kB | integer |  |  | f",
        ];
        let expect = "name = 'autovacuum_work_mem'\nexpect = '<= 32MB'";
        assert_eq!(of(expect, &rows), "fail: -1 (as maintenance_work_mem)");
        assert_eq!(
            of(expect, &rows[..1]),
            "not assessable: -1 (as maintenance_work_mem); `maintenance_work_mem` is not in the export"
        );
    }

    #[test]
    fn lists_have_members() {
        let row = "shared_preload_libraries | pg_stat_statements, pgaudit |  | string |  |  | f";
        for (expect, want) in [
            ("contains = 'pgaudit'", "pass"),
            ("contains = ['pgaudit', 'auto_explain']", "fail"),
            ("contains = 'pgaudi'", "fail"),
            ("lacks = 'dblink'", "pass"),
            ("lacks = ['dblink', 'pgaudit']", "fail"),
        ] {
            let said = of(&format!("name = 'shared_preload_libraries'\n{expect}"), &[row]);
            assert!(said.starts_with(want), "{expect}: {said}");
        }
    }

    #[test]
    fn the_servers_value_counts_not_the_exporters() {
        let expect = "name = 'lock_timeout'\nexpect = '= 0'";
        assert_eq!(
            of(expect, &["lock_timeout | 5000 | ms | integer | session | 0 | f"]),
            "pass: 0 (no limit, or never)"
        );
        let role = of(expect, &["lock_timeout | 5000 | ms | integer | user | 5000 | f"]);
        assert!(role.starts_with("not assessable: the exporting session has its own value (source: user)"), "{role}");
    }

    #[test]
    fn what_is_not_listed_is_not_passed() {
        assert_eq!(
            of("name = 'fsync'\nexpect = 'on'", &["port | 5432 |  | integer |  |  | f"]),
            "not assessable: not in the export, which is not of all settings (1)"
        );
        let rows: Vec<String> = (0..200).map(|i| format!("setting_{i} | 1 |  | integer |  |  | f")).collect();
        let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        rows.push("shared_buffers | 1 | 8kB | integer |  |  | f");
        let near = of("name = 'shared_bufers'\nexpect = '> 1'", &rows);
        assert!(near.starts_with("not assessable") && near.ends_with("did you mean `shared_buffers`?"), "{near}");
        let module = of("name = 'pgaudit.log'\nexpect = 'all'", &rows);
        assert!(module.starts_with("fail: not set: none of 201 settings"), "{module}");
        let none = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(
            said(&node(&[none]), "[[setting]]\nname = 'fsync'\nexpect = 'on'"),
            "not assessable: `pg_settings` is not in the dump"
        );
    }
}
