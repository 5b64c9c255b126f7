//! pg_stat_statements that was not updated with the server.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-pgss-old-extension",
    title: "pg_stat_statements older than the server",
    needs: &[],
    wants: &[Need::View("meta", &["server_version_num", "pgss_version"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "The version of the extension pg_stat_statements, stated in the dump or told by its columns, against the one that \
                   comes with the server.",
        why: "After an upgrade of the server the extension stays as it was created: columns that came since (planning, WAL, nesting, \
              JIT, parallel workers) are missing, and with them the checks that read them.",
        decides: "Each version below the one that belongs to the major version.",
        what_to_do: "ALTER EXTENSION pg_stat_statements UPDATE, in each database that has it. It keeps its entries.",
        ignore_when: "A view of somebody's own depends on its columns: it has to be dropped for the update and made again.",
        references: "PostgreSQL manual, \"ALTER EXTENSION\"; observed on PostgreSQL 12 to 18.",
    },
    check,
};

/// The version that comes with each major version of the server.
const SHIPPED: [(u8, (u32, u32)); 7] =
    [(12, (1, 7)), (13, (1, 8)), (14, (1, 9)), (15, (1, 10)), (16, (1, 10)), (17, (1, 11)), (18, (1, 12))];

fn check(ctx: &Context<'_>) -> Check {
    let meta = &ctx.chain.last().meta;
    let Some(text) = meta.pgss_version.as_deref() else {
        return Err(Skip("the version of pg_stat_statements is not in the dump".to_owned()));
    };
    let Some(major) = meta.major().filter(|_| !meta.version_inferred) else {
        return Err(Skip("the server's version is not stated".to_owned()));
    };
    let shipped = SHIPPED.iter().find(|(m, _)| *m == major).map(|(_, version)| *version);
    let (Some(shipped), Some(installed)) = (shipped, number(text)) else {
        return Err(Skip(format!("which version belongs to PostgreSQL {major} is not known to this program")));
    };
    let looked_at = format!("pg_stat_statements {text} in PostgreSQL {major}");
    if installed >= shipped {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Data, "pg_stat_statements"),
            Text::new()
                .code(format!("pg_stat_statements {}.{}", installed.0, installed.1))
                .t(format!(" is older than the server, which comes with {}.{}", shipped.0, shipped.1)),
        )
        .measure(ctx.computed(
            "Version of the extension",
            None,
            format!("{text} installed; PostgreSQL {major} comes with {}.{}", shipped.0, shipped.1),
            &ctx.meta_rows(&["pgss_version", "server_version_num"]),
        ))
        .why("Columns that came since are missing, and the checks that read them cannot run.")
        .fix(
            Fix::new(Verb::Alter, Risk::R1, "pg_stat_statements", "ALTER EXTENSION pg_stat_statements UPDATE;")
                .lock("ACCESS EXCLUSIVE on the view for a moment: whoever reads it waits")
                .when_not("Views of your own depend on its columns: the update fails until they are dropped.")
                .undo("-- not possible: an extension has no way back to an older version"),
        )
        .verify("The next export has its newer columns.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

/// `1.10` as numbers, which compare.
fn number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(major: u8, extension: Option<&str>) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00").version(major);
        let b = b.meta(|m| m.pgss_version = extension.map(str::to_owned)).build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_an_extension_that_was_left_behind() {
        assert_eq!(
            with(17, Some("1.9")),
            ["low, high: pg_stat_statements: pg_stat_statements 1.9 is older than the server, which comes with 1.11"]
        );
    }

    #[test]
    fn stays_quiet_where_it_fits() {
        for (major, extension) in [(15, "1.10"), (16, "1.10"), (12, "1.7"), (17, "1.12")] {
            assert_eq!(
                with(major, Some(extension)),
                [format!("passed: pg_stat_statements {extension} in PostgreSQL {major}")]
            );
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(with(17, None), ["skipped: the version of pg_stat_statements is not in the dump"]);
        assert_eq!(
            with(19, Some("1.12")),
            ["skipped: which version belongs to PostgreSQL 19 is not known to this program"]
        );
    }
}
