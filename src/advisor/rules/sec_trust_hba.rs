//! Connections over the network that are let in without a password.

use crate::advisor::hba::HbaRule;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::ident::visible;
use crate::text::{Text, counted};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-trust-hba",
    title: "Remote connections are let in without a password",
    needs: &[Need::View("pg_hba_file_rules", &["line_number", "type", "address", "auth_method"])],
    wants: &[Need::Setting("listen_addresses")],
    thresholds: &[],
    docs: Docs {
        looks_at: "The rules of pg_hba.conf with the method trust, what stands before them, and the addresses that the server listens on.",
        why: "trust lets a client in as any role that the rule names, a superuser included, whoever it is.",
        decides: "A rule of the network with the method trust: critical, high where it names one other machine. Left alone: \
                  sockets, 127.0.0.0/8, ::1, localhost and samehost, where only users of the machine itself come from; rules that \
                  ask for a client's certificate; lines with an error, which are not in force; rules whose connections an earlier \
                  rule of another method decides about, as the first that fits counts. A note where the server listens on no address of the \
                  network. Networks of virtual machines and containers are networks too: who is in them is not visible.",
        what_to_do: "Give each role a password, then scram-sha-256 instead of trust in those lines, hostssl instead of host where \
                     TLS is set up, and a reload. The file is not changed by SQL.",
        ignore_when: "Something before the server decides who reaches its port, and everybody who does may do everything.",
        references: "PostgreSQL manual, \"The pg_hba.conf File\"; \"Trust Authentication\"; \"pg_hba_file_rules\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("pg_hba_file_rules")?;
    let rules: Vec<HbaRule<'_>> = state.table.iter().filter_map(HbaRule::read).collect();
    let broken = state.table.rows - rules.len();
    let local_only = ctx.exported_setting("listen_addresses").is_some_and(|s| listens_locally(s.text));
    let mut findings = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let decided = |earlier: &HbaRule<'_>| earlier.method() != "trust" && earlier.decides_before(rule);
        if rule.method() != "trust"
            || rule.is_of_this_machine()
            || rule.asks_for_certificate()
            || rules.iter().take(at).any(decided)
        {
            continue;
        }
        let severity = match () {
            () if local_only => Severity::Info,
            () if rule.is_of_one_host() => Severity::High,
            () => Severity::Critical,
        };
        let line = rule.line();
        let line = visible(&line);
        let mut finding = ctx
            .finding(
                severity,
                Subject::new(SubjectKind::Server, format!("pg_hba.conf {line}")),
                Text::new().t("Let in without a password: ").name(line.into_owned()),
            )
            .why("Who can reach the server's port from there is any role that the line names, without proof.")
            .doubts([state.doubt()])
            .measure(ctx.read("Line of the file", rule.row, "line_number"));
        if ctx.exported_setting("listen_addresses").is_some() {
            finding = finding.measure(ctx.setting_measure("listen_addresses"));
        }
        if local_only {
            finding =
                finding.not("The server listens on no address of the network now: nobody gets as far as this line.");
        }
        findings.push(
            finding
                .fix(Fix::diagnose(
                    "pg_hba.conf",
                    "-- roles without a password, or with an md5 hash where the line asks for scram-sha-256, cannot log in then:\n\
                     -- give them one first (\\password, with password_encryption = 'scram-sha-256')\n\
                     SELECT rolname, left(rolpassword, 3) = 'md5' AS md5 FROM pg_authid\n\
                     WHERE rolcanlogin AND (rolpassword IS NULL OR rolpassword LIKE 'md5%') ORDER BY rolname;\n\
                     -- then in pg_hba.conf, in the lines shown: scram-sha-256 instead of trust; after it SELECT pg_reload_conf();\n\
                     SELECT line_number, type, database, user_name, address, netmask, auth_method, error\n\
                     FROM pg_hba_file_rules WHERE auth_method = 'trust' OR error IS NOT NULL ORDER BY line_number;",
                ))
                .verify("pg_hba_file_rules shows no trust for addresses of the network, and no line with an error.")
                .effort(Effort::S),
        );
    }
    let errors = if broken == 0 { String::new() } else { format!("; {broken} with an error, not in force") };
    let looked_at =
        format!("{}, none lets a remote client in without proof{errors}", counted(rules.len(), "rule", "rules"));
    Ok(Checked { findings, looked_at })
}

