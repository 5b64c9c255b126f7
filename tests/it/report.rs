//! Whole reports of real dumps: their laws, and the one of the classic sample word by word.

use pgretro::advisor::{self, Config};
use pgretro::diff::{self, Chain};
use pgretro::finding::{Severity, Verb};
use pgretro::ingest;
use pgretro::render;
use pgretro::report::{self, Block, Cell, Report, Row, SECTIONS, Table};
use pgretro::text::{Span, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn chain(dump: &Path) -> Chain {
    let options = ingest::Options { hash: true, ..ingest::Options::default() };
    let snapshots = ingest::read(&[dump.to_owned()], &options).expect("reads");
    diff::chain(snapshots.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect("a chain")
}

pub fn report(dump: &Path) -> Report {
    let chain = chain(dump);
    let advice = advisor::run(&chain, &Config::default());
    report::build(&chain, &advice, &report::Options::default()).expect("builds")
}

pub fn fixtures() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("fixtures")
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|p| {
            p.is_dir()
                && !["columns", "config", "policy", "report", "settings", "versions"].iter().any(|n| p.ends_with(n))
        })
        .collect();
    found.sort();
    assert!(found.len() > 10, "{found:?}");
    found
}

/// All blocks, those that unfold included.
fn walk<'r>(blocks: &'r [Block], see: &mut dyn FnMut(&'r Block)) {
    for block in blocks {
        see(block);
        match block {
            Block::Details { blocks, .. } => walk(blocks, see),
            Block::Table(table) => table.rows.iter().for_each(|row| walk(&row.detail, see)),
            _ => {}
        }
    }
}

fn texts(report: &Report) -> Vec<&Text> {
    let mut all = vec![&report.verdict.headline, &report.verdict.reason, &report.verdict.basis];
    for f in &report.findings {
        all.extend([&f.finding.title, &f.finding.why, &f.finding.verify]);
        all.extend(&f.finding.not);
    }
    for section in &report.sections {
        walk(&section.blocks, &mut |block| match block {
            Block::Prose { text } | Block::Note { text, .. } => all.push(text),
            Block::Table(table) => {
                all.push(&table.about);
                all.extend(table.rows.iter().flat_map(|r| &r.cells).filter_map(|c| match c {
                    Cell::Text(text) => Some(text),
                    _ => None,
                }));
            }
            Block::Details { summary, .. } => all.push(summary),
            _ => {}
        });
    }
    all
}

fn holds_its_laws(report: &Report, name: &str) {
    let ids: Vec<&str> = report.sections.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, SECTIONS.iter().map(|s| s.id).collect::<Vec<_>>(), "{name}: sections in their order");
    let mut anchors: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    for (at, entry) in report.evidence.iter().enumerate() {
        let places = &entry.evidence.locators;
        let twice = places.iter().enumerate().find(|(i, place)| places[..*i].contains(place));
        assert!(twice.is_none(), "{name}: {} cites a place twice: {twice:?}", entry.id);
        assert_eq!(entry.id, format!("E{}", at + 1), "{name}");
        anchors.insert(entry.id.to_lowercase());
    }
    for (at, f) in report.findings.iter().enumerate() {
        assert!(f.number.starts_with("F-") && f.number[2..].parse() == Ok(at + 1), "{name}: {}", f.number);
        assert_eq!(f.evidence.len(), f.finding.measures.len(), "{name}: every measure of {} has evidence", f.number);
        anchors.insert(f.number.to_lowercase());
    }
    for text in texts(report) {
        for span in &text.0 {
            if let Span::Link { to, .. } = span {
                assert!(anchors.contains(to), "{name}: a link leads to #{to}, which is nowhere");
            }
        }
    }
    let mut tables = BTreeSet::new();
    for section in &report.sections {
        assert!(!section.blocks.is_empty(), "{name}: section {} says nothing", section.id);
        walk(&section.blocks, &mut |block| {
            if let Block::Table(table) = block {
                assert!(tables.insert(table.id.clone()), "{name}: two tables are called {}", table.id);
                assert!(table.rows_in_all >= table.rows.len() as u64, "{name}: {}", table.id);
                for row in table.rows.iter().map(|r| &r.cells).chain(Some(&table.totals).filter(|t| !t.is_empty())) {
                    assert_eq!(row.len(), table.columns.len(), "{name}: a row of {}", table.id);
                }
                is_in_its_order(table, name);
                if table.id == "largest-changes" {
                    what_is_judged_leads(table, report, name);
                }
            }
        });
    }
    plan_agrees_with_itself(report, name);
}

/// The column that is said to order a table orders it, as far as its numbers are exact.
fn is_in_its_order(table: &Table, name: &str) {
    let columns: Vec<usize> = (0..table.columns.len()).filter(|c| table.columns[*c].order.is_some()).collect();
    assert!(columns.len() < 2, "{name}: two columns order {}", table.id);
    let Some(column) = columns.first() else { return };
    let values: Vec<f64> = table
        .rows
        .iter()
        .filter_map(|row| match &row.cells[*column] {
            Cell::Number { value, bound: None, .. } => Some(value.as_f64()),
            Cell::Bar(bar) => Some(bar.value.as_f64()),
            _ => None,
        })
        .collect();
    assert!(values.is_sorted_by(|a, b| a >= b), "{name}: {} is not in the order it says: {values:?}", table.id);
}

