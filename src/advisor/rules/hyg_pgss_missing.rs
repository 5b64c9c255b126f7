//! No statement statistics.

use crate::advisor::{Check, Checked, Context, Docs, Rule};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::text::{Text, counted};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-pgss-missing",
    title: "No statement statistics",
    needs: &[],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Whether any snapshot has pg_stat_statements.",
        why: "Without it nothing tells which statements take the time: tables and indexes are judged without knowing who uses \
              them.",
        decides: "No snapshot has the view. Where `pg_stat_statements_info` has a row, extension and library are there.",
        what_to_do: "Load the extension (a restart), create it in the database that is looked at, export it too.",
        ignore_when: "It was left out of the export on purpose.",
        references: "PostgreSQL manual, \"pg_stat_statements\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let there = ctx.chain.snapshots.iter().filter(|s| s.table("pg_stat_statements").is_some()).count();
    let looked_at =
        format!("{there} of {} with statement statistics", counted(ctx.chain.snapshots.len(), "snapshot", "snapshots"));
    if there > 0 {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    // Its own view of itself fails where the library is not loaded (tried on PostgreSQL 15).
    let kept_back = ctx.last("pg_stat_statements_info").is_some_and(|t| t.rows > 0);
    let loaded = ctx.exported_setting("shared_preload_libraries").map(|s| s.text.contains("pg_stat_statements"));
    let why = match loaded {
        _ if kept_back => {
            "The extension is there and its library loaded (pg_stat_statements_info has a row): only its view was not exported."
        }
        Some(true) => {
            "The library is loaded: the extension was not created in this database, or the view was not exported."
        }
        Some(false) => "The library is not loaded.",
        None => "Whether the library is loaded is not known from this export.",
    };
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Data, "pg_stat_statements"),
            "The export has no statement statistics",
        )
        .why(Text::new().t("Nothing tells which statements take the time. ").t(why))
        .fix(match ctx.is_standby() {
            _ if kept_back => look_at_the_view(),
            Some(true) => look_on_the_primary(),
            _ => create(loaded),
        })
        .verify("The next snapshot has pg_stat_statements.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

fn look_at_the_view() -> Fix {
    Fix::diagnose(
        "pg_stat_statements",
        "-- as the role that exports; pg_read_all_stats shows it all texts\nSELECT count(*) FROM pg_stat_statements;",
    )
}

/// A standby has the extensions of its primary, and only loads the library itself.
fn look_on_the_primary() -> Fix {
    Fix::diagnose(
        "pg_stat_statements",
        "-- on the standby; where it is named, and the extension is there, its view only was not exported\n\
         SHOW shared_preload_libraries;\n\
         SELECT extname, extversion FROM pg_extension WHERE extname = 'pg_stat_statements';\n\
         -- the extension is created on the primary; the library is loaded by each server's own configuration",
    )
}

/// A restart is only asked for where the library may be missing.
fn create(loaded: Option<bool>) -> Fix {
    const CREATE: &str = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;";
    const UNDO: &str = "-- not where the CREATE said that it already exists\nDROP EXTENSION pg_stat_statements;";
    if loaded == Some(true) {
        return Fix::new(Verb::Create, Risk::R1, "pg_stat_statements", CREATE)
            .lock("no lock")
            .when_not(
                "The extension exists already: then export its view, with a role that may read it (pg_read_all_stats).",
            )
            .undo(UNDO);
    }
    let load =
        "-- postgresql.conf: shared_preload_libraries = 'pg_stat_statements'   (added to what is there; restart)";
    let first = if loaded.is_none() {
        "SHOW shared_preload_libraries;  -- where it is named there, no restart is needed\n"
    } else {
        ""
    };
    Fix::new(Verb::Create, Risk::R2, "pg_stat_statements", format!("{first}{load}\n{CREATE}"))
        .lock("no lock; loading the library needs a restart")
        .when_not("A restart is not possible now: plan it.")
        .undo(format!(
            "{UNDO}\n-- postgresql.conf: take it out of shared_preload_libraries again, where this put it in   (restart)"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn nothing_is_created_on_a_standby() {
        let b = literal("2026-11-22 12:00:00+00").meta(|m| m.in_recovery = Some(true)).view(
            "pg_settings",
            "name | setting",
            &["shared_preload_libraries | pg_stat_statements"],
        );
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert!(findings[0].fixes.iter().all(|f| f.verb == Verb::Diagnose), "{:#?}", findings[0].fixes);
    }

    #[test]
    fn what_is_loaded_and_was_not_exported_is_not_installed_again() {
        let b = literal("2026-11-22 12:00:00+00").view(
            "pg_stat_statements_info",
            "dealloc | stats_reset",
            &["0 | 2026-11-22 10:00:00+00"],
        );
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert!(findings[0].fixes.iter().all(|f| f.verb == Verb::Diagnose), "{:#?}", findings[0].fixes);
        assert!(findings[0].why.plain().contains("only its view was not exported"));
    }

    #[test]
    fn misses_them_only_where_no_snapshot_has_them() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["low, high: pg_stat_statements: The export has no statement statistics"]
        );
        let fix = |value: &str| {
            let b = literal("2026-11-22 12:00:00+00").view(
                "pg_settings",
                "name | setting",
                &[&format!("shared_preload_libraries | {value}")],
            );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            (findings[0].fixes[0].risk, findings[0].fixes[0].sql.contains("restart"))
        };
        assert_eq!(fix("auto_explain, pg_stat_statements"), (Risk::R1, false), "it is loaded: nothing to restart for");
        assert_eq!(fix("auto_explain"), (Risk::R2, true));
        let b = literal("2026-11-22 12:00:00+00").view("pg_stat_statements", "queryid | calls", &[]).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["passed: 1 of 1 snapshot with statement statistics"]);
    }
}
