//! Indexes that no query scanned for as long as the counters count.

use crate::advisor::index_cure::{drop_index, statistics_first};
use crate::advisor::index_use::{Candidate, OnPeers, bytes, candidates, on_peers, supporting, table_scans, writes};
use crate::advisor::too_early::{Young, too_early};
use crate::advisor::{Check, Checked, Context, CounterAge, Docs, Elsewhere, IndexFact, Need, Rule, Threshold, show};
use crate::diff::{Change, Class};
use crate::finding::{Confidence, Doubt, Effort, Finding, Severity};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

const DAY: f64 = 86_400.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-unused",
    title: "Index never scanned",
    needs: &[
        Need::View("pg_stat_user_indexes", &["idx_scan"]),
        Need::View("index_definitions", &["indexdef", "indisunique"]),
        Need::View("constraints", &["contype", "columns"]),
    ],
    wants: &[Need::View("pg_stat_user_tables", &["seq_scan"]), Need::View("pg_stat_user_indexes", &["last_idx_scan"])],
    thresholds: &[
        Threshold {
            name: "min_age",
            default: 7.0 * DAY,
            unit: Unit::Seconds,
            about: "Below a week no verdict: jobs run weekly.",
        },
        Threshold {
            name: "sure_age",
            default: 30.0 * DAY,
            unit: Unit::Seconds,
            about: "Below a month one step less sure: jobs run monthly.",
        },
        Threshold {
            name: "medium_bytes",
            default: 104_857_600.0,
            unit: Unit::Bytes,
            about: "A measurable part of disk and cache.",
        },
        Threshold {
            name: "high_bytes",
            default: 10_737_418_240.0,
            unit: Unit::Bytes,
            about: "Backup, restore and vacuum feel it.",
        },
        Threshold {
            name: "medium_writes",
            default: 10.0,
            unit: Unit::PerSecond,
            about: "Writes of the table that maintain it for nothing.",
        },
        Threshold {
            name: "min_table_scans",
            default: 100.0,
            unit: Unit::Count,
            about: "A table that nobody reads says nothing about its indexes.",
        },
    ],
    docs: Docs {
        looks_at: "`idx_scan` of every index since the counters began (not only in the window), the age of those \
                   counters, the last scan where PostgreSQL 16+ tells it, definitions, constraints and sizes.",
        why: "An index that no query scans still costs: every insert and every update that is not heap-only writes it, \
              vacuum reads it, it takes cache, disk and WAL.",
        decides: "Found when `idx_scan` is 0 and has been for `min_age` or longer; below, all such indexes stand in one \
                  note. An index scanned before but not for `sure_age` is reported as such, low at most. Excluded: \
                  primary keys, exclusion and unique constraints, replica identity, CLUSTER, the only index that \
                  supports a foreign key, invalid indexes, indexes created or rebuilt within the window, tables with fewer than \
                  `min_table_scans` scans. A unique index is only mentioned. Partitions are judged together, on their \
                  partitioned index. Low; medium from `medium_bytes` or `medium_writes` on; high from `high_bytes` on; \
                  below the size floor of the configuration (`min_bytes`) only a note. One step less sure unless the \
                  configuration says that no standby is read, and only a note where it says that one is \
                  and its dump is not given; where dumps of several servers are given, scans on any of them count, and below `sure_age`.",
        what_to_do: "Drop it with CONCURRENTLY; the definition stands beside it as undo. An index on an expression also \
                     gives the planner statistics: create extended statistics on the expression first (14+).",
        ignore_when: "Seasonal jobs and rare reports need it, a standby reads it (its own statistics tell), it is kept \
                      for disaster recovery, or it is younger than the counters: no export tells when an index was created.",
        references: "PostgreSQL manual: The Cumulative Statistics System, Examining Index Usage. That scans of standbys \
                     are not counted on the primary, and that an unscanned expression index steers estimates (100 \
                     instead of 19,980 of 20,000 rows): observed on real servers.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    cx.primary_known()?;
    let mut young: Vec<(&IndexFact<'_>, Option<f64>)> = Vec::new();
    let mut findings = Vec::new();
    let supporting = supporting(cx);
    let mut excluded = 0;
    let mut looked = 0;
    let mut elsewhere = 0;
    for candidate in candidates(cx) {
        let index = candidate.index;
        looked += 1;
        let OnPeers::Quiet(quiet_s) = on_peers(cx, &candidate) else {
            elsewhere += usize::from(is_never_scanned(&candidate));
            continue;
        };
        if !is_never_scanned(&candidate) {
            findings.extend(no_longer_scanned(cx, &candidate, &supporting));
            continue;
        }
        if index.is_valid() == Some(false)
            || index.bound_to().is_some()
            || index.indexrelid().is_some_and(|o| supporting.contains(&o))
        {
            excluded += 1;
            continue;
        }
        let ages: Option<Vec<CounterAge>> = candidate.parts.iter().map(|(_, c)| cx.counter_age(*c)).collect();
        let age = ages.and_then(|ages| ages.into_iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds)));
        let age = quiet_s.zip(age).map(|(s, age)| CounterAge { seconds: age.seconds.min(s), ..age });
        let fresh = candidate
            .parts
            .iter()
            .any(|(_, c)| c.class() == Class::New || c.notes().iter().any(|n| n.contains("reindexed")));
        match age {
            Some(age) if age.seconds >= cx.threshold("min_age") && !fresh => {
                if table_scans(cx, &candidate) >= cx.threshold("min_table_scans") {
                    findings.push(report(cx, &candidate, age));
                } else {
                    excluded += 1;
                }
            }
            age => young.push((index, age.map(|a| a.seconds))),
        }
    }
    let there = if cx.facts.peers.all.is_empty() {
        String::new()
    } else {
        format!("; {elsewhere} are scanned on another server only")
    };
    let looked_at = format!(
        "{looked} indexes, {excluded} of those never scanned are bound to constraints, invalid or on tables nobody reads{there}"
    );
    findings.extend(note(cx, &young));
    Ok(Checked { findings, looked_at })
}

