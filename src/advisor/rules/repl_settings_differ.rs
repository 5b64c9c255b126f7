//! Settings that differ between a primary and its standbys.

use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Peer, Rule, Skip, State, state};
use crate::catalog::settings::{STANDBY_LIMITS, parse};
use crate::finding::{Effort, Finding, Severity, Subject, SubjectKind};
use crate::ident::visible;
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-settings-differ",
    title: "Settings differ between the servers of a cluster",
    needs: &[Need::View("pg_settings", &["name", "setting"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "`pg_settings` of a primary and its standbys, where dumps of several are given together.",
        why: "Five limits have to be at least as high on a standby as on its primary: where one is lower the standby stops \
              replaying when the primary raises it (up to 13 it shuts down), and it does not start anew. Of the others, what \
              was tuned on the primary only is lost with the failover.",
        decides: "High where one of the five limits (max_connections, max_worker_processes, max_wal_senders, \
                  max_prepared_transactions, max_locks_per_transaction) is lower on a standby than on the primary. Low, in one \
                  list a standby, for other settings that differ. Left out: what is each server's own (names, paths, \
                  addresses, recovery, what only one of the roles uses), what belongs to the exporting session or role, and \
                  what only follows from the machine.",
        what_to_do: "Raise the limits on the standbys first. Keep the other settings in one place for all servers.",
        ignore_when: "The standby is for other work (reports, backups) and never takes over.",
        references: "PostgreSQL manual, \"Hot Standby\" (administrator's overview).",
    },
    check,
};

/// Settings that are each server's own.
const OWN: &[&str] = &[
    "archive_cleanup_command",
    "application_name",
    "bonjour_name",
    "cluster_name",
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "hot_standby",
    "hot_standby_feedback",
    "ident_file",
    "in_hot_standby",
    "krb_server_keyfile",
    "listen_addresses",
    "log_directory",
    "log_filename",
    "max_standby_archive_delay",
    "max_standby_streaming_delay",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "promote_trigger_file",
    "restore_command",
    "session_authorization",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_crl_dir",
    "ssl_crl_file",
    "ssl_key_file",
    "synchronous_standby_names",
    "sync_replication_slots",
    "synchronized_standby_slots",
    "standby_slot_names",
    "transaction_read_only",
    "transaction_isolation",
    "unix_socket_directories",
    "wal_receiver_create_temp_slot",
    "wal_receiver_status_interval",
    "wal_receiver_timeout",
    "wal_retrieve_retry_interval",
];

/// Whether a setting is compared.
fn is_shared(name: &str) -> bool {
    !OWN.contains(&name) && !name.starts_with("recovery_") && !name.starts_with("lc_")
}

fn check(ctx: &Context<'_>) -> Check {
    let peers = &ctx.facts.peers.all;
    if peers.is_empty() {
        return Err(Skip("one server only: give the dumps of its standbys together with it".to_owned()));
    }
    // Said once, by the primary.
    if ctx.is_standby() != Some(false) {
        return Err(Skip("compared on the primary".to_owned()));
    }
    let ours = ctx.state_or_skip("pg_settings")?;
    let (mut findings, mut compared) = (Vec::new(), 0);
    for peer in peers.iter().filter(|p| p.chain.last().meta.in_recovery == Some(true)) {
        let Some(theirs) = state(peer.chain, "pg_settings") else { continue };
        compared += 1;
        findings.extend(limits(ctx, peer, &ours, &theirs));
        findings.extend(others(ctx, peer, &ours, &theirs));
    }
    if compared == 0 {
        return Err(Skip("no standby's settings are in the dumps".to_owned()));
    }
    Ok(Checked {
        findings,
        looked_at: format!("{} settings against {compared} standbys, none differs", ours.table.rows),
    })
}

fn by_name<'a>(state: &State<'a>) -> BTreeMap<&'a str, Row<'a>> {
    state.table.iter().filter_map(|r| Some((r.text("name")?, r))).collect()
}

