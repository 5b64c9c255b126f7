//! Cures that many rules print alike.

use crate::finding::{Fix, Risk, Verb};
use crate::ident::{quote_ident, quote_literal};
use crate::text::Text;

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

/// `ALTER ROLE … SET name = 'value'`: for the role of one workload, sessions that begin afterwards.
pub fn set_role(role: Option<&str>, name: &str, value: &str, when_not: Text) -> Fix {
    let role_sql = role.map_or_else(|| quote_ident("<role of this workload>"), quote_ident);
    let object = format!("{name} of {}", role.unwrap_or("the workload's role"));
    let sql = format!(
        "-- for the role that needs it; takes effect in its new sessions\nALTER ROLE {role_sql} SET {name} = {};",
        quote_literal(value)
    );
    Fix::new(Verb::Set, Risk::R1, object, sql)
        .lock("no lock")
        .when_not(when_not)
        .undo(format!("ALTER ROLE {role_sql} RESET {name};"))
}

/// Ends a session: what it did in its open transaction is lost.
pub fn terminate(pid: i64, when_not: Text) -> Fix {
    let sql = format!(
        "-- process ids are used again: first check that this is still the session meant\n\
         SELECT pid, usename, application_name, state, xact_start, query FROM pg_stat_activity WHERE pid = {pid};\n\
         SELECT pg_terminate_backend({pid});"
    );
    Fix::new(Verb::End, Risk::R2, format!("pid {pid}"), sql)
        .lock("no lock; the session's transaction is rolled back")
        .when_not(when_not)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_values_and_roles() {
        let fix = set_role(Some("app\"x"), "work_mem", "64MB", "never".into());
        assert!(fix.sql.ends_with("ALTER ROLE \"app\"\"x\" SET work_mem = '64MB';"), "{}", fix.sql);
        let fix = set_system("log_temp_files", "10MB", Effect::Reload, Some("-1"), "never".into());
        assert_eq!(fix.sql, "ALTER SYSTEM SET log_temp_files = '10MB';\nSELECT pg_reload_conf();");
        assert_eq!(fix.undo.as_deref(), Some("ALTER SYSTEM SET log_temp_files = '-1';\nSELECT pg_reload_conf();"));
    }
}