fn is_never_scanned(candidate: &Candidate<'_, '_>) -> bool {
    candidate.parts.iter().all(|(_, c)| c.last().and_then(|r| r.int("idx_scan")) == Some(0))
}

fn severity(cx: &Context<'_>, candidate: &Candidate<'_, '_>) -> Severity {
    let size = bytes(candidate).map(|b| b as f64);
    let at_least = |name| size.is_some_and(|s| s >= cx.threshold(name));
    if cx.is_read_elsewhere()
        || candidate.index.is_unique() == Some(true)
        || size.is_some_and(|s| s < cx.options().min_bytes as f64)
    {
        Severity::Info
    } else if at_least("high_bytes") {
        Severity::High
    } else if at_least("medium_bytes")
        || writes(cx, candidate).is_some_and(|w| w.per_s >= cx.threshold("medium_writes"))
    {
        Severity::Medium
    } else {
        Severity::Low
    }
}

fn report<'a>(cx: &Context<'a>, candidate: &Candidate<'_, 'a>, age: CounterAge) -> Finding {
    let since = Quantity::float(age.seconds, Unit::Seconds);
    let size = bytes(candidate).map(|b| Quantity::int(b, Unit::Bytes));
    let title =
        Text::new().t("Not scanned once in ").opt(since).t(", ").opt(size).t(" on ").name(candidate.index.table());
    let short = (age.seconds < cx.threshold("sure_age")).then_some(Doubt::C2);
    let finding = cx.finding(severity(cx, candidate), candidate.index.subject(), title).doubts([short]);
    finish(cx, candidate, finding, age.seconds, age.basis)
}