fn limits<'a>(ctx: &Context<'a>, peer: &Peer<'a>, ours: &State<'a>, theirs: &State<'a>) -> Vec<Finding> {
    let (ours, theirs) = (by_name(ours), by_name(theirs));
    let number = |row: &Row<'a>| server_value(*row)?.parse::<i64>().ok();
    let one = |name: &&str| {
        let (row, their_row) = (ours.get(name)?, theirs.get(name)?);
        let (a, b) = (number(row)?, number(their_row)?);
        let title = Text::new()
            .code(*name)
            .t(" is ")
            .n(Quantity::int(b, Unit::Plain))
            .t(" on ")
            .name(peer.name)
            .t(", ")
            .n(Quantity::int(a, Unit::Plain))
            .t(" on the primary");
        let finding = ctx
            .finding(Severity::High, Subject::new(SubjectKind::Setting, format!("{name} on {}", peer.name)), title)
            .why(
                "The standby stops replaying, or does not start again, as soon as the primary's value is in its WAL: what it \
                 has is then older and older.",
            )
            .measure(ctx.computed(
                "On the primary",
                Some(Quantity::int(a, Unit::Plain)),
                format!("setting {a}"),
                &[(*row, &["setting"])],
            ))
            .measure(ctx.of_peer(&format!("On {}", peer.name), peer.name, *their_row, "setting"))
            .verify("The standby's value is at least the primary's in the next dumps.")
            .effort(Effort::M);
        (b < a).then_some(finding)
    };
    STANDBY_LIMITS.iter().filter_map(one).collect()
}

/// What stands for a command that is not in use.
const DISABLED: &str = "(disabled)";

