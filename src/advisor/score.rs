//! Scores with their arithmetic: ten, minus what the findings take off; a reader can redo it by hand.

use super::Category;
use super::Need;
use super::run::Judged;
use crate::finding::{Confidence, Finding, Outcome, Severity};
use std::collections::BTreeMap;

/// The scores of all areas and the overall one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// 0 to 10, one decimal; `None` where no area could be assessed.
    pub overall: Option<f64>,
    /// The arithmetic of the overall score.
    pub formula: String,
    /// Every area that has rules, in the order of [`Category::ALL`].
    pub areas: Vec<AreaScore>,
}

/// The score of one area.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaScore {
    /// The area.
    pub category: Category,
    /// 0 to 10, one decimal; `None`: not assessed.
    pub score: Option<f64>,
    /// True where less than half of the rules could run: the score is an upper bound.
    pub at_most: bool,
    /// Rules that ran.
    pub evaluated: usize,
    /// Rules that could run on this server, were everything exported.
    pub applicable: usize,
    /// What was taken off, most first.
    pub deductions: Vec<Deduction>,
    /// Why it is not assessed, or which cap applies.
    pub remark: Option<String>,
}

/// What one rule's findings take off.
#[derive(Clone, Debug, PartialEq)]
pub struct Deduction {
    /// The rule.
    pub rule: String,
    /// Keys of its findings that count, heaviest first.
    pub findings: Vec<String>,
    /// Points.
    pub points: f64,
    /// The arithmetic: `3 × 0.7 × 0.95 + ½ × …`.
    pub formula: String,
}

/// Points of a severity before confidence and scope.
const fn base(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 5.0,
        Severity::High => 3.0,
        Severity::Medium => 1.5,
        Severity::Low => 0.5,
        Severity::Info => 0.0,
    }
}

/// What confidence leaves of them.
pub(super) const fn certainty(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 1.0,
        Confidence::Medium => 0.7,
        Confidence::Low => 0.4,
        Confidence::Insufficient => 0.0,
    }
}

/// Half of the points stand for the problem, half for the affected share of the area's resource; unknown counts as half.
fn scope(finding: &Finding) -> f64 {
    0.5 + 0.5 * finding.share_of_resource().unwrap_or(0.5)
}

fn penalty(finding: &Finding) -> f64 {
    base(finding.severity) * certainty(finding.confidence()) * scope(finding)
}

/// Scores everything that was judged.
pub(super) fn score(judged: &[Judged]) -> Score {
    let mut by_area: BTreeMap<Category, Vec<&Judged>> = BTreeMap::new();
    for one in judged {
        if let Some(category) = Category::of(one.rule.id) {
            by_area.entry(category).or_default().push(one);
        }
    }
    let areas: Vec<AreaScore> = by_area.into_iter().map(|(category, judged)| area(category, &judged)).collect();
    let (overall, formula) = overall(&areas);
    Score { overall, formula, areas }
}

fn area(category: Category, judged: &[&Judged]) -> AreaScore {
    let ran = |j: &&&Judged| matches!(j.outcome, Outcome::Found { .. } | Outcome::Passed { .. });
    let evaluated = judged.iter().filter(ran).count();
    let impossible = |j: &&&Judged| matches!(j.outcome, Outcome::Skipped { missing_input: false, .. });
    // Plans are no part of an export: where none were given, checks on them are not missing.
    let not_asked = |j: &&&Judged| impossible(j) && j.rule.needs.contains(&Need::Plans);
    let applicable = judged.len() - judged.iter().filter(not_asked).count();
    let mut deductions: Vec<Deduction> = judged.iter().filter_map(|j| deduct(j)).collect();
    deductions.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| a.rule.cmp(&b.rule)));
    if evaluated == 0 {
        let remark = Some(why_not(judged));
        return AreaScore { category, score: None, at_most: false, evaluated, applicable, deductions, remark };
    }
    let taken: f64 = deductions.iter().map(|d| d.points).sum();
    let (cap, reason) = cap(judged);
    let raw = (10.0 - taken).max(0.0);
    AreaScore {
        category,
        score: Some(one_decimal(raw.min(cap))),
        at_most: evaluated * 2 < applicable,
        evaluated,
        applicable,
        deductions,
        remark: reason.filter(|_| raw > cap),
    }
}