/// Severity of the worst finding that a row of the changes links to, from medium on: such rows lead, the worst first.
/// Returns the positions of those that lead.
fn what_is_judged_leads(table: &Table, report: &Report, name: &str) -> usize {
    let severity = |row: &Row| {
        let links =
            row.cells.iter().filter_map(|c| if let Cell::Text(text) = c { Some(&text.0) } else { None }).flatten();
        let of = |span: &Span| {
            let Span::Link { to, .. } = span else { return None };
            report.findings.iter().find(|f| f.number.to_lowercase() == *to).map(|f| f.finding.severity)
        };
        links.filter_map(of).filter(|s| *s >= Severity::Medium).max()
    };
    let all: Vec<Option<Severity>> = table.rows.iter().map(severity).collect();
    assert!(all.is_sorted_by(|a, b| a >= b), "{name}: what a finding speaks of does not lead the changes: {all:?}");
    all.iter().flatten().count()
}

#[test]
fn what_a_finding_speaks_of_leads_the_changes() {
    // Filled between the snapshots is most unusual, and no finding speaks of it.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let report = report(&root.join("pg15-neglected"));
    let mut seen = 0;
    for section in &report.sections {
        walk(&section.blocks, &mut |block| {
            if let Block::Table(table) = block
                && table.id == "largest-changes"
            {
                let judged = what_is_judged_leads(table, &report, "pg15-neglected");
                assert!(judged > 0 && judged < table.rows.len(), "{judged} of {}", table.rows.len());
                seen += 1;
            }
        });
    }
    assert_eq!(seen, 1);
}

/// No object is created and dropped, and what a finding says to run is what the plan says.
fn plan_agrees_with_itself(report: &Report, name: &str) {
    let mut verbs: BTreeMap<&str, BTreeSet<Verb>> = BTreeMap::new();
    for fix in report.findings.iter().flat_map(|f| &f.finding.fixes) {
        verbs.entry(&fix.object).or_default().insert(fix.verb);
    }
    for (object, verbs) in verbs {
        assert!(
            !(verbs.contains(&Verb::Create) && verbs.contains(&Verb::Drop)),
            "{name}: {object} is both created and dropped"
        );
    }
}

#[test]
fn reports_of_all_fixtures_hold_their_laws() {
    for dump in fixtures() {
        let one = report(&dump);
        holds_its_laws(&one, &dump.display().to_string());
        let json = render::render(&one, render::by_name("json").expect("a format"), &render::Options::default());
        let back = render::read(&json.expect("JSON")).expect("reads back");
        assert!(back == one, "{}: a report does not survive JSON", dump.display());
        assert!(report(&dump) == one, "{}: the same dump gives another report", dump.display());
    }
}

#[test]
fn reports_of_the_lab_hold_their_laws() {
    let lab = std::env::var("PGRETRO_LAB").map_or_else(|_| PathBuf::from("../shared/lab/data"), PathBuf::from);
    if !lab.is_dir() {
        eprintln!("skipped: no lab series in {}", lab.display());
        return;
    }
    for series in ["mission-queue-pg13", "pgbench-shop-pg18", "pgbench-shop-pg15-standby", "mission-queue-pg15-json"] {
        let dump = lab.join(series);
        if dump.is_dir() {
            holds_its_laws(&report(&dump), series);
        }
    }
}

#[test]
fn a_standby_says_where_its_statements_run() {
    let says = |dump: &str| {
        let built = report(Path::new(dump));
        texts(&built).iter().filter(|t| t.plain().contains("This server is a standby")).count()
    };
    assert!(says("fixtures/pg18-standby") > 0);
    assert_eq!(says("fixtures/pg15-crash"), 0);
}

#[test]
fn the_classic_sample() {
    let report = report(Path::new("fixtures/classic"));
    let about_the_server = report.findings.iter().filter(|f| !f.finding.rule.starts_with("hyg-"));
    let worst = about_the_server.map(|f| f.finding.severity).max();
    assert!(worst.is_none_or(|s| s == Severity::Info), "nine small tables of unknown age are no emergency");
    let drops = report.findings.iter().flat_map(|f| &f.finding.fixes).filter(|f| f.verb == Verb::Drop).count();
    assert_eq!(drops, 0, "a zero of unknown age drops nothing");
    let text = render::render(&report, render::by_name("md").expect("a format"), &render::Options::default());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = text.expect("Markdown");
    settings.bind(|| insta::assert_snapshot!("classic.md", text));
}

#[test]
fn what_a_crash_took_from_a_table_is_a_lower_bound_wherever_it_stands() {
    let report = report(Path::new("fixtures/pg15-crash"));
    let text = render::render(&report, render::by_name("md").expect("a format"), &render::Options::default());
    let text = text.expect("Markdown");
    let row = text.lines().find(|l| l.starts_with("| `public.cart_sessions` | ≥ 667")).expect("the vacuum state");
    let cells: Vec<&str> = row.split(" | ").collect();
    // Dead rows, their multiple of the trigger, and what changed since the last analyze.
    assert_eq!([cells[1], cells[4], cells[9]], ["≥ 667", "≥ 0.64×", "≥ 667"], "{row}");
    let watched = text.lines().find(|l| l.contains("Watch the dead rows of")).expect("before a stress test");
    assert!(watched.contains("`public.cart_sessions` (≥ 0.64× of its trigger)"), "{watched}");
}