fn others<'a>(ctx: &Context<'a>, peer: &Peer<'a>, ours: &State<'a>, theirs: &State<'a>) -> Option<Finding> {
    let their_rows = by_name(theirs);
    let mut different: Vec<(&str, Row<'a>, Row<'a>)> = Vec::new();
    for (name, row) in by_name(ours) {
        let Some(their_row) = their_rows.get(name).filter(|_| is_shared(name)) else { continue };
        let (Some(a), Some(b)) = (server_value(row), server_value(*their_row)) else { continue };
        // What the server shows where archive_mode is off: that one differs.
        if a == DISABLED || b == DISABLED {
            continue;
        }
        let unit = |row: &Row<'a>| row.text("unit").unwrap_or_default();
        let same = a == b || parse(a, Some(unit(&row))) == parse(b, Some(unit(their_row)));
        // What nobody set follows from the machine or the build.
        let set = |row: &Row<'a>| !matches!(row.text("source"), Some("default" | "override"));
        let lower_limit = STANDBY_LIMITS.contains(&name) && a.parse::<i64>().ok() > b.parse::<i64>().ok();
        if !same && !lower_limit && (set(&row) || set(their_row)) {
            different.push((name, row, *their_row));
        }
    }
    let (first, ..) = different.first()?;
    let count = Quantity::count(different.len());
    let mut title = Text::new().many(count, "setting differs", "settings differ").t(" on ").name(peer.name).t(": ");
    title = title.code(*first);
    if different.len() > 1 {
        title = title.t(" and others");
    }
    let shown = |row: &Row<'a>| {
        let text = server_value(*row).unwrap_or_default();
        let quantity = parse(text, row.text("unit")).quantity();
        quantity.map_or_else(|| visible(text).into_owned(), Quantity::human)
    };
    let members = different.iter().map(|(name, a, b)| {
        Subject::new(SubjectKind::Setting, format!("{name}: {}, {} on {}", shown(a), shown(b), peer.name))
    });
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Server, format!("settings of {}", peer.name)), title)
        .members(members.collect())
        .why("After a failover the other values hold.")
        .doubts([ours.doubt(), theirs.doubt()])
        .verify("The next dumps of both servers have the same values.")
        .effort(Effort::S);
    for (name, _, their_row) in different.iter().take(5) {
        let theirs = ctx.setting_of_peer(&format!("{name} on {}", peer.name), peer.name, *their_row);
        finding = finding.measure(ctx.setting_measure(name)).measure(theirs);
    }
    let rows: Vec<(Row<'a>, &[&str])> = different.iter().map(|(_, row, _)| (*row, &["setting", "unit"][..])).collect();
    let formula = "of those that both servers export".to_owned();
    Some(finding.measure(ctx.computed("Settings that differ", Some(count), formula, &rows)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_among, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    fn server(standby: bool, rows: &[&str]) -> Vec<std::sync::Arc<crate::snapshot::Snapshot>> {
        let taken = literal("2026-11-22 12:00:00+00").meta(|m| m.in_recovery = Some(standby)).view(
            "pg_settings",
            "name | setting | unit | source | reset_val",
            rows,
        );
        vec![taken.build()]
    }

    const PRIMARY: &[&str] = &[
        "max_connections | 200 |  | configuration file | 200",
        "work_mem | 4096 | kB | configuration file | 4096",
        "port | 5432 |  | configuration file | 5432",
        "lock_timeout | 5000 | ms | session | 0",
        "shared_memory_size | 143 | MB | default | 143",
    ];

    fn of(standby: &[&str]) -> Outcome {
        judge_among(&RULE, &server(false, PRIMARY), &[("b", server(true, standby))], "")
    }

    #[test]
    fn a_lower_limit_is_high_and_the_rest_one_list() {
        let outcome = of(&[
            "max_connections | 100 |  | configuration file | 100",
            "work_mem | 65536 | kB | configuration file | 65536",
            "port | 5433 |  | configuration file | 5433",
            "lock_timeout | 9000 | ms | session | 0",
            "shared_memory_size | 150 | MB | default | 150",
        ]);
        assert_eq!(
            told(&outcome),
            [
                "high, high: max_connections on b: max_connections is 100 on b, 200 on the primary",
                "low, high: settings of b: 1 setting differs on b: work_mem",
            ]
        );
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(findings[1].members[0].name, "work_mem: 4 MB, 64 MB on b");
        let shown = findings[1].measures[1].after.map(Quantity::human);
        assert_eq!(shown.as_deref(), Some("64 MB"), "as the primary's");
    }

    #[test]
    fn the_same_in_another_unit_and_a_higher_limit_are_fine() {
        let fine = of(&[
            "max_connections | 200 |  | configuration file | 200",
            "work_mem | 4 | MB | configuration file | 4",
            "port | 5433 |  | configuration file | 5433",
        ]);
        assert_eq!(told(&fine), ["passed: 5 settings against 1 standbys, none differs"]);
        let higher = of(&["max_connections | 300 |  | configuration file | 300"]);
        assert_eq!(told(&higher), ["low, high: settings of b: 1 setting differs on b: max_connections"]);
    }

    #[test]
    fn a_command_that_is_not_in_use_is_not_counted() {
        let server = |standby: bool, mode: &str, command: &str| {
            let rows = [
                format!("archive_mode | {mode} |  | configuration file | {mode}"),
                format!("archive_command | {command} |  | configuration file | {command}"),
            ];
            server(standby, &rows.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let outcome =
            judge_among(&RULE, &server(false, "on", "/bin/true"), &[("b", server(true, "off", "(disabled)"))], "");
        assert_eq!(told(&outcome), ["low, high: settings of b: 1 setting differs on b: archive_mode"]);
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(findings[0].measures[1].evidence.formula.as_deref(), Some("setting off"), "words are shown, too");
    }

    #[test]
    fn needs_a_standby_with_settings() {
        let alone = judge_among(&RULE, &server(false, PRIMARY), &[], "");
        assert!(told(&alone)[0].starts_with("skipped: one server only"));
        let bare = literal("2026-11-22 12:00:00+00").meta(|m| m.in_recovery = Some(true)).build();
        let without = judge_among(&RULE, &server(false, PRIMARY), &[("b", vec![bare])], "");
        assert_eq!(told(&without), ["skipped: no standby's settings are in the dumps"]);
    }
}
