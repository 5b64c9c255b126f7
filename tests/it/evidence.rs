//! Evidence behind every number that is said: measures behind those of findings, links behind those of paragraphs.

use crate::arithmetic;
use crate::report::{fixtures, report};
use pgretro::finding::Finding;
use pgretro::report::{Block, Chart, Report};
use pgretro::text::{Span, Text};
use std::path::PathBuf;

/// The fixtures that are dumps, and the lab's where it is there.
fn dumps() -> Vec<PathBuf> {
    let lab = std::env::var("PGRETRO_LAB").map(PathBuf::from).ok();
    let entries = lab.iter().flat_map(|root| std::fs::read_dir(root).expect("a folder"));
    fixtures().into_iter().chain(entries.map(|entry| entry.expect("an entry").path()).filter(|p| p.is_dir())).collect()
}

/// Numbers that no measure of the finding has, and no formula of one says.
fn without_measure(finding: &Finding) -> Vec<String> {
    [Some(&finding.title), Some(&finding.why), finding.not.as_ref()]
        .into_iter()
        .flatten()
        .flat_map(|text| text.numbers().map(move |n| (n, text)))
        .filter(|(n, _)| !finding.measures.iter().any(|m| m.says(*n)))
        .map(|(n, text)| format!("{}: {} in \"{}\"", finding.rule, n.human(), text.plain()))
        .collect()
}

/// Formulas that read as arithmetic and give another value than the measure has; and how many were computed.
fn wrong_arithmetic(finding: &Finding) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut computed = 0;
    for measure in &finding.measures {
        let formula = measure.evidence.formula.as_deref().filter(|f| f.contains(['÷', '×', '−', '+']));
        let Some((formula, value)) = formula.and_then(|f| Some((f, arithmetic::value(f)?))) else { continue };
        let Some(shown) = arithmetic::shown(measure) else { continue };
        computed += 1;
        if !arithmetic::agree(value, shown) {
            wrong.push(format!("{}: {} is {shown}, and {formula} is {value}", finding.rule, measure.label));
        }
    }
    (wrong, computed)
}

fn has_link(text: &Text, to: &dyn Fn(&str) -> bool) -> bool {
    text.0.iter().any(|span| matches!(span, Span::Link { to: anchor, .. } if to(anchor)))
}

fn is_evidence(anchor: &str) -> bool {
    anchor.strip_prefix('e').is_some_and(|n| n.parse::<u32>().is_ok())
}

/// What counts parts of the report itself is proven by the list of them.
fn is_list(anchor: &str) -> bool {
    ["coverage", "findings"].contains(&anchor)
}

/// Paragraphs with numbers and no link to where these were read.
fn without_link(report: &Report) -> Vec<String> {
    let mut bare = Vec::new();
    let mut see = |of: &str, text: &Text, allowed: &dyn Fn(&str) -> bool| {
        if text.numbers().next().is_some() && !has_link(text, allowed) {
            bare.push(format!("{of}: {}", text.plain()));
        }
    };
    for f in &report.findings {
        let it = &f.finding;
        let said = [Some(&it.why), it.not.as_ref(), Some(&it.verify)].into_iter().flatten();
        let cautions = it.fixes.iter().filter_map(|fix| fix.when_not.as_ref());
        said.chain(cautions).for_each(|text| see(&it.rule, text, &is_evidence));
    }
    for section in &report.sections {
        let mut blocks: Vec<&Block> = section.blocks.iter().collect();
        while let Some(block) = blocks.pop() {
            match block {
                Block::Prose { text } | Block::Note { text, .. } => {
                    see(&section.id, text, &|to| is_evidence(to) || is_list(to));
                }
                Block::Table(table) => see(&table.id, &table.about, &is_evidence),
                Block::Cards { cards } => cards.iter().for_each(|card| see("actions", &card.why, &is_evidence)),
                Block::Details { blocks: inner, .. } => blocks.extend(inner),
                _ => {}
            }
        }
    }
    bare
}

/// Charts whose heading has no link to where their numbers were read.
fn bare_charts(report: &Report) -> usize {
    let charts = report.sections.iter().flat_map(|s| &s.blocks).filter_map(|block| match block {
        Block::Chart(chart) => Some(chart),
        _ => None,
    });
    let source = |chart: &Chart| match chart {
        Chart::Slope { source, .. }
        | Chart::Multiples { source, .. }
        | Chart::Timeline { source, .. }
        | Chart::Strip { source, .. } => source.clone(),
        Chart::Heatmap(heat) => heat.source.clone(),
    };
    charts.filter(|chart| !has_link(&source(chart), &is_evidence)).count()
}

#[test]
fn every_number_has_evidence() {
    let mut bare: Vec<String> = Vec::new();
    let (mut numbers, mut checks, mut formulas) = (0, 0, 0);
    for dump in dumps() {
        let report = report(&dump);
        for f in &report.findings {
            numbers += f.finding.title.numbers().count();
            bare.extend(without_measure(&f.finding));
            let (wrong, computed) = wrong_arithmetic(&f.finding);
            bare.extend(wrong);
            formulas += computed;
        }
        bare.extend(without_link(&report));
        assert_eq!(bare_charts(&report), 0, "{}", dump.display());
        for check in report.checks.iter().filter(|c| c.state == "passed" && !c.rule.starts_with("hyg-")) {
            assert!(!check.evidence.is_empty(), "{}: {} passed by nothing", dump.display(), check.rule);
            checks += 1;
        }
        let known = |id: &String| report.evidence.iter().any(|e| e.id == *id);
        assert!(report.checks.iter().flat_map(|c| &c.evidence).all(known), "{}", dump.display());
    }
    bare.sort();
    bare.dedup();
    assert!(numbers > 100 && checks > 500 && formulas > 100, "{numbers} numbers, {checks} checks, {formulas} formulas");
    assert!(bare.is_empty(), "{} without evidence, or with wrong arithmetic:\n{}", bare.len(), bare.join("\n"));
}
