//! Cures that many rules print alike.

use super::Context;
use super::sessions::SessionKey;
use crate::finding::{Fix, Risk, RoleSetting, Verb};
use crate::ident::{quote_ident, quote_literal};
use crate::text::Text;
use crate::time::Timestamp;

/// When a changed server setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// After `pg_reload_conf()`.
    Reload,
    /// After a restart of the server.
    Restart,
}

/// `ALTER SYSTEM SET name = 'value'` with what makes it take effect; the undo restores `before`.
pub fn set_system(name: &str, value: &str, effect: Effect, before: Option<&str>, when_not: Text) -> Fix {
    let set = |value: &str| {
        let then = match effect {
            Effect::Reload => "SELECT pg_reload_conf();",
            Effect::Restart => "-- takes effect at the next restart of the server",
        };
        format!("ALTER SYSTEM SET {name} = {};\n{then}", quote_literal(value))
    };
    let (risk, lock) = match effect {
        Effect::Reload => (Risk::R1, "no lock"),
        Effect::Restart => (Risk::R2, "no lock; the restart ends all sessions"),
    };
    let fix = Fix::new(Verb::Set, risk, name, set(value)).lock(lock).when_not(when_not);
    match before {
        Some(before) => fix.undo(set(before)),
        None => fix,
    }
}

/// Where the value that is in force stands in no `postgresql.auto.conf`, RESET undoes an ALTER SYSTEM: setting the
/// value would pin it there, and `postgresql.conf` would be without effect from then on.
pub(super) fn undo_by_reset(context: &Context<'_>, fix: &mut Fix) {
    let Some(row) = context.setting_row(&fix.object) else { return };
    let elsewhere = match row.text("source") {
        // A change that waits for a restart may stand there.
        Some("default") => row.bool("pending_restart") == Some(false),
        Some("configuration file") => row.text("sourcefile").is_some_and(|f| !f.ends_with("postgresql.auto.conf")),
        _ => false,
    };
    let Some(undo) = fix.undo.as_deref().filter(|_| elsewhere && fix.verb == Verb::Set) else { return };
    let begins = format!("ALTER SYSTEM SET {} = ", fix.object);
    if let Some((_, then)) = undo.strip_prefix(&begins).and_then(|rest| rest.split_once(";\n")) {
        fix.undo = Some(format!("ALTER SYSTEM RESET {};\n{then}", fix.object));
    }
}

/// SQL that is not to be run as it stands: each line a comment.
pub(super) fn commented(sql: &str) -> String {
    let lines: Vec<String> = sql.lines().map(|line| format!("-- {}", line.trim_start_matches("-- "))).collect();
    lines.join("\n")
}

/// A role that no dump names.
pub(super) const SOME_ROLE: &str = "the workload's role";

/// `ALTER ROLE … SET name = 'value'`: for the role of one workload, sessions that begin afterwards.
pub fn set_role(role: Option<&str>, name: &str, value: &str, when_not: Text) -> Fix {
    let role_sql = role.map_or_else(|| quote_ident("<role of this workload>"), quote_ident);
    let object = format!("{name} of {}", role.unwrap_or(SOME_ROLE));
    let setting = RoleSetting { name: name.to_owned(), role: role.map(str::to_owned), value: value.to_owned() };
    let sql = format!(
        "-- for the role that needs it; takes effect in its new sessions\nALTER ROLE {role_sql} SET {name} = {};",
        quote_literal(value)
    );
    let fix = Fix::new(Verb::Set, Risk::R1, object, sql)
        .lock("no lock")
        .when_not(when_not)
        .undo(format!("ALTER ROLE {role_sql} RESET {name};"));
    Fix { role_setting: Some(setting), ..fix }
}

/// More `work_mem` for the role of one workload.
pub fn set_work_mem(context: &Context<'_>, role: Option<&str>, megabytes: f64) -> Fix {
    let when_not = format!(
        "The role runs many sessions at a time: {}. SET LOCAL in the one transaction that needs it is gentler.",
        each_operation(context)
    );
    set_role(role, "work_mem", &format!("{megabytes:.0}MB"), when_not.into())
}

/// More `work_mem` for the transactions that run one statement.
pub fn set_work_mem_once(context: &Context<'_>, statement: &str, megabytes: f64) -> Fix {
    let sql = format!("-- in each transaction that runs it, before it\nSET LOCAL work_mem = '{megabytes:.0}MB';");
    let when_not = format!(
        "Many sessions run it at a time: {}. Not for the role that runs it: it runs most of everything here.",
        each_operation(context)
    );
    Fix::new(Verb::Set, Risk::R1, format!("work_mem of {statement}"), sql)
        .lock("no lock; it ends with the transaction")
        .when_not(when_not)
}

