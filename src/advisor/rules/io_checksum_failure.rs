//! Pages whose checksum was wrong.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "io-checksum-failure",
    title: "Pages with a wrong checksum",
    needs: &[Need::View("pg_stat_database", &["datid", "checksum_failures"])],
    wants: &[],
    thresholds: &[Threshold { name: "min_failures", default: 1.0, unit: Unit::Count, about: "One is one too many." }],
    docs: Docs {
        looks_at: "Checksum failures of each database, and of the objects that all databases share, since the statistics began.",
        why: "What storage gave back is not what PostgreSQL wrote: data is damaged, and the next failure may hit more.",
        decides: "Any is critical, also one before the window: it does not heal. NULL means that checksums are off.",
        what_to_do: "Keep a copy of the data directory before anything else. Find the pages (pg_amcheck, the server's log), check \
                     the storage, restore what is damaged from a backup.",
        ignore_when: "It is known, repaired, and the counter was not reset since.",
        references: "PostgreSQL manual, \"pg_stat_database\"; \"pg_amcheck\"; \"Data Checksums\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    let (mut known, mut exact) = (0, true);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let Some(row) = change.last() else { continue };
        let Some(failures) = row.f64("checksum_failures") else { continue };
        known += 1;
        exact &= change.is_exact();
        if failures < ctx.threshold("min_failures") {
            continue;
        }
        let name = row.text("datname").unwrap_or("shared objects");
        let new = change.delta("checksum_failures").filter(|d| *d > 0.0 && !ctx.chain.is_single());
        let quantity = Quantity::float(failures, Unit::Count);
        let when = row
            .time("checksum_last_failure")
            .map_or_else(Text::new, |t| Text::new().t(", the last at ").n(Quantity::time(t)));
        let title = Text::new()
            .t("Pages with a wrong checksum were read ")
            .many(quantity, "time in ", "times in ")
            .name(name)
            .then(when);
        let why = Text::new().t("What storage gave back is not what was written: data is damaged.");
        findings.push(
            ctx.finding(Severity::Critical, Subject::new(SubjectKind::Database, name), title)
                .why(match new {
                    Some(n) => why.t(" ").opt(Quantity::float(n, Unit::Count)).t(" of them in the window."),
                    None => why,
                })
                .measure(ctx.measure("Checksum failures", change, "checksum_failures"))
                .measure(ctx.read("Last failure", row, "checksum_last_failure"))
                .fix(Fix::diagnose(
                    name,
                    "-- both must be off before anything is read: else damaged pages are emptied, or taken for good\n\
                     SELECT name, setting, source FROM pg_settings WHERE name IN ('zero_damaged_pages', 'ignore_checksum_failure');\n\
                     SELECT datname, checksum_failures, checksum_last_failure FROM pg_stat_database;\n\
                     -- then stop the server, copy the data directory, and read the copy: pg_checksums --check -D <copy>\n\
                     -- what it names is taken from a backup or a standby; after that pg_amcheck --install-missing --all --heapallindexed",
                ))
                .verify("pg_checksums and pg_amcheck read everything without an error, and the counter stands still.")
                .effort(Effort::L),
        );
    }
    if known == 0 {
        return Err(Skip("checksums are off: damage is not noticed this way".to_owned()));
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} without a {}checksum failure",
            counted(known, "database", "databases"),
            if exact { "" } else { "counted " }
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};
    use crate::finding::Outcome;

    fn say(header: &str, before: &str, after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(header, before, after), ""))
    }

    /// Where zero_damaged_pages is on, reading a damaged page empties it.
    #[test]
    fn nothing_is_read_before_it_is_known_that_reading_does_no_harm() {
        let Outcome::Found { findings, .. } = judge(&RULE, &database_over_an_hour("checksum_failures", "2", "2"), "")
        else {
            panic!()
        };
        let sql = &findings[0].fixes[0].sql;
        let (settings, reads) = (sql.find("zero_damaged_pages"), sql.find("pg_checksums --check"));
        assert!(settings.is_some() && settings < reads, "{sql}");
    }

    #[test]
    fn any_failure_is_critical_also_an_old_one() {
        const HEADER: &str = "checksum_failures | checksum_last_failure";
        assert_eq!(
            say(HEADER, "2 | 2026-11-02 00:00:00+00", "2 | 2026-11-02 00:00:00+00"),
            [
                "critical, high: shop: Pages with a wrong checksum were read 2 times in shop, the last at 2 Nov 2026 00:00 UTC"
            ]
        );
        assert_eq!(say(HEADER, "0 | ", "0 | "), ["passed: 1 database without a checksum failure"]);
        assert_eq!(say(HEADER, " | ", " | "), ["skipped: checksums are off: damage is not noticed this way"]);
    }
}
