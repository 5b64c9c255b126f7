//! Sequences and key types near their end.

use crate::advisor::sequence_cure::cures;
use crate::advisor::sequences::{Own, Use};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Doubt, Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::ident::quote_qualified;
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const DAY: f64 = 86_400.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "seq-exhaustion",
    title: "Sequence near its end",
    needs: &[Need::View("pg_sequences", &["sequencename", "min_value", "max_value", "increment_by", "last_value"])],
    wants: &[Need::View("sequence_columns", &["column_type"])],
    thresholds: &[
        Threshold { name: "low_used", default: 0.5, unit: Unit::Share, about: "Half used: time to plan." },
        Threshold {
            name: "medium_used",
            default: 0.75,
            unit: Unit::Share,
            about: "Changing a key's type takes weeks in a large schema.",
        },
        Threshold {
            name: "high_used",
            default: 0.9,
            unit: Unit::Share,
            about: "The last tenth goes as fast as the first.",
        },
        Threshold {
            name: "critical_left",
            default: 30.0 * DAY,
            unit: Unit::Seconds,
            about: "Below a month at the measured rate the cure may come too late.",
        },
        Threshold {
            name: "min_drawn",
            default: 100.0,
            unit: Unit::Count,
            about: "A rate rests on at least this many numbers drawn in the window.",
        },
    ],
    docs: Docs {
        looks_at: "`last_value` of every sequence against its own limits and, where the dump tells the column it feeds, \
                   against the limits of the column's type; and how many numbers were drawn in the window.",
        why: "At the end nextval fails, or the column overflows: every insert that draws a number is refused from that \
              moment on.",
        decides: "Used share = (last − first) ÷ (limit − first), with limit the nearer of the sequence's and the column \
                  type's; mirrored for descending sequences. Low from `low_used`, medium from `medium_used`, high from \
                  `high_used` on. Critical where what is left, divided by the measured rate, is less than \
                  `critical_left`; the rate needs `min_drawn` numbers in the window, and a date is given \
                  only where the window is as long as what is left, since a rate is no forecast. A sequence that cycles does not end: it repeats values, which is only mentioned. \
                  `last_value` includes numbers cached by sessions, so the share is an upper bound. NULL means not used \
                  yet, or not permitted.",
        what_to_do: "Widen the sequence and every column that holds its values, foreign keys included. A sequence AS \
                     bigint is a catalog change; the column's type is a rewrite under ACCESS EXCLUSIVE, so on a large \
                     table add a bigint column, fill it by trigger and in batches, then swap.",
        ignore_when: "The values are recycled by design, or the table is about to be dropped.",
        references: "PostgreSQL manual: CREATE SEQUENCE, ALTER SEQUENCE, view pg_sequences, Numeric Types.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("pg_sequences")?;
    let mut checked = Checked::default();
    let mut most: f64 = 0.0;
    for row in state.table.iter() {
        let Some(it) = Use::of(cx, row) else { continue };
        most = most.max(it.used());
        if it.used() >= cx.threshold("low_used") {
            checked.findings.push(report(cx, &it).doubts([state.doubt()]));
        }
    }
    checked.looked_at =
        format!("{}, at most {} used", counted(state.table.rows, "sequence", "sequences"), show(most, Unit::Share));
    Ok(checked)
}

/// Numbers drawn per second over the chain; `None` where too few were drawn to say.
fn rate(cx: &Context<'_>, it: &Use<'_>) -> Option<f64> {
    let (schema, name) = it.name();
    let same = |r: &Row<'_>| r.text("schemaname") == Some(schema) && r.text("sequencename") == Some(name);
    let first = cx.chain.first().table("pg_sequences")?.iter().find(same)?.int("last_value")?;
    let elapsed = cx.chain.elapsed_s.filter(|s| *s >= 60.0)?;
    let drawn = ((it.last - i128::from(first)) / it.step) as f64;
    (drawn >= cx.threshold("min_drawn")).then(|| drawn / elapsed)
}

