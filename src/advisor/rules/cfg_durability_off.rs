//! Crash safety switched off.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-durability-off",
    title: "Crash safety switched off",
    needs: &[Need::Setting("fsync"), Need::Setting("full_page_writes")],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "The settings fsync and full_page_writes.",
        why: "Without fsync a crash of the operating system or a power failure can leave the whole cluster unreadable. Without \
              full_page_writes a page half written at the crash stays damaged.",
        decides: "Off is critical.",
        what_to_do: "Switch it on. To write faster, synchronous_commit = off loses at most the last transactions, never \
                     consistency.",
        ignore_when: "The data can be thrown away. full_page_writes alone may be off on storage that writes whole pages \
                      atomically, such as ZFS.",
        references: "PostgreSQL manual, \"Write Ahead Log\" (fsync, full_page_writes, synchronous_commit).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    for (name, harm) in [
        ("fsync", "After a power failure the whole cluster may be unreadable."),
        (
            "full_page_writes",
            "A page that a crash leaves half written stays damaged, unless storage writes whole pages.",
        ),
    ] {
        let Some(setting) = ctx.exported_setting(name).filter(|s| s.is_on() == Some(false)) else { continue };
        let mut fix =
            set_system(name, "on", Effect::Reload, Some("off"), "The data of this server can be thrown away.".into());
        if name == "fsync" {
            // What was written before is still where the kernel keeps it.
            fix.sql.push_str(
                "\n-- then once, so that what was written until now is safe too: stop the server, initdb --sync-only -D <data directory>",
            );
        }
        findings.push(
            ctx.finding(
                Severity::Critical,
                Subject::new(SubjectKind::Setting, name),
                Text::new().code(name).t(" is off"),
            )
            .why(harm)
            .doubts([setting.doubt()])
            .measure(ctx.setting_measure(name))
            .fix(fix)
            .verify("The setting is on in the next snapshot.")
            .effort(Effort::S),
        );
    }
    Ok(Checked { findings, looked_at: "fsync and full_page_writes are on".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_what_is_off_and_stays_quiet_else() {
        let with = |fsync: &str| {
            let rows = [format!("fsync | {fsync}"), "full_page_writes | on".to_owned()];
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            told(&judge(
                &RULE,
                &[literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting", &rows).build()],
                "",
            ))
        };
        assert_eq!(with("off"), ["critical, high: fsync: fsync is off"]);
        let off = literal("2026-11-22 12:00:00+00").view(
            "pg_settings",
            "name | setting",
            &["fsync | off", "full_page_writes | off"],
        );
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[off.build()], "") else { panic!() };
        let flushes: Vec<bool> = findings.iter().map(|f| f.fixes[0].sql.contains("--sync-only")).collect();
        assert_eq!(flushes, [true, false], "what was not flushed while fsync was off");
        assert_eq!(with("on"), ["passed: fsync and full_page_writes are on"]);
    }

    #[test]
    fn skips_without_settings() {
        assert_eq!(
            told(&judge(&RULE, &[literal("2026-11-22 12:00:00+00").build()], "")),
            ["skipped, input missing: needs the setting `fsync`; `pg_settings` does not have it"]
        );
    }
}