/// Whether a value of listen_addresses names no address of the network.
fn listens_locally(addresses: &str) -> bool {
    addresses
        .split(',')
        .map(str::trim)
        .filter(|a| !a.is_empty())
        .all(|a| a.eq_ignore_ascii_case("localhost") || a.parse::<core::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    const HEADER: &str =
        "line_number | type | database | user_name | address | netmask | auth_method | options | error";

    fn judged(rows: &[&str], listens: &str) -> Outcome {
        let rows: Vec<String> = rows.iter().enumerate().map(|(i, row)| format!("{} | {row}", i + 90)).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let b = literal("2026-11-22 12:00:00+00").view("pg_hba_file_rules", HEADER, &rows).view(
            "pg_settings",
            "name | setting",
            &[&format!("listen_addresses | {listens}")],
        );
        judge(&RULE, &[b.build()], "")
    }

    /// A role whose hash is md5 cannot log in where scram-sha-256 is asked for, as little as one without a password.
    #[test]
    fn who_would_be_locked_out_is_asked_first() {
        let Outcome::Found { findings, .. } = judged(&["host | {all} | {all} | 192.0.2.0/24 | | trust | | "], "*")
        else {
            panic!()
        };
        let sql = &findings[0].fixes[0].sql;
        assert!(sql.contains("rolpassword IS NULL OR rolpassword LIKE 'md5%'"), "{sql}");
    }

    fn of(rows: &[&str]) -> Vec<String> {
        told(&judged(rows, "*"))
    }

    const ANYWHERE: &str = "host | {all} | {all} | 0.0.0.0 | 0.0.0.0 | trust | |";

    #[test]
    fn finds_trust_over_the_network() {
        let line = "host all all 0.0.0.0/0 trust";
        assert_eq!(of(&[ANYWHERE]), [format!("critical, high: pg_hba.conf {line}: Let in without a password: {line}")]);
        for (row, severity) in [
            ("hostssl | {shop} | {app} | all | | trust | |", "critical"),
            ("host | {replication} | {all} | 10.0.0.0 | 255.0.0.0 | trust | |", "critical"),
            ("host | {all} | {all} | samenet | | trust | |", "critical"),
            ("host | {all} | {all} | .example.com | | trust | |", "critical"),
            ("host | {all} | {all} | fe80:: | ffff:ffff:ffff:ffff:: | trust | |", "critical"),
            // Half of the addresses, those of this machine among them.
            ("host | {all} | {all} | 0.0.0.0 | 128.0.0.0 | trust | |", "critical"),
            // A mask with holes is no single machine.
            ("host | {all} | {all} | 10.0.0.7 | 0.255.0.0 | trust | |", "critical"),
            ("host | {all} | {all} | 10.0.0.7 | 255.255.255.255 | trust | |", "high"),
            ("host | {all} | {all} | web1.example.com | | trust | |", "high"),
        ] {
            assert!(of(&[row])[0].starts_with(severity), "{row}: {:?}", of(&[row]));
        }
        let Outcome::Found { findings, .. } = judged(&[ANYWHERE], "*") else { panic!() };
        assert!(
            findings[0].fixes.iter().all(|f| f.verb == crate::finding::Verb::Diagnose),
            "the file is not changed by SQL"
        );
    }

    #[test]
    fn leaves_alone_what_comes_from_the_machine_or_proves_itself() {
        for row in [
            "local | {all} | {all} | | | trust | |",
            "host | {all} | {all} | 127.0.0.1 | 255.255.255.255 | trust | |",
            "host | {all} | {all} | 127.0.0.0 | 255.0.0.0 | trust | |",
            "host | {all} | {all} | ::1 | ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff | trust | |",
            "host | {all} | {all} | localhost | | trust | |",
            "host | {all} | {all} | samehost | | trust | |",
            "hostssl | {all} | {all} | all | | trust | {clientcert=verify-full} |",
            "host | {all} | {all} | all | | scram-sha-256 | |",
        ] {
            assert!(of(&[row])[0].starts_with("passed: 1 rule,"), "{row}: {:?}", of(&[row]));
        }
        let broken = "host | {all} | {all} | all | | trust | | invalid netmask";
        assert_eq!(
            of(&[broken]),
            ["passed: 0 rules, none lets a remote client in without proof; 1 with an error, not in force"]
        );
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        for (earlier, reached) in [
            ("host | {all} | {all} | all | | reject | |", false),
            ("host | {all} | {all} | 0.0.0.0 | 0.0.0.0 | scram-sha-256 | |", false),
            // Of other connections, of another family, of some of them only.
            ("local | {all} | {all} | | | reject | |", true),
            ("hostssl | {all} | {all} | all | | reject | |", true),
            ("host | {shop} | {all} | all | | reject | |", true),
            ("host | {all} | {app} | all | | reject | |", true),
            ("host | {all} | {all} | 10.0.0.0 | 255.0.0.0 | reject | |", true),
            ("host | {all} | {all} | :: | :: | reject | |", true),
            ("host | {all} | {all} | all | | trust | |", true),
        ] {
            let said = of(&[earlier, ANYWHERE]);
            assert_eq!(said.iter().any(|s| s.contains("0.0.0.0/0 trust")), reached, "{earlier}: {said:?}");
        }
        // What stands behind it decides nothing, and all databases are not replication.
        assert!(of(&[ANYWHERE, "host | {all} | {all} | all | | reject | |"])[0].starts_with("critical"));
        let replication = "host | {replication} | {all} | all | | trust | |";
        assert!(of(&["host | {all} | {all} | all | | reject | |", replication])[0].starts_with("critical"));
    }

    #[test]
    fn a_note_where_nobody_gets_that_far() {
        for (listens, severity) in
            [("localhost", "info"), ("127.0.0.1, ::1", "info"), ("''", "info"), ("localhost,10.0.0.1", "critical")]
        {
            assert!(told(&judged(&[ANYWHERE], listens))[0].starts_with(severity), "{listens}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(told_of_nothing(&RULE), "skipped, input missing: `pg_hba_file_rules` is not in the dump");
    }
}