/// Scanned once upon a time, but not for long: told by the last scan (16+), or by a window that is long enough.
fn no_longer_scanned<'a>(
    cx: &Context<'a>,
    candidate: &Candidate<'_, 'a>,
    supporting: &BTreeSet<i64>,
) -> Option<Finding> {
    let index = candidate.index;
    if index.is_valid() == Some(false) || index.bound_to().is_some() || index.is_unique() == Some(true) {
        return None;
    }
    if index.indexrelid().is_some_and(|o| supporting.contains(&o)) {
        return None;
    }
    let quiet = candidate.parts.iter().map(|(_, change)| {
        let now = cx.now()?;
        let last = change.last()?.time("last_idx_scan").map(|t| now.seconds_since(t));
        let window =
            cx.chain.elapsed_s.filter(|_| change.class() == Class::Ok && change.delta("idx_scan") == Some(0.0));
        last.or(window)
    });
    let seconds = quiet.reduce(|a, b| a.zip(b).map(|(a, b)| a.min(b))).flatten()?;
    if seconds < cx.threshold("sure_age") || table_scans(cx, candidate) < cx.threshold("min_table_scans") {
        return None;
    }
    let size = bytes(candidate).map(|b| Quantity::int(b, Unit::Bytes));
    let title = Text::new().t("Not scanned since ").opt(Quantity::float(seconds, Unit::Seconds)).t(", ").opt(size);
    let finding = cx.finding(severity(cx, candidate).min(Severity::Low), index.subject(), title);
    Some(finish(cx, candidate, finding, seconds, "the last scan"))
}

fn finish<'a>(cx: &Context<'a>, candidate: &Candidate<'_, 'a>, finding: Finding, seconds: f64, basis: &str) -> Finding {
    let index = candidate.index;
    let unique = index.is_unique() == Some(true);
    let class = candidate.parts.iter().find_map(|(_, c)| cx.class_doubt(*c));
    let share = bytes(candidate).zip(cx.facts.total_bytes()).map(|(b, all)| b as f64 / all.max(1.0));
    let mut finding = finding
        .doubts([cx.standby_doubt(), class, cx.facts.definitions.and_then(|d| d.doubt())])
        .why(match writes(cx, candidate) {
            Some(writes) => Text::new()
                .t("Every insert and every update that is not heap-only maintains it: ")
                .opt(Quantity::float(writes.per_s, Unit::PerSecond))
                .t(" of such writes on this table in the window."),
            None => Text::from("Every insert and every update that is not heap-only maintains it."),
        })
        .share(share)
        .effort(Effort::S)
        .verify("After some days: mean time of the statements on the table is the same, WAL per write is lower.");
    for (part, change) in candidate.parts.iter().take(5) {
        let rows: Vec<_> = part.definition.into_iter().collect();
        finding = finding.measure(cx.measure(&format!("Scans of {}", part.display()), *change, "idx_scan"));
        if let Elsewhere::Idle { rows, .. } = cx.facts.peers.index(part.indexrelid()) {
            for (peer, row) in rows {
                let label = format!("Scans of {} on {peer}", part.display());
                finding = finding.measure(cx.of_peer(&label, peer, row, "idx_scan"));
            }
        }
        for row in rows {
            finding = finding.measure(cx.read(&format!("Size of {}", part.display()), row, "index_size"));
        }
    }
    if let Some(row) = candidate.parts.first().and_then(|(_, c)| c.last()) {
        let formula = format!("the snapshot's time − {basis}");
        let age = Quantity::float(seconds, Unit::Seconds);
        finding = finding.measure(cx.computed("Age of the counters, at least", age, formula, &[(row, &["idx_scan"])]));
    }
    if let Some(writes) = writes(cx, candidate) {
        let formula = "(inserted + updated − heap-only updated) ÷ time covered".to_owned();
        let rate = Quantity::float(writes.per_s, Unit::PerSecond);
        finding = finding.measure(
            cx.over_window("Writes that may maintain it", rate, formula, &writers(cx, candidate))
                .bounded(!writes.at_least),
        );
    }
    if candidate.parts.len() > 1 {
        let rows: Vec<_> =
            candidate.parts.iter().filter_map(|(p, _)| Some((p.definition?, &["index_size"][..]))).take(5).collect();
        let size = bytes(candidate).map(|b| Quantity::int(b, Unit::Bytes));
        finding = finding.measure(cx.computed("Size of all parts", size, "their sum".to_owned(), &rows));
        finding = finding.members(candidate.parts.iter().map(|(p, _)| p.subject()).collect());
    }
    if unique {
        return finding.not("It enforces uniqueness: that needs no scans. Only its owner can say whether it may go.");
    }
    if cx.is_read_elsewhere() {
        return finding.not(
            "A standby is read, as the configuration says, and counts its scans for itself: give its dump together with \
             this one before anything is dropped.",
        );
    }
    let off = ["enable_bitmapscan", "enable_indexscan", "enable_indexonlyscan"];
    if let Some(off) = off.iter().find(|name| cx.setting(name).is_some_and(|s| s.is_on() == Some(false))) {
        return finding.at_most(Confidence::Low).not(
            Text::new()
                .code(*off)
                .t(" is off: scans that need it were not to be had. Switch it on, and judge by a window after that."),
        );
    }
    let elsewhere = "When a standby or a seasonal job uses it, or it was created shortly before the first snapshot: look at \
                     pg_stat_user_indexes on every standby first.";
    // Before extended statistics on expressions nothing else knows how many rows such a condition finds.
    let alone = cx.major() < 14 && index.def().is_some_and(|d| d.has_expression());
    let when_not = Text::new().t(elsewhere).t(if alone {
        " When a condition uses its expression: the planner's statistics of it go with the index, scanned or not."
    } else {
        ""
    });
    finding.fixes(statistics_first(cx.major(), index)).fixes(drop_index(index).map(|fix| fix.when_not(when_not)))
}

