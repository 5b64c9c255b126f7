//! Partitioned tables whose partitions end soon.

use crate::advisor::index_cure::with_timeout;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::{quote_literal, quote_qualified, quote_regclass};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-future-partition",
    title: "No partition for the coming time",
    needs: &[Need::View("partitions", &["parent_relid", "child_relid", "bound"])],
    wants: &[Need::View("pg_stat_user_tables", &["n_tup_ins"])],
    thresholds: &[
        Threshold {
            name: "min_partitions",
            default: 3.0,
            unit: Unit::Count,
            about: "Fewer show no rhythm in which partitions are made.",
        },
        Threshold {
            name: "ahead_steps",
            default: 2.0,
            unit: Unit::Times,
            about: "Two partitions ahead: one may be forgotten without harm.",
        },
    ],
    docs: Docs {
        looks_at: "Upper bounds of the partitions of each table that is partitioned by a range of time, against the time of the \
                   snapshot, and whether rows are inserted.",
        why: "A row for which there is no partition is refused; with a default partition it goes there, and the partition that should \
              have taken it can then be made only while the default partition is locked and searched.",
        decides: "Found when the last upper bound is less than two partitions ahead. That new rows are of the present time shows where \
                  they go: into the partition of the window, or into the default partition. High where they do, the end is less \
                  than a partition ahead, and no default partition takes them; medium where one takes them already; low where \
                  the end is only near; info where no such row is inserted. Bounds that are no times are not judged.",
        what_to_do: "Create the next partitions and attach them, which goes beside readers (CREATE TABLE … PARTITION OF locks the table \
                     against all access), and let a job do it from now on.",
        ignore_when: "The table is an archive, or its key is not the present time.",
        references: "PostgreSQL manual, \"Table Partitioning\"; that a default partition is searched when one is attached: there.",
    },
    check,
};

/// A table partitioned by time.
#[derive(Default)]
struct Ranges<'a> {
    rows: Vec<(Row<'a>, Timestamp, Timestamp)>,
    default: Option<Row<'a>>,
    open: bool,
}

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("partitions")?;
    let mut tables: BTreeMap<i64, Ranges<'_>> = BTreeMap::new();
    for row in state.table.iter() {
        let (Some(parent), Some(bound)) = (row.int("parent_relid"), row.text("bound")) else { continue };
        let ranges = tables.entry(parent).or_default();
        match range(bound) {
            Some((from, to)) => ranges.rows.push((row, from, to)),
            None if bound.trim() == "DEFAULT" => ranges.default = Some(row),
            // Up to MAXVALUE, or not by time at all.
            None => ranges.open = true,
        }
    }
    let least = cx.threshold("min_partitions");
    tables.retain(|_, r| !r.open && r.rows.len() as f64 >= least);
    let mut checked = Checked::default();
    if let Some(now) = cx.now() {
        for ranges in tables.values() {
            checked.findings.extend(finding(cx, ranges, now).map(|f| f.doubts([state.doubt()])));
        }
    }
    let looked_at = counted(tables.len(), "table partitioned by time", "tables partitioned by time");
    checked.looked_at = format!("{looked_at}, into {least} partitions or more");
    Ok(checked)
}

/// The bounds of a partition `FOR VALUES FROM ('…') TO ('…')` of one column, where both are times.
fn range(bound: &str) -> Option<(Timestamp, Timestamp)> {
    let inner = bound.trim().strip_prefix("FOR VALUES FROM ('")?.strip_suffix("')")?;
    let (from, to) = inner.split_once("') TO ('")?;
    let time = |text: &str| {
        let whole = text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2;
        let text = if whole { format!("{text} 00:00:00+00") } else { text.to_owned() };
        Timestamp::parse(&text).map(|(t, _)| t)
    };
    Some((time(from)?, time(to)?))
}

