//! Tables that nobody reads and nobody writes.

use crate::advisor::sql::Mentioned;
use crate::advisor::too_early::{Young, too_early};
use crate::advisor::{Check, Checked, Context, Docs, Elsewhere, Need, Rule, TableFact, Threshold, show};
use crate::diff::{Change, Class, ViewChange};
use crate::finding::{Doubt, Effort, Finding, Fix, Severity};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

const DAY: f64 = 86_400.0;

/// What counts as use.
const USE: [&str; 5] = ["seq_scan", "idx_scan", "n_tup_ins", "n_tup_upd", "n_tup_del"];

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-unused",
    title: "Table neither read nor written",
    needs: &[
        Need::Primary,
        Need::View("pg_stat_user_tables", &["seq_scan", "n_tup_ins", "n_tup_upd", "n_tup_del"]),
        Need::View("table_sizes", &["total_relation_size"]),
    ],
    wants: &[Need::View("constraints", &["foreign_relid"]), Need::View("partitions", &["parent_relid"])],
    thresholds: &[
        Threshold {
            name: "min_age",
            default: 7.0 * DAY,
            unit: Unit::Seconds,
            about: "Below a week there is no verdict: weekly jobs have not run.",
        },
        Threshold {
            name: "sure_age",
            default: 30.0 * DAY,
            unit: Unit::Seconds,
            about: "Below a month one step less sure: monthly jobs have not run.",
        },
        Threshold {
            name: "min_bytes",
            default: 104_857_600.0,
            unit: Unit::Bytes,
            about: "With indexes and TOAST; smaller ones are not worth the question.",
        },
    ],
    docs: Docs {
        looks_at: "Scans and row changes of each table, and how long they have been zero; a partitioned table with all its \
                   partitions.",
        why: "It takes disk space, is part of every backup, and is frozen again and again.",
        decides: "Found from `min_bytes` on when nothing was read or written for `min_age`: since the statistics began, or \
                  over a window that long. Less sure below `sure_age`. Low; a note where a foreign key refers to it, since the \
                  referring table needs it. What is too young is listed in one note. A dump reads every table once, so \
                  a zero says that there was none either. Left out are tables whose name stands in what sessions were running \
                  or in a statement of the window: who waits, or has not committed, is not counted yet, and TRUNCATE never is.",
        what_to_do: "Find the owner. Archive it with `pg_dump -t`, then decide; no statement that drops it is printed.",
        ignore_when: "Data kept by law, tables of a yearly job, tables that only a standby reads.",
        references: "PostgreSQL manual: The Cumulative Statistics System (pg_stat_all_tables).",
    },
    check,
};

/// A table, or a partitioned one with all its partitions.
struct Candidate<'c, 'a> {
    root: &'c TableFact<'a>,
    parts: Vec<(&'c TableFact<'a>, Change<'a>)>,
    bytes: i64,
}

fn check(cx: &Context<'_>) -> Check {
    cx.primary_known()?;
    let (min_age, min_bytes) = (cx.threshold("min_age"), cx.threshold("min_bytes"));
    let referred: BTreeSet<i64> = cx
        .state("constraints")
        .into_iter()
        .flat_map(|s| s.table.iter())
        .filter(|r| r.text("contype") == Some("f") && r.int("relid") != r.int("foreign_relid"))
        .filter_map(|r| r.int("foreign_relid"))
        .collect();
    let mentioned = LazyCell::new(|| mentioned(cx));
    let mut findings = Vec::new();
    let mut young = Vec::new();
    let mut looked = 0;
    for candidate in candidates(cx) {
        if (candidate.bytes as f64) < min_bytes {
            continue;
        }
        looked += 1;
        match quiet(cx, &candidate) {
            Quiet::No => {}
            _ if candidate.parts.iter().any(|(t, _)| matches!(cx.facts.peers.table(t.relid()), Elsewhere::Used(_))) => {
            }
            // Who waits for a lock, or has not committed, is not counted yet; TRUNCATE never is.
            _ if mentioned.may_have(candidate.root.name()) => {}
            Quiet::For(rest) if rest.seconds >= min_age => {
                let is_referred = candidate.root.relid().is_some_and(|r| referred.contains(&r));
                findings.push(report(cx, &candidate, &rest, is_referred));
            }
            Quiet::For(rest) => young.push((candidate, Some(rest.seconds))),
            Quiet::ForUnknown => young.push((candidate, None)),
        }
    }
    findings.extend(note(cx, &young));
    let looked_at =
        format!("{} of {} or more, all in use", counted(looked, "table", "tables"), show(min_bytes, Unit::Bytes));
    Ok(Checked { findings, looked_at })
}

/// The words of what sessions were running, and of the statements of the window: of all where there is one snapshot only.
fn mentioned<'a>(cx: &Context<'a>) -> Mentioned<'a> {
    let sessions = cx.samples("pg_stat_activity").flat_map(|(_, table)| table.iter());
    let ran = |c: &Change<'_>| !cx.chain.is_single() && c.delta("calls").is_some_and(|n| n > 0.0);
    let statements = cx.changes("pg_stat_statements").into_iter().flat_map(ViewChange::present).filter(ran);
    let rows = sessions.chain(statements.filter_map(Change::last));
    Mentioned::of(rows.filter_map(|r| r.text("query")))
}