/// Rows of the counters of its tables.
fn writers<'a>(cx: &Context<'a>, candidate: &Candidate<'_, 'a>) -> Vec<(Row<'a>, &'static [&'static str])> {
    let tables = candidate.parts.iter().filter_map(|(part, _)| cx.facts.table(part.relid()?)?.change?.last());
    tables.map(|row| (row, &["n_tup_ins", "n_tup_upd", "n_tup_hot_upd"][..])).take(5).collect()
}

/// One note for all that is too early to judge.
fn note<'a>(cx: &Context<'a>, young: &[(&IndexFact<'a>, Option<f64>)]) -> Option<Finding> {
    let (first, _) = young.first()?;
    // A partitioned index has no counters of its own; its definition stands for it.
    let rows: Vec<_> = match first.change.and_then(Change::last) {
        Some(row) => vec![(row, &["idx_scan"][..])],
        None => first.described_by().map(|row| (row, &["indexdef"][..])).into_iter().collect(),
    };
    let formula = format!(
        "indexes with idx_scan = 0 whose counters are younger than {}",
        show(cx.threshold("min_age"), Unit::Seconds)
    );
    let words = Young { nouns: ("index", "indexes"), idle: "not scanned", label: "Indexes without scans", formula };
    let oldest = young.iter().filter_map(|(_, age)| *age).reduce(f64::max);
    too_early(cx, words, young.iter().map(|(i, _)| i.subject()).collect(), oldest, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{advise, judge, judge_among, told};
    use crate::finding::Outcome;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::{Literal, literal};
    use crate::version::PgVersion;
    use std::sync::Arc;

    const USE: &str = "relid | indexrelid | schemaname | relname | indexrelname | idx_scan | last_idx_scan";
    const DEFINITIONS: &str = "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisunique | indisprimary | indisvalid | indisready | constraint_name | parent_index | index_size";

    /// A dump of 22 November with index `i` and some other rows; the statistics began at `reset`.
    fn taken(reset: &str, scans: &str, definition: &str, bytes: u64) -> Literal {
        literal("2026-11-22 12:00:00+00")
            .view("pg_stat_database", "datid | datname | stats_reset", &[&format!("16697 | shop | {reset}")])
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | idx_scan",
                &["1 | public | t | 5 | 5000"],
            )
            .view("pg_stat_user_indexes", USE, &[&format!("1 | 7 | public | t | i | {scans}")])
            .view("index_definitions", DEFINITIONS, &[&format!("7 | 1 | public | t | i | {definition} | {bytes}")])
            .view("constraints", "oid | relid | contype | columns | convalidated", &[])
    }

    const PLAIN: &str = "CREATE INDEX i ON public.t USING btree (a) | f | f | t | t |  | ";
    const JANUARY: &str = "2026-01-01 00:00:00+00";
    const OPTIONS: &str = "[options]\nno_standby_reads = true\n";
    const MB200: u64 = 200 << 20;

    fn say(b: Arc<Snapshot>, config: &str) -> Vec<String> {
        told(&judge(&RULE, &[b], config))
    }

    #[test]
    fn finds_one_that_was_not_scanned_for_months() {
        let b = taken(JANUARY, "0 | ", PLAIN, MB200).build();
        let outcome = judge(&RULE, std::slice::from_ref(&b), OPTIONS);
        assert_eq!(told(&outcome), ["medium, high: public.i: Not scanned once in 325 d 12 h, 200 MB on t"]);
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(
            findings[0].fixes[0].sql,
            "SET statement_timeout = 0; SET lock_timeout = 0;\n-- undo: CREATE INDEX CONCURRENTLY i ON public.t USING btree (a);\n\
             DROP INDEX CONCURRENTLY \"public\".\"i\";\nSELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;"
        );
        // Without the word about standbys one step less sure.
        assert!(say(b, "")[0].starts_with("medium, medium:"));
    }

    /// Counters of the table that were reset at a time nobody knows are not none.
    #[test]
    fn writes_of_an_unknown_time_are_a_lower_bound() {
        let at = |at: &str, written: u32, scans: u32| {
            literal(at)
                .view("pg_stat_database", "datid | datname | stats_reset", &[&format!("16697 | shop | {JANUARY}")])
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_scan | idx_scan | n_tup_ins",
                    &[&format!("1 | public | t | {scans} | {scans} | {written}")],
                )
                .view("pg_stat_user_indexes", USE, &["1 | 7 | public | t | i | 0 | "])
                .view("index_definitions", DEFINITIONS, &[&format!("7 | 1 | public | t | i | {PLAIN} | {MB200}")])
                .view("constraints", "oid | relid | contype | columns | convalidated", &[])
                .build()
        };
        let series = [at("2026-11-22 11:00:00+00", 90_000, 9_000), at("2026-11-22 12:00:00+00", 36_000, 5_000)];
        let Outcome::Found { findings, .. } = judge(&RULE, &series, OPTIONS) else { panic!() };
        let why = findings[0].why.plain();
        assert!(why.contains("≥ 10.0/s of such writes"), "{why}");
    }

    #[test]
    fn what_no_plan_could_scan_is_not_dropped() {
        for (value, drops) in [("on", 1), ("off", 0)] {
            let settings = format!("enable_bitmapscan | {value}");
            let b = taken(JANUARY, "0 | ", PLAIN, MB200).view("pg_settings", "name | setting", &[&settings]).build();
            let Outcome::Found { findings, .. } = judge(&RULE, &[b], OPTIONS) else { panic!() };
            assert_eq!(findings[0].fixes.len(), drops, "{value}");
        }
    }

    #[test]
    fn where_a_standby_is_read_only_its_counters_can_condemn() {
        let b = taken(JANUARY, "0 | ", PLAIN, MB200).build();
        let Outcome::Found { findings, .. } = judge(&RULE, &[b], "[options]\nstandby_reads = true\n") else { panic!() };
        assert_eq!((findings[0].severity, findings[0].fixes.len()), (Severity::Info, 0));
        assert!(findings[0].not.as_ref().is_some_and(|t| t.plain().contains("give its dump")));
    }

    #[test]
    fn a_week_and_a_month_decide() {
        let at = |reset: &str| say(taken(reset, "0 | ", PLAIN, MB200).build(), OPTIONS).remove(0);
        assert_eq!(
            at("2026-11-22 11:55:00+00"),
            "info, high: shop: 1 index not scanned in 5 min 00 s, too early to judge"
        );
        assert!(at("2026-11-10 12:00:00+00").starts_with("medium, medium:"));
        // Never reset: the last crash or the creation of the cluster bounds it.
        assert_eq!(at(""), "info, high: shop: 1 index not scanned in an unknown time, too early to judge");
    }

    #[test]
    fn never_condemns_what_has_another_task() {
        for definition in [
            "CREATE UNIQUE INDEX i ON public.t USING btree (a) | t | t | t | t | t_pkey | ",
            "CREATE INDEX i ON public.t USING btree (a) | f | f | f | t |  | ",
        ] {
            let said = say(taken(JANUARY, "0 | ", definition, MB200).build(), OPTIONS);
            assert!(said[0].starts_with("passed"), "{definition}: {said:?}");
        }
        let unique = "CREATE UNIQUE INDEX i ON public.t USING btree (a) | t | f | t | t |  | ";
        let Outcome::Found { findings, .. } = judge(&RULE, &[taken(JANUARY, "0 | ", unique, MB200).build()], "") else {
            panic!()
        };
        assert_eq!((findings[0].severity, findings[0].fixes.len()), (Severity::Info, 0));
        let foreign_key = taken(JANUARY, "0 | ", PLAIN, MB200)
            .view("constraints", "oid | relid | contype | columns | convalidated", &["9 | 1 | f | {a} | t"])
            .build();
        assert!(say(foreign_key, OPTIONS)[0].starts_with("passed"));
    }

    #[test]
    fn stays_quiet_where_it_is_used_or_nobody_reads_the_table() {
        assert!(say(taken(JANUARY, "12 | ", PLAIN, MB200).build(), OPTIONS)[0].starts_with("passed"));
        let unread = taken(JANUARY, "0 | ", PLAIN, MB200).view(
            "pg_stat_user_tables",
            "relid | schemaname | relname | seq_scan | idx_scan",
            &["1 | public | t | 5 | 0"],
        );
        assert!(say(unread.build(), OPTIONS)[0].starts_with("passed"));
        let small = say(taken(JANUARY, "0 | ", PLAIN, 8192).build(), OPTIONS);
        assert!(small[0].starts_with("info"), "{small:?}");
    }

    #[test]
    fn one_that_was_scanned_long_ago_is_low() {
        let b = taken(JANUARY, "12 | 2026-05-01 12:00:00+00", PLAIN, MB200).build();
        assert_eq!(say(b, OPTIONS), ["low, high: public.i: Not scanned since 205 d 00 h, 200 MB"]);
    }

    #[test]
    fn parts_of_a_partitioned_index_are_one() {
        let taken = |second: u32| {
            literal("2026-11-22 12:00:00+00")
                .view("pg_stat_database", "datid | datname | stats_reset", &[&format!("16697 | shop | {JANUARY}")])
                .view("pg_stat_user_indexes", USE, &["1 | 7 | public | p1 | i1 | 0 | ", &format!("2 | 8 | public | p2 | i2 | {second} | ")])
                .view(
                    "index_definitions",
                    DEFINITIONS,
                    &[
                        &format!("7 | 1 | public | p1 | i1 | CREATE INDEX i1 ON public.p1 USING btree (a) | f | f | t | t |  | 9 | {MB200}"),
                        &format!("8 | 2 | public | p2 | i2 | CREATE INDEX i2 ON public.p2 USING btree (a) | f | f | t | t |  | 9 | {MB200}"),
                        "9 | 3 | public | p | i | CREATE INDEX i ON ONLY public.p USING btree (a) | f | f | t | t |  |  | 0",
                    ],
                )
                .view("constraints", "oid | relid | contype | columns | convalidated", &[])
                .build()
        };
        assert!(say(taken(5), OPTIONS)[0].starts_with("passed"));
        let advice = advise(&[&RULE], &[taken(0)], OPTIONS);
        assert_eq!(
            told(&advice.judged[0].outcome),
            ["medium, high: public.i: Not scanned once in 325 d 12 h, 400 MB on p"]
        );
        let drop = &advice.actions[0].fixes[0];
        assert!(drop.sql.ends_with(r#"DROP INDEX "public"."i";"#));
        let undo = drop.undo.as_deref().and_then(|u| u.lines().last());
        assert_eq!(
            undo,
            Some("CREATE INDEX i ON public.p USING btree (a);"),
            "on the root alone it would be no index of the partitions"
        );
    }

    #[test]
    fn an_expression_index_takes_its_statistics_along() {
        let on = "CREATE INDEX i ON public.t USING btree (lower(a)) | f | f | t | t |  | ";
        let fixes = |major: u8| {
            let b = taken(JANUARY, "0 | ", on, MB200).meta(|m| m.version = Some(PgVersion::major_only(major)));
            let Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], OPTIONS) else { panic!() };
            let drop = findings[0].fixes.last().unwrap().clone();
            (findings[0].fixes.len(), drop.when_not.unwrap().plain().contains("statistics of it go with the index"))
        };
        assert_eq!(fixes(13), (1, true), "nothing can take their place");
        assert_eq!(fixes(14), (2, false), "extended statistics come first");
    }

    #[test]
    fn skips_without_use() {
        assert_eq!(
            say(literal("2026-11-22 12:00:00+00").build(), ""),
            ["skipped, input missing: `pg_stat_user_indexes` is not in the dump"]
        );
    }

    /// The same server's standby: scans of index `i` there, and what its primary sends WAL to.
    fn standby(reset: &str, scans: &str) -> Arc<Snapshot> {
        taken(reset, scans, PLAIN, MB200).meta(|m| m.in_recovery = Some(true)).build()
    }

    fn among(senders: &[&str], standbys: &[Arc<Snapshot>]) -> Outcome {
        let primary = taken(JANUARY, "0 | ", PLAIN, MB200)
            .meta(|m| m.in_recovery = Some(false))
            .view("pg_stat_replication", "pid | application_name | state", senders)
            .build();
        let names = ["b", "c"];
        let others: Vec<(&str, Vec<Arc<Snapshot>>)> =
            names.iter().zip(standbys).map(|(name, s)| (*name, vec![Arc::clone(s)])).collect();
        judge_among(&RULE, &[primary], &others, "")
    }

    #[test]
    fn scans_are_summed_over_all_servers() {
        let one = ["7 | b | streaming"];
        // Every standby is there and none scanned it: as sure as with the word that none is read.
        let outcome = among(&one, &[standby(JANUARY, "0 | ")]);
        assert_eq!(told(&outcome), ["medium, high: public.i: Not scanned once in 325 d 12 h, 200 MB on t"]);
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        let labels: Vec<&str> = findings[0].measures.iter().map(|m| m.label.as_str()).collect();
        assert!(labels.contains(&"Scans of public.i on b"), "{labels:?}");
        // Used there: in use.
        let used = told(&among(&one, &[standby(JANUARY, "3 | ")]));
        assert!(
            used[0].starts_with("passed: 1 indexes") && used[0].ends_with("1 are scanned on another server only"),
            "{used:?}"
        );
    }

    #[test]
    fn a_standby_alone_condemns_nothing() {
        let said = say(standby(JANUARY, "0 | "), OPTIONS);
        assert!(said[0].starts_with("skipped: a standby counts only its own scans"), "{said:?}");
    }

    #[test]
    fn a_standby_that_is_missing_or_young_lowers_what_can_be_said() {
        let two = ["7 | b | streaming", "8 | c | streaming"];
        let missing = told(&among(&two, &[standby(JANUARY, "0 | ")]));
        assert!(missing[0].starts_with("medium, medium: public.i"), "{missing:?}");
        let both = told(&among(&two, &[standby(JANUARY, "0 | "), standby(JANUARY, "0 | ")]));
        assert!(both[0].starts_with("medium, high: public.i"), "{both:?}");
        // Its counters began an hour ago: too early, whatever the primary's age.
        let young = told(&among(&two[..1], &[standby("2026-11-22 11:00:00+00", "0 | ")]));
        assert_eq!(young, ["info, high: shop: 1 index not scanned in 1 h 00 m, too early to judge"]);
        let unknown = told(&among(&two[..1], &[standby("", "0 | ")]));
        assert_eq!(unknown, ["info, high: shop: 1 index not scanned in an unknown time, too early to judge"]);
    }
}