fn each_operation(context: &Context<'_>) -> String {
    let times = context.setting("hash_mem_multiplier").and_then(|s| s.value);
    let hash = match times.unwrap_or(if context.major() >= 15 { 2.0 } else { 1.0 }) {
        times if times > 1.0 => format!(", each hash {times} times as much (hash_mem_multiplier)"),
        _ => String::new(),
    };
    format!("each sort of each of them may then use this much{hash}")
}

/// Ends a session: what it did in its open transaction is lost.
pub fn terminate(session: &SessionKey, when_not: Text) -> Fix {
    let SessionKey { pid, started } = *session;
    let seen = "usename, application_name, state, xact_start, query";
    // Process ids are used again: it ends the session that was seen, or nobody.
    let meant = started.map(|at| format!("backend_start = '{at}'"));
    Fix::new(Verb::End, Risk::R2, format!("pid {pid}"), signal(pid, "pg_terminate_backend", seen, meant))
        .lock("no lock; the session's transaction is rolled back")
        .when_not(when_not)
}

/// Cancels a statement: it fails, and its session goes on.
pub fn cancel(object: impl Into<String>, pid: i64, began: Option<Timestamp>, when_not: Text) -> Fix {
    // The session may be at another statement by then.
    let meant = began.map(|at| format!("query_start = '{at}' AND state = 'active'"));
    Fix::new(Verb::End, Risk::R2, object, signal(pid, "pg_cancel_backend", "usename, query_start, query", meant))
        .lock("no lock; the statement fails, its transaction with it")
        .when_not(when_not)
}

/// Looks at a process and signals it, where it still is what was `meant`; where that cannot be told, only looks.
fn signal(pid: i64, function: &str, seen: &str, meant: Option<String>) -> String {
    let look = format!("SELECT pid, {seen} FROM pg_stat_activity WHERE pid = {pid}");
    match meant {
        Some(meant) => format!("{look};\nSELECT {function}(pid) FROM pg_stat_activity WHERE pid = {pid} AND {meant};"),
        None => format!(
            "-- process ids are used again: first check that this is still what is meant\n{look};\n-- SELECT {function}({pid});"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The undo of setting log_temp_files, whose value comes from there.
    fn undo_of(source: &str) -> String {
        use crate::advisor::testing::judge;
        use crate::finding::Outcome;
        let row = format!("log_temp_files | -1 | kB | {source}");
        let taken = crate::snapshot::literal::literal("2026-11-22 10:00:00+00")
            .view("pg_settings", "name | setting | unit | source | sourcefile | pending_restart", &[&row])
            .build();
        let rule = crate::advisor::rules::RULES.iter().find(|r| r.id == "cfg-logging").unwrap();
        let Outcome::Found { findings, .. } = judge(rule, &[taken], "") else { panic!() };
        findings.into_iter().flat_map(|f| f.fixes).find(|f| f.object == "log_temp_files").unwrap().undo.unwrap()
    }

    #[test]
    fn what_alter_system_had_not_set_is_reset() {
        let reset = "ALTER SYSTEM RESET log_temp_files;\nSELECT pg_reload_conf();";
        assert_eq!(undo_of("default | | f"), reset);
        assert_eq!(undo_of("configuration file | /etc/postgresql/postgresql.conf | f"), reset);
        let set = "ALTER SYSTEM SET log_temp_files = '-1';\nSELECT pg_reload_conf();";
        assert_eq!(undo_of("configuration file | /data/postgresql.auto.conf | f"), set);
        assert_eq!(undo_of("configuration file | | f"), set, "not permitted to see where");
        assert_eq!(undo_of("default | | t"), set);
    }

    /// The process may be at another statement by then.
    #[test]
    fn cancels_the_statement_that_was_seen_or_none() {
        let began = Timestamp::from_seconds(1_790_000_000);
        let sql = cancel("pid 7", 7, Some(began), "never".into()).sql;
        assert!(sql.ends_with(&format!("pid = 7 AND query_start = '{began}' AND state = 'active';")), "{sql}");
        let unknown = cancel("pid 7", 7, None, "never".into()).sql;
        assert!(unknown.lines().filter(|l| l.contains("pg_cancel_backend")).all(|l| l.starts_with("-- ")), "{unknown}");
    }

    #[test]
    fn quotes_values_and_roles() {
        let fix = set_role(Some("app\"x"), "work_mem", "64MB", "never".into());
        assert!(fix.sql.ends_with("ALTER ROLE \"app\"\"x\" SET work_mem = '64MB';"), "{}", fix.sql);
        let fix = set_system("log_temp_files", "10MB", Effect::Reload, Some("-1"), "never".into());
        assert_eq!(fix.sql, "ALTER SYSTEM SET log_temp_files = '10MB';\nSELECT pg_reload_conf();");
        assert_eq!(fix.undo.as_deref(), Some("ALTER SYSTEM SET log_temp_files = '-1';\nSELECT pg_reload_conf();"));
    }
}