/// Tables with storage; partitions under their root.
fn candidates<'c, 'a>(cx: &'c Context<'a>) -> Vec<Candidate<'c, 'a>> {
    let mut whole: BTreeMap<i64, Candidate<'c, 'a>> = BTreeMap::new();
    let mut out = Vec::new();
    for table in &cx.facts.tables {
        let (Some(change), Some(bytes)) = (table.change, table.total_bytes()) else { continue };
        let root = table.relid().map(|relid| cx.facts.root(relid)).filter(|root| Some(*root) != table.relid());
        match root {
            Some(root) => {
                let known = cx.facts.table(root).unwrap_or(table);
                let one = whole.entry(root).or_insert_with(|| Candidate { root: known, parts: Vec::new(), bytes: 0 });
                one.parts.push((table, change));
                one.bytes = one.bytes.saturating_add(bytes);
            }
            // The partitioned table itself: its partitions say everything.
            None if table.is_kind("p") == Some(true) => {}
            None => out.push(Candidate { root: table, parts: vec![(table, change)], bytes }),
        }
    }
    out.extend(whole.into_values());
    out
}

/// How long nothing happened.
enum Quiet<'a> {
    No,
    For(Rest<'a>),
    ForUnknown,
}

/// For how long, what says so, and the row of the table or partition of which it is so the shortest time.
struct Rest<'a> {
    seconds: f64,
    basis: &'static str,
    row: Row<'a>,
}

fn quiet<'a>(cx: &Context<'a>, candidate: &Candidate<'_, 'a>) -> Quiet<'a> {
    let mut least: Option<Rest<'a>> = None;
    for (_, change) in &candidate.parts {
        let Some(row) = change.last() else { return Quiet::No };
        let never = USE.iter().all(|c| row.f64(c).unwrap_or(0.0) <= 0.0);
        let idle = change.class() == Class::Ok && USE.iter().all(|c| change.delta(c).unwrap_or(0.0) <= 0.0);
        let window = cx.chain.elapsed_s.filter(|_| idle && !cx.chain.is_single()).map(|s| (s, "the first snapshot"));
        let counted = if never && change.class() != Class::New { cx.counter_age(*change) } else { None };
        let counted = counted.map(|age| (age.seconds, age.basis));
        match [window, counted].into_iter().flatten().reduce(|a, b| if b.0 > a.0 { b } else { a }) {
            Some((seconds, basis)) if least.as_ref().is_none_or(|l| seconds < l.seconds) => {
                least = Some(Rest { seconds, basis, row });
            }
            Some(_) => {}
            None if never => return Quiet::ForUnknown,
            None => return Quiet::No,
        }
    }
    least.map_or(Quiet::No, Quiet::For)
}