fn report<'a>(cx: &Context<'a>, it: &Use<'a>) -> Finding {
    let (schema, name) = it.name();
    let used = Quantity::float(it.used(), Unit::Share);
    let remaining = i64::try_from(it.remaining())
        .map_or(Quantity::float(it.remaining() as f64, Unit::Count), |n| Some(Quantity::int(n, Unit::Count)));
    let rate = rate(cx, it);
    let left_s = rate.map(|r| it.remaining() as f64 / r);
    let cycles = it.row.bool("cycle") == Some(true);
    let severity = match it.used() {
        _ if cycles => Severity::Info,
        _ if left_s.is_some_and(|s| s < cx.threshold("critical_left")) => Severity::Critical,
        u if u >= cx.threshold("high_used") => Severity::High,
        u if u >= cx.threshold("medium_used") => Severity::Medium,
        _ => Severity::Low,
    };
    let subject = Subject::qualified(SubjectKind::Sequence, schema, name);
    let title = Text::new().opt(used).t(" used, ").many(remaining, "number left", "numbers left");
    let what = it.row.text("data_type").unwrap_or("sequence");
    let limit = match (it.by_column, it.own()) {
        (true, _) => {
            format!("its column's type, {}", it.column.and_then(|c| c.text("column_type")).unwrap_or_default())
        }
        (false, Own::Chosen) if it.step > 0 => "the MAXVALUE it was given".to_owned(),
        (false, Own::Chosen) => "the MINVALUE it was given".to_owned(),
        (false, _) => format!("its own limit as {what}"),
    };
    let then = if cycles { "It begins anew then." } else { "Inserts that draw from it fail then." };
    let number = |n: i128| i64::try_from(n).ok().map(|n| Quantity::int(n, Unit::Count));
    let mut why = Text::new().t("It ends at ").opt(number(it.limit)).t(format!(": {limit}. {then}"));
    if let Some(seconds) = left_s {
        why = why
            .t(" At the rate measured, what is left is enough for ")
            .opt(Quantity::float(seconds, Unit::Seconds))
            .t(" (arithmetic, no forecast).");
    } else if severity == Severity::High {
        why = why.t(
            " How long that lasts is not known: too few numbers were drawn between snapshots, or there is one only.",
        );
    }
    let shown = |n: i128| number(n).map_or_else(|| n.to_string(), Quantity::human);
    let [last, first, limit] = [it.last, it.first, it.limit].map(shown);
    let formula = format!("({last} − {first}) ÷ ({limit} − {first})");
    let left = format!("({limit} − {last}) ÷ {}", shown(it.step));
    // Without the column's type the end may be nearer: a bigint sequence may feed an integer column.
    let unknown_column = (it.column.is_none() && what == "bigint").then_some(Doubt::C4);
    let mut finding = cx
        .finding(severity, subject.clone(), title)
        .doubts([unknown_column])
        .why(why)
        .measure(cx.seen_in(
            cx.snapshot_of(it.row),
            "Last value",
            number(it.last),
            cx.cite(std::iter::once(it.row), &["last_value"]),
        ))
        .measure(cx.computed("Numbers left", remaining, left, &[(it.row, &["last_value", "increment_by"])]))
        .measure(cx.computed("Used", used, formula, &[(it.row, &["last_value", "min_value", "max_value"])]));
    if let Some((rate, left)) = rate.zip(left_s) {
        let formula = format!("{} numbers ÷ {}", shown(it.remaining()), show(rate, Unit::PerSecond));
        finding = finding.measure(cx.over_window(
            "Left at the measured rate",
            Quantity::float(left, Unit::Seconds),
            formula,
            &[(it.row, &["last_value", "increment_by"])],
        ));
    }
    if cycles {
        return finding.not("It cycles: it never fails, but repeats values; a unique column would refuse them.");
    }
    let look = (left_s.is_none() && severity == Severity::High).then(|| {
        let sequence = quote_qualified(schema, name);
        Fix::diagnose(&subject.name, format!("-- twice, some minutes apart: how fast it moves decides how soon\nSELECT now(), last_value FROM {sequence};"))
    });
    // A date only where the measured window is as long as what is left.
    let near = left_s.filter(|left| cx.chain.elapsed_s.is_some_and(|seen| *left <= seen) && !cycles);
    finding
        .deadline(near.zip(cx.now()).map(|(left, now)| now.plus_seconds(left)))
        .fixes(look)
        .fixes(cures(it, &subject))
        .effort(Effort::M)
        .verify("pg_sequences shows the new max_value, and the column's type holds it.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::{Outcome, Risk, Verb};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(at: &str, rows: &[&str]) -> Literal {
        literal(at).view(
            "pg_sequences",
            "schemaname | sequencename | data_type | min_value | max_value | increment_by | cycle | last_value",
            rows,
        )
    }

    const NOON: &str = "2026-11-22 12:00:00+00";

    #[test]
    fn finds_the_last_tenth() {
        let b = taken(NOON, &["public | tiny | smallint | 1 | 32767 | 1 | f | 31000"]);
        let outcome = judge(&RULE, &[b.build()], "");
        assert_eq!(told(&outcome), ["high, high: public.tiny: 94.6% used, 1,767 numbers left"]);
    }

    #[test]
    fn the_columns_type_may_be_the_nearer_end() {
        let b = taken(NOON, &["public | t_id_seq | bigint | 1 | 9223372036854775807 | 1 | f | 1717986918"]).view(
            "sequence_columns",
            "relid | schemaname | sequencename | table_schemaname | table_relname | column_name | column_type",
            &["1 | public | t_id_seq | public | t | id | integer"],
        );
        let outcome = judge(&RULE, &[b.build()], "");
        assert_eq!(told(&outcome), ["medium, high: public.t_id_seq: 80% used, 429,496,729 numbers left"]);
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        let fix = &findings[0].fixes[0];
        let alter =
            |kind| format!("SET lock_timeout = '5s';\nALTER TABLE \"public\".\"t\" ALTER COLUMN \"id\" TYPE {kind};");
        assert_eq!(fix.sql, alter("bigint") + "\nVACUUM (ANALYZE) \"public\".\"t\";");
        assert!(fix.undo.as_deref().is_some_and(|undo| undo.contains(&alter("integer"))), "{fix:?}");
        assert_eq!(fix.risk, Risk::R2);
        assert!(fix.lock.contains("ACCESS EXCLUSIVE") && fix.lock.contains("rewrit"), "{}", fix.lock);
    }

    #[test]
    fn descending_ones_are_mirrored_and_extremes_do_not_overflow() {
        let b = taken(
            NOON,
            &[
                "public | down | integer | -2147483648 | -1 | -1 | f | -2000000000",
                "public | wide | bigint | -9223372036854775808 | 9223372036854775807 | 1 | f | 9223372036854775807",
            ],
        );
        assert_eq!(
            told(&judge(&RULE, &[b.build()], "")),
            [
                "high, high: public.down: 93.1% used, 147,483,648 numbers left",
                "high, medium: public.wide: 100% used, 0 numbers left"
            ]
        );
    }

    #[test]
    fn a_limit_that_was_chosen_is_lifted_and_one_that_is_the_last_is_not_moved() {
        let sql = |row: &str| {
            let feeds = taken(NOON, &[row]).view(
                "sequence_columns",
                "schemaname | sequencename | table_schemaname | table_relname | column_name | column_type",
                &["public | s | public | t | id | bigint"],
            );
            let Outcome::Found { findings, .. } = judge(&RULE, &[feeds.build()], "") else { panic!("{row}") };
            let alter = findings[0].fixes.iter().find(|f| f.verb == Verb::Alter);
            alter.map(|f| (f.sql.clone(), f.undo.clone().unwrap_or_default()))
        };
        let seq =
            |note: &str, rest: &str| format!("SET lock_timeout = '5s';\n{note}ALTER SEQUENCE \"public\".\"s\"{rest};");
        let refused = "-- refused once last_value is beyond the old limit\n";
        for (row, want) in [
            ("integer | 1 | 2147483647 | 1 | f | 2147483000", Some((" AS bigint", " AS integer"))),
            ("integer | 1 | 1000 | 1 | f | 990", Some((" AS bigint NO MAXVALUE", " AS integer MAXVALUE 1000"))),
            ("bigint | 1 | 1000 | 1 | f | 990", Some((" NO MAXVALUE", " MAXVALUE 1000"))),
            ("bigint | -1000 | -1 | -1 | f | -990", Some((" NO MINVALUE", " MINVALUE -1000"))),
            ("bigint | 1 | 9223372036854775807 | 1 | f | 9223372036854775000", None),
        ] {
            let want = want.map(|(change, undo)| (seq("", change), seq(refused, undo)));
            assert_eq!(sql(&format!("public | s | {row}")), want, "{row}");
        }
    }

    /// A serial column is an integer: its sequence alone, made bigint, only moves the failure into the column.
    #[test]
    fn without_the_column_nothing_is_altered_before_it() {
        let fixes = |row: &str| {
            let Outcome::Found { findings, .. } = judge(&RULE, &[taken(NOON, &[row]).build()], "") else {
                panic!("{row}")
            };
            findings.into_iter().next().map(|f| f.fixes).unwrap_or_default()
        };
        let serial = fixes("public | s | integer | 1 | 2147483647 | 1 | f | 2147483000");
        let [_, fix] = serial.as_slice() else { panic!("{serial:?}") };
        let column = fix.sql.find("-- SET lock_timeout = '5s'; ALTER TABLE <table>").unwrap();
        let sequence = fix.sql.find("-- SET lock_timeout = '5s'; ALTER SEQUENCE \"public\".\"s\" AS bigint;").unwrap();
        assert!(column < sequence && fix.sql.contains("pg_attrdef"), "{}", fix.sql);
        assert!(fix.undo.as_deref().is_some_and(|u| u.ends_with("AS integer;")), "{fix:?}");
        let wide = fixes("public | s | bigint | 1 | 9223372036854775807 | 1 | f | 9223372036854775000");
        assert!(!wide.is_empty() && wide.iter().all(|f| f.verb == Verb::Diagnose), "{wide:?}");
    }

    #[test]
    fn one_that_cycles_never_fails() {
        let b = taken(NOON, &["public | s | integer | 1 | 1000 | 1 | t | 926"]);
        let Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert_eq!(findings[0].why.plain(), "It ends at 1,000: the MAXVALUE it was given. It begins anew then.");
        assert!(findings[0].fixes.is_empty());
    }

    #[test]
    fn a_rate_needs_numbers_drawn() {
        let a = |n: u32| taken(NOON, &[&format!("public | s | integer | 1 | 2147483647 | 1 | f | {n}")]).build();
        let b = |n: u32| {
            taken("2026-11-22 13:00:00+00", &[&format!("public | s | integer | 1 | 2147483647 | 1 | f | {n}")]).build()
        };
        let severity = |from, to| told(&judge(&RULE, &[a(from), b(to)], ""))[0].split(',').next().unwrap().to_owned();
        assert_eq!(severity(2_000_000_000, 2_000_000_050), "high");
        assert_eq!(severity(2_000_000_000, 2_010_000_000), "critical");
        let due = |from, to| {
            let Outcome::Found { findings, .. } = judge(&RULE, &[a(from), b(to)], "") else { panic!() };
            (findings[0].deadline.is_some(), findings[0].fixes[0].verb)
        };
        let drawn = (due(2_000_000_000, 2_010_000_000), due(2_000_000_000, 2_080_000_000));
        assert!(!drawn.0.0 && drawn.1.0, "13 hours left and 51 minutes, by a window of one hour");
        assert_eq!(due(2_000_000_000, 2_000_000_050), (false, Verb::Diagnose), "too few to say: looked at first");
    }

    #[test]
    fn stays_quiet_where_there_is_room_or_no_use_and_skips() {
        let b = taken(
            NOON,
            &[
                "public | s | bigint | 1 | 9223372036854775807 | 1 | f | 5000000000",
                "public | u | integer | 1 | 2147483647 | 1 | f |",
            ],
        );
        assert_eq!(told(&judge(&RULE, &[b.build()], "")), ["passed: 2 sequences, at most <0.1% used"]);
        assert_eq!(
            told(&judge(&RULE, &[literal(NOON).build()], "")),
            ["skipped, input missing: `pg_sequences` is not in the dump"]
        );
    }
}