fn finding<'a>(cx: &Context<'a>, ranges: &Ranges<'a>, now: Timestamp) -> Option<Finding> {
    let (last, from, to) = ranges.rows.iter().copied().max_by_key(|(_, _, to)| *to)?;
    let step = to.seconds_since(from).max(1.0);
    let ahead = to.seconds_since(now);
    if ahead > cx.threshold("ahead_steps") * step {
        return None;
    }
    let name = |column: &str| last.text(column).unwrap_or_default();
    let subject = Subject::qualified(SubjectKind::Table, name("parent_schema"), name("parent"));
    // Rows of the present time: those of the partitions that hold a part of the window, and of the default partition.
    let begun = cx.chain.first().meta.taken_at.unwrap_or(now);
    let present: Vec<Change<'_>> = ranges
        .rows
        .iter()
        .filter(|(_, from, to)| *from <= now && *to >= begun)
        .map(|(row, ..)| *row)
        .chain(ranges.default)
        .filter_map(|row| cx.facts.table(row.int("child_relid")?)?.change)
        .collect();
    let exact = present.iter().all(|change| change.is_exact());
    let inserted: f64 = present.iter().filter_map(|change| change.delta("n_tup_ins")).sum();
    // What one snapshot counts may be of another time, and a standby counts no rows.
    let counted = !cx.chain.is_single() && cx.is_standby() != Some(true);
    let inserted = if counted { inserted } else { 0.0 };
    let severity = match (inserted > 0.0, ranges.default.is_some()) {
        (false, _) => Severity::Info,
        (true, false) if ahead <= step => Severity::High,
        (true, true) if ahead <= 0.0 => Severity::Medium,
        (true, _) => Severity::Low,
    };
    let distance = Quantity::float(ahead.abs(), Unit::Seconds);
    let title = if ahead <= 0.0 {
        Text::new().t("The last partition of ").name(&subject.name).t(" ended ").opt(distance).t(" ago")
    } else {
        Text::new().t("The last partition of ").name(&subject.name).t(" ends in ").opt(distance)
    };
    let why = match (inserted > 0.0, ranges.default.is_some()) {
        (false, _) if cx.is_standby() == Some(true) => {
            "A standby does not count rows: whether rows of the present time are inserted, its primary tells."
        }
        (false, _) if !counted => "Whether rows of the present time are inserted, a second snapshot tells.",
        (false, _) if !exact => {
            "No row of the present time was counted in the window; counters began again in it, so there may have been some."
        }
        (false, _) => "No row of the present time was inserted in the window: perhaps it is an archive.",
        (true, true) => {
            "Rows of a later time go into the default partition, from which they have to be moved before the partition that should hold them can be made."
        }
        (true, false) => "Rows of a later time are refused: there is no default partition.",
    };
    let (label, later, earlier) = if ahead <= 0.0 {
        ("Time since the last upper bound", now, to)
    } else {
        ("Time until the last upper bound", to, now)
    };
    let formula = format!("{} − {}", later.human(), earlier.human());
    let ends = cx.computed(label, distance, formula, &[(last, &["bound"])]);
    let mut finding = cx.finding(severity, subject.clone(), title).why(why).measure(ends);
    if counted {
        finding = finding.measure(
            cx.over_window(
                "Rows of the present inserted",
                Quantity::float(inserted, Unit::Rows),
                "n_tup_ins of the partitions of the window and of the default partition".to_owned(),
                &[(last, &["child"])],
            )
            .bounded(exact),
        );
    }
    let look = format!(
        "SELECT c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)\nFROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid\n\
         WHERE i.inhparent = {}::regclass ORDER BY 2;",
        quote_regclass(name("parent_schema"), name("parent"))
    );
    let next = (severity > Severity::Info).then(|| next_partition(cx, ranges, last, &subject.name));
    Some(
        finding
            .fix(Fix::diagnose(subject.name.clone(), look))
            .fixes(next)
            .deadline((ahead > 0.0 && severity > Severity::Info).then_some(to))
            .verify("The last upper bound is at least two partitions ahead in the next snapshot.")
            .effort(Effort::S),
    )
}