fn report<'a>(cx: &Context<'a>, candidate: &Candidate<'_, 'a>, rest: &Rest<'a>, is_referred: bool) -> Finding {
    let seconds = rest.seconds;
    let size = Quantity::int(candidate.bytes, Unit::Bytes);
    let since = Quantity::float(seconds, Unit::Seconds);
    let title = Text::new().t("Neither read nor written for ").opt(since).t(", ").n(size).t(" with indexes");
    let short = (seconds < cx.threshold("sure_age")).then_some(Doubt::C2);
    let severity = if is_referred { Severity::Info } else { Severity::Low };
    let root = candidate.root;
    let mut finding = cx
        .finding(severity, root.subject(), title)
        .doubts([short, cx.standby_doubt(), cx.facts.sizes_doubt()])
        .doubts(candidate.parts.iter().map(|(_, c)| cx.class_doubt(*c)))
        .why("It takes disk space, is in every backup, and vacuum freezes it again and again.")
        .share(cx.facts.total_bytes().map(|all| candidate.bytes as f64 / all.max(1.0)))
        .effort(Effort::M)
        .verify("Its owner has said what it is for, or it was archived and is gone.");
    for (part, change) in candidate.parts.iter().take(5) {
        let name = part.display();
        finding = finding
            .measure(cx.measure(&format!("Sequential scans of {name}"), *change, "seq_scan"))
            .measure(cx.measure(&format!("Rows inserted into {name}"), *change, "n_tup_ins"));
        if let Some(sizes) = part.sizes {
            finding = finding.measure(cx.read(&format!("Size of {name}"), sizes, "total_relation_size"));
        }
    }
    if candidate.parts.len() > 1 {
        finding = finding.members(candidate.parts.iter().map(|(p, _)| p.subject()).collect());
        let at = candidate.parts.iter().find_map(|(p, _)| cx.snapshot_of(p.sizes?));
        let formula = format!("sum of its {} partitions", Quantity::count(candidate.parts.len()).human());
        let sizes = cx.all_rows(at.unwrap_or(0), "table_sizes", &["total_relation_size"], formula);
        finding = finding.measure(cx.seen_in(at, "Size of all partitions", Some(size), sizes));
    }
    let formula = format!("nothing counted since {}", rest.basis);
    finding = finding.measure(cx.computed("Time at rest", since, formula, &[(rest.row, &USE[..])]));
    if is_referred {
        finding = finding.not("A foreign key refers to it: the referring table cannot do without it.");
    }
    finding.fix(Fix::diagnose(root.display(), who_needs(root)))
}

/// What refers to a table.
fn who_needs(table: &TableFact<'_>) -> String {
    let class = format!("{}::regclass", table.class_literal());
    format!(
        "SELECT conrelid::regclass AS referring_table, conname FROM pg_constraint WHERE contype = 'f' AND confrelid = {class};\n\
         SELECT DISTINCT r.ev_class::regclass AS view FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid\n\
         WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = {class} AND \
         r.ev_class <> d.refobjid;"
    )
}