/// Why no check of an area ran: inputs, or what most of those say that could.
fn why_not(judged: &[&Judged]) -> String {
    let mut missing = 0;
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for one in judged.iter().filter(|one| !one.rule.needs.contains(&Need::Plans)) {
        match &one.outcome {
            Outcome::Skipped { missing_input: true, .. } => missing += 1,
            Outcome::Skipped { reason, .. } => *reasons.entry(reason).or_default() += 1,
            _ => {}
        }
    }
    let other: usize = reasons.values().sum();
    if missing > other {
        return "required inputs are missing".to_owned();
    }
    let most = reasons.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(
        || "no check of this area could give a verdict".to_owned(),
        |(reason, count)| format!("{reason} ({count} of its {} checks)", missing + other),
    )
}

/// A certain critical or high finding bounds its area, whatever else is fine.
fn cap(judged: &[&Judged]) -> (f64, Option<String>) {
    let certain = |severity| {
        judged.iter().any(|j| match &j.outcome {
            Outcome::Found { findings, .. } => {
                findings.iter().any(|f| f.severity == severity && f.confidence() == Confidence::High)
            }
            _ => false,
        })
    };
    if certain(Severity::Critical) {
        (4.0, Some("capped at 4.0 by a certain critical finding".to_owned()))
    } else if certain(Severity::High) {
        (7.5, Some("capped at 7.5 by a certain high finding".to_owned()))
    } else {
        (10.0, None)
    }
}

/// Within one rule each further finding counts half of the one before: a hundred small twins cannot sink an area.
fn deduct(judged: &Judged) -> Option<Deduction> {
    let Outcome::Found { findings, .. } = &judged.outcome else { return None };
    let mut counted: Vec<(f64, &Finding)> =
        findings.iter().map(|f| (penalty(f), f)).filter(|(p, _)| *p > 0.0).collect();
    counted.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.subject.cmp(&b.1.subject)));
    let (mut points, mut weight, mut terms) = (0.0, 1.0, Vec::new());
    for (i, (penalty, finding)) in counted.iter().enumerate() {
        points += weight * penalty;
        if i < 4 {
            terms.push(term(finding, i));
        }
        weight /= 2.0;
    }
    if counted.len() > terms.len() {
        terms.push("…".to_owned());
    }
    let findings: Vec<String> = counted.iter().map(|(_, f)| f.key()).collect();
    (!findings.is_empty()).then(|| Deduction {
        rule: judged.rule.id.to_owned(),
        findings,
        points,
        formula: terms.join(" + "),
    })
}

fn term(finding: &Finding, position: usize) -> String {
    let weight = ["", "½ × ", "¼ × ", "⅛ × "].get(position).copied().unwrap_or_default();
    let parts = [base(finding.severity), certainty(finding.confidence()), scope(finding)];
    let [base, certainty, scope] =
        parts.map(|x| super::context::show((x * 1e3).round() / 1e3, crate::unit::Unit::Plain));
    format!("{weight}{base} × {certainty} × {scope}")
}

fn overall(areas: &[AreaScore]) -> (Option<f64>, String) {
    let assessed: Vec<(&AreaScore, f64)> = areas.iter().filter_map(|a| a.score.map(|s| (a, s))).collect();
    let weights: f64 = assessed.iter().map(|(a, _)| a.category.weight()).sum();
    let Some(worst) = assessed.iter().map(|(_, s)| *s).min_by(f64::total_cmp) else {
        return (None, String::new());
    };
    let mean = assessed.iter().map(|(a, s)| a.category.weight() * s).sum::<f64>() / weights;
    let show = |x: f64| super::context::show(x, crate::unit::Unit::Plain);
    let terms: Vec<String> =
        assessed.iter().map(|(a, s)| format!("{} × {}", show(a.category.weight()), show(*s))).collect();
    let mut formula = format!("({}) ÷ {}", terms.join(" + "), show(one_decimal(weights)));
    if mean > worst + 4.0 {
        formula.push_str(", at most the lowest area + 4");
    }
    (Some(one_decimal(mean.min(worst + 4.0))), formula)
}

fn one_decimal(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