/// `CREATE TABLE … PARTITION OF` locks the parent against all access; what is made first and attached then does not (tried
/// on PostgreSQL 15: it went through beside an open reader).
fn next_partition<'a>(cx: &Context<'a>, ranges: &Ranges<'a>, last: Row<'a>, subject: &str) -> Fix {
    let name = |column: &str| last.text(column).unwrap_or_default();
    let parent = quote_qualified(name("parent_schema"), name("parent"));
    let end = name("bound").trim().trim_end_matches("')").rsplit_once("TO ('").map(|(_, end)| end);
    let from = end.map_or_else(|| "<last upper bound>".to_owned(), quote_literal);
    let (mut note, mut lock, mut risk) = (
        "-- <partition>: a new name; <next>: its upper bound\n".to_owned(),
        "SHARE UPDATE EXCLUSIVE on the table; SHARE ROW EXCLUSIVE on tables that its foreign keys reference or whose keys \
         reference it".to_owned(),
        Risk::R1,
    );
    if ranges.default.is_some() {
        note.push_str("-- refused while the default partition holds rows of that range: they have to be moved first\n");
        lock.push_str("; ACCESS EXCLUSIVE on the default partition, which is read meanwhile");
        risk = Risk::R2;
    }
    let divided = last.int("child_relid").and_then(|id| cx.facts.table(id)?.is_kind("p")) == Some(true);
    if divided {
        note.push_str("-- the last one is itself partitioned: with PARTITION BY at the end of CREATE TABLE, and parts of its own\n");
    }
    let attach = with_timeout(&format!(
        "ALTER TABLE {parent} ATTACH PARTITION <partition> FOR VALUES FROM ({from}) TO (<next>);"
    ));
    let sql = format!(
        "{note}CREATE TABLE <partition> (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED);\n{attach}"
    );
    let detach = with_timeout(&format!("ALTER TABLE {parent} DETACH PARTITION <partition>;"));
    Fix::new(Verb::Create, risk, format!("next partition of {subject}"), sql)
        .lock(lock)
        .when_not("A job makes its partitions: let that make this one too.")
        .undo(format!("-- while it is empty; ACCESS EXCLUSIVE on the table and on those whose keys reference it\n{detach}\nDROP TABLE <partition>;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    fn over_an_hour(bounds: [&str; 3], default: bool, inserted: &str) -> Vec<String> {
        told(&judged(bounds, default, inserted))
    }

    fn judged(bounds: [&str; 3], default: bool, inserted: &str) -> Outcome {
        let taken = |at: &str, rows: &str| {
            let mut partitions: Vec<String> = bounds
                .iter()
                .enumerate()
                .map(|(i, b)| format!("1 | public | m | {} | public | m{i} | {b}", i + 2))
                .collect();
            if default {
                partitions.push("1 | public | m | 9 | public | m_default | DEFAULT".to_owned());
            }
            literal(at)
                .view(
                    "partitions",
                    "parent_relid | parent_schema | parent | child_relid | child_schema | child | bound",
                    &partitions.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_tup_ins",
                    &[&format!("4 | public | m2 | {rows}"), &format!("9 | public | m_default | {rows}")],
                )
                .build()
        };
        judge(&RULE, &[taken("2026-11-22 10:00:00+00", "5"), taken("2026-11-22 11:00:00+00", inserted)], "")
    }

    #[test]
    fn the_next_one_is_made_first_and_attached_then() {
        let fixes = |default, inserted| {
            let Outcome::Found { findings, .. } = judged(DAYS, default, inserted) else { panic!() };
            findings[0].fixes.clone()
        };
        let made = fixes(false, "900");
        assert_eq!((made.len(), made[1].risk), (2, Risk::R1));
        assert!(made[1].sql.ends_with(
            "SET lock_timeout = '5s';\n\
             ALTER TABLE \"public\".\"m\" ATTACH PARTITION <partition> FOR VALUES FROM ('2026-11-23') TO (<next>);"
        ));
        let beside_default = fixes(true, "900");
        assert_eq!(beside_default[1].risk, Risk::R2);
        assert!(beside_default[1].lock.contains("ACCESS EXCLUSIVE on the default partition"));
        assert_eq!(fixes(false, "5").len(), 1, "perhaps an archive: only looked at");
    }

    const DAYS: [&str; 3] = [
        "FOR VALUES FROM ('2026-11-20') TO ('2026-11-21')",
        "FOR VALUES FROM ('2026-11-21') TO ('2026-11-22')",
        "FOR VALUES FROM ('2026-11-22') TO ('2026-11-23')",
    ];

    #[test]
    fn an_end_that_is_near_is_told_by_what_happens_then() {
        assert_eq!(
            over_an_hour(DAYS, false, "900"),
            ["high, high: public.m: The last partition of public.m ends in 13 h 00 m"]
        );
        assert_eq!(
            over_an_hour(DAYS, true, "900"),
            ["low, high: public.m: The last partition of public.m ends in 13 h 00 m"]
        );
        assert_eq!(
            over_an_hour(DAYS, false, "5"),
            ["info, high: public.m: The last partition of public.m ends in 13 h 00 m"]
        );
        let past = DAYS.map(|b| b.replace("2026-11", "2026-10"));
        assert_eq!(
            over_an_hour([&past[0], &past[1], &past[2]], true, "900"),
            ["medium, high: public.m: The last partition of public.m ended 30 d 11 h ago"]
        );
    }

    #[test]
    fn rows_of_another_time_say_nothing_of_the_end() {
        let past = DAYS.map(|b| b.replace("2026-11", "2026-10"));
        assert_eq!(
            over_an_hour([&past[0], &past[1], &past[2]], false, "900"),
            ["info, high: public.m: The last partition of public.m ended 30 d 11 h ago"]
        );
    }

    #[test]
    fn what_is_not_counted_is_not_said_to_be_an_archive() {
        let why = |standby: bool, both: bool| {
            let taken = |at: &str| {
                let rows: Vec<String> =
                    (2..5).zip(DAYS).map(|(i, b)| format!("1 | public | m | {i} | public | m{i} | {b}")).collect();
                let columns = "parent_relid | parent_schema | parent | child_relid | child_schema | child | bound";
                literal(at)
                    .meta(|m| m.in_recovery = Some(standby))
                    .view("partitions", columns, &rows.iter().map(String::as_str).collect::<Vec<_>>())
                    .view("pg_stat_user_tables", "relid | schemaname | relname | n_tup_ins", &["4 | public | m4 | 0"])
                    .build()
            };
            let taken = [taken("2026-11-22 10:00:00+00"), taken("2026-11-22 11:00:00+00")];
            let Outcome::Found { findings, .. } = judge(&RULE, &taken[usize::from(!both)..], "") else { panic!() };
            findings[0].why.plain()
        };
        assert!(why(false, true).contains("perhaps it is an archive"));
        assert!(why(true, true).contains("its primary tells"));
        assert!(why(false, false).contains("a second snapshot tells"));
    }

    #[test]
    fn partitions_far_ahead_and_other_keys_are_left_alone() {
        let ahead = DAYS.map(|b| b.replace("2026-11", "2026-12"));
        let quiet = ["passed: 1 table partitioned by time, into 3 partitions or more"];
        assert_eq!(over_an_hour([&ahead[0], &ahead[1], &ahead[2]], false, "900"), quiet);
        for other in
            ["FOR VALUES FROM ('2026-11-23') TO (MAXVALUE)", "FOR VALUES FROM (1) TO (100)", "FOR VALUES IN ('a')"]
        {
            assert_eq!(
                over_an_hour([DAYS[0], DAYS[1], other], false, "900"),
                ["passed: 0 tables partitioned by time, into 3 partitions or more"]
            );
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `partitions` is not in the dump"
        );
    }
}