/// One note for all that is too early to judge.
fn note<'a>(cx: &Context<'a>, young: &[(Candidate<'_, 'a>, Option<f64>)]) -> Option<Finding> {
    let (first, _) = young.first()?;
    let rows: Vec<_> = first.parts.iter().take(1).filter_map(|(_, c)| Some((c.last()?, &USE[..]))).collect();
    let formula = format!("tables at rest for less than {}", show(cx.threshold("min_age"), Unit::Seconds));
    let words =
        Young { nouns: ("table", "tables"), idle: "neither read nor written", label: "Tables at rest", formula };
    let oldest = young.iter().filter_map(|(_, age)| *age).reduce(f64::max);
    too_early(cx, words, young.iter().map(|(c, _)| c.root.subject()).collect(), oldest, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::{Literal, literal};

    const OPTIONS: &str = "[options]\nno_standby_reads = true\n";

    fn taken(at: &str, reset: &str, counted: &[&str], sizes: &[&str]) -> Literal {
        literal(at)
            .view("pg_stat_database", "datid | datname | stats_reset", &[&format!("16697 | shop | {reset}")])
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | idx_scan | n_tup_ins | n_tup_upd | n_tup_del",
                counted,
            )
            .view("table_sizes", "relid | schemaname | relname | relkind | total_relation_size", sizes)
    }

    const NOON: &str = "2026-11-22 12:00:00+00";
    const JANUARY: &str = "2026-01-01 00:00:00+00";
    const SIZES: &[&str] = &["1 | public | old | r | 209715200", "2 | public | busy | r | 209715200"];
    const COUNTED: &[&str] = &["1 | public | old | 0 | | 0 | 0 | 0", "2 | public | busy | 7 | 5 | 0 | 0 | 0"];

    #[test]
    fn finds_what_was_at_rest_for_months_and_drops_nothing() {
        let outcome = judge(&RULE, &[taken(NOON, JANUARY, COUNTED, SIZES).build()], OPTIONS);
        assert_eq!(
            told(&outcome),
            ["low, high: public.old: Neither read nor written for 325 d 12 h, 200 MB with indexes"]
        );
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].fixes.iter().all(|f| !f.sql.contains("DROP")));
        let referred = taken(NOON, JANUARY, COUNTED, SIZES)
            .view("constraints", "oid | relid | contype | foreign_relid", &["9 | 2 | f | 1"])
            .build();
        assert!(told(&judge(&RULE, &[referred], OPTIONS))[0].starts_with("info"));
    }

    /// An update that waits for a lock for hours is in no counter.
    #[test]
    fn what_a_session_asks_for_is_not_unused() {
        for (query, want) in [("update old set a = 1", "passed"), ("update other set a = 1", "low")] {
            let b = taken(NOON, JANUARY, COUNTED, SIZES)
                .view("pg_stat_activity", "pid | state | query", &[&format!("7 | active | {query}")])
                .build();
            let said = told(&judge(&RULE, &[b], OPTIONS));
            assert!(said[0].starts_with(want), "{said:?}");
        }
    }

    #[test]
    fn a_window_of_weeks_counts_although_it_was_used_before() {
        let used = &["1 | public | old | 40 | | 900 | 0 | 0"];
        let series =
            [taken("2026-10-01 12:00:00+00", JANUARY, used, SIZES).build(), taken(NOON, JANUARY, used, SIZES).build()];
        assert!(told(&judge(&RULE, &series, OPTIONS))[0].contains("Neither read nor written for 52 d"));
    }

    #[test]
    fn partitions_are_judged_under_their_root() {
        let sizes =
            &["1 | public | metrics | p | 0", "2 | public | m1 | r | 104857600", "3 | public | m2 | r | 104857600"];
        let dump = |second: &str| {
            taken(
                NOON,
                JANUARY,
                &["1 | public | metrics | 0 | | 0 | 0 | 0", "2 | public | m1 | 0 | | 0 | 0 | 0", second],
                sizes,
            )
            .view("partitions", "parent_relid | child_relid", &["1 | 2", "1 | 3"])
            .build()
        };
        assert_eq!(
            told(&judge(&RULE, &[dump("3 | public | m2 | 0 | | 0 | 0 | 0")], OPTIONS)),
            ["low, high: public.metrics: Neither read nor written for 325 d 12 h, 200 MB with indexes"]
        );
        assert!(told(&judge(&RULE, &[dump("3 | public | m2 | 0 | | 5 | 0 | 0")], OPTIONS))[0].starts_with("passed"));
    }

    #[test]
    fn what_is_young_is_one_note_and_what_is_small_is_none() {
        let young = taken(NOON, "2026-11-22 06:00:00+00", COUNTED, SIZES).build();
        assert_eq!(
            told(&judge(&RULE, &[young], OPTIONS)),
            ["info, high: shop: 1 table neither read nor written in 6 h 00 m, too early to judge"]
        );
        let small = taken(NOON, JANUARY, COUNTED, &["1 | public | old | r | 1048576"]).build();
        assert_eq!(told(&judge(&RULE, &[small], OPTIONS)), ["passed: 0 tables of 100 MB or more, all in use"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_user_tables` is not in the dump"
        );
    }
}
