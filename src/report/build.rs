//! From what changed and what the advisor said to the report.

use super::draft::{Body, Draft};
use super::{
    Action, Aside, Category, CoverageState, Deduction, Exceptions, History, Horizon, Report, ReportFinding, SCHEMA,
    SECTIONS, Section, Server, Since, Verdict, Window, headline,
};
use crate::advisor::{Advice, Peer, Score, When};
use crate::diff::Chain;
use crate::error::Result;
use crate::finding::{Finding, Severity, SubjectKind};
use crate::text::Text;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What the user decided that shows in the report.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// The configuration's content, as read; empty: defaults. It decides the report's id.
    pub configuration: String,
    /// Command line options that change what the report says, in one spelling. They decide the report's id.
    pub arguments: String,
    /// An earlier report to hold this one against.
    pub baseline: Option<Report>,
    /// Disk space for the data directory, in bytes.
    pub capacity: Option<i64>,
    /// Snapshots that were given and are not of the chain.
    pub asides: Vec<Aside>,
    /// The servers the advice is of, the main one first; empty for one server.
    pub servers: Vec<Peer<'a>>,
}

/// Makes the report.
pub fn build(chain: &Chain, advice: &Advice, options: &Options<'_>) -> Result<Report> {
    build_with(chain, None, advice, options)
}

/// Makes the report of a history that was followed while it was read.
pub fn build_with(chain: &Chain, history: Option<History>, advice: &Advice, options: &Options<'_>) -> Result<Report> {
    let history = match history {
        None if chain.snapshots.len() > 2 => Some(History::of(chain)?),
        given => given,
    };
    let mut draft = Draft::new(chain, history.as_ref(), advice, options);
    draft.servers = options.servers.iter().map(|server| Server::of(server.name, server.chain)).collect();
    let mut findings = number(advice, &mut draft);
    draft.checks = super::checks::lines(&mut draft);
    let meta = &chain.last().meta;
    let title = meta.database.clone().unwrap_or_else(|| meta.label.clone());
    draft.baseline = options
        .baseline
        .as_ref()
        .map(|past| super::baseline::compare(past, meta.taken_at, &title, &mut findings, &draft.checks, advice));
    draft.set_findings(findings);
    draft.actions = actions(advice, &draft.findings);
    for kind in SECTIONS {
        let Body { filled, count, mut blocks } = (kind.write)(&mut draft)?;
        blocks.extend(super::sections::unjudged(&draft, kind.id));
        let title = if kind.title.is_empty() { title.clone() } else { kind.title.to_owned() };
        draft.sections.push(Section { id: kind.id.to_owned(), title, filled, count, blocks });
    }
    let verdict = verdict(&draft);
    // Sections cite in what they make of this prose; so the prose itself comes last.
    super::marks::in_findings(&mut draft.findings);
    super::marks::in_actions(&mut draft.actions, &draft.findings);
    let sources = super::coverage::sources(&draft);
    let expected = sources.iter().filter(|s| s.state != CoverageState::NotApplicable).count();
    let captured = sources.iter().filter(|s| matches!(s.state, CoverageState::Captured | CoverageState::Empty)).count();
    Ok(Report {
        schema: SCHEMA,
        id: id(chain, options),
        generator: format!("pgretro {}", env!("CARGO_PKG_VERSION")),
        rules: rules(advice, options),
        redacted: Vec::new(),
        title,
        window: Window {
            from: chain.first().meta.taken_at,
            to: meta.taken_at,
            elapsed_s: chain.elapsed_s,
            snapshots: chain.count(),
            server: super::sections::server(meta),
            sources: captured,
            sources_expected: expected,
        },
        verdict,
        servers: draft.servers,
        exceptions: exceptions(advice),
        baseline: draft.baseline,
        checks: draft.checks,
        sections: draft.sections,
        evidence: draft.register.into_entries(),
        findings: draft.findings,
        actions: draft.actions,
    })
}

fn rules(advice: &Advice, options: &Options<'_>) -> String {
    let n = advice.judged.len();
    if options.configuration.trim().is_empty() {
        return format!("{n} rules, defaults");
    }
    format!("{n} rules, configuration {}", short(&Sha256::digest(options.configuration.as_bytes())))
}

/// The first 8 bytes of a hash.
pub(super) fn short(digest: &[u8]) -> String {
    hexadecimal(digest.get(..8).unwrap_or(digest))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Equal inputs, options and rules: equal id.
fn id(chain: &Chain, options: &Options<'_>) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    };
    add(env!("CARGO_PKG_VERSION"));
    add(&options.configuration);
    add(&options.arguments);
    let mut kept = chain.snapshots.iter();
    for glance in &chain.all {
        // What was read decides, not where it lay: the same files elsewhere are the same report.
        add(&glance.taken_at.map_or_else(String::new, |t| t.to_string()));
        if glance.kept {
            kept.next().into_iter().flat_map(|s| &s.meta.files).for_each(|file| add(&file.sha256));
        } else {
            add(&hexadecimal(&glance.digest));
        }
    }
    short(&hash.finalize())
}

/// Findings with their numbers, their evidence entered, and without the statements that the plan withdrew.
fn number(advice: &Advice, draft: &mut Draft<'_>) -> Vec<ReportFinding> {
    let found = advice.findings();
    let width = found.len().to_string().len().max(2);
    let after = if draft.single() { "A" } else { "B" };
    let mut ids = BTreeMap::new();
    found
        .into_iter()
        .enumerate()
        .map(|(at, finding)| {
            let evidence = finding.measures.iter().map(|m| {
                let window = if m.at_least { "window, at least" } else { "window" };
                let values = [("A", m.before), (after, m.after), (window, m.window)]
                    .into_iter()
                    .filter_map(|(label, value)| value.map(|v| (label.to_owned(), v)))
                    .collect();
                let label = if m.evidence.object.is_empty() || m.evidence.object == m.label {
                    m.label.clone()
                } else {
                    format!("{}: {}", m.evidence.object, m.label)
                };
                draft.register.enter(&label, values, m.evidence.clone())
            });
            let evidence = evidence.collect();
            let withdrawn = withdrawn(finding, advice);
            let mut finding = finding.clone();
            finding.title = self_contained(&finding);
            ReportFinding {
                number: format!("F-{:0width$}", at + 1),
                id: stable_id(&finding, &mut ids),
                confidence: finding.confidence(),
                evidence,
                since: since_of(&finding, advice),
                baseline: None,
                withdrawn,
                finding,
            }
        })
        .collect()
}

/// The hash of what stays the same from run to run; sessions that only their process id tells apart are numbered.
fn stable_id(finding: &Finding, taken: &mut BTreeMap<String, usize>) -> String {
    let identity = super::identity::identity(finding);
    let n = taken.entry(identity.clone()).or_insert(0);
    *n += 1;
    let text = if *n > 1 { format!("{identity} {n}") } else { identity };
    short(&Sha256::digest(text.as_bytes()))
}

/// What became of the exceptions of the configuration.
fn exceptions(advice: &Advice) -> Option<Exceptions> {
    (advice.exceptions > 0).then(|| Exceptions {
        given: advice.exceptions,
        accepted: advice.suppressed.len(),
        notes: advice.notes.clone(),
    })
}

/// Why statements of a finding were left out of the plan, and so of the finding.
fn withdrawn(finding: &Finding, advice: &Advice) -> Vec<String> {
    let key = finding.key();
    let mut said: Vec<String> =
        advice.withdrawn.iter().filter(|w| w.findings.contains(&key)).map(|w| format!("{}.", w.why)).collect();
    said.dedup();
    said
}

/// A title that names its object, so that it can stand alone.
fn self_contained(finding: &Finding) -> Text {
    let title = finding.title.clone();
    let named = |kind| {
        use SubjectKind::{Constraint, Database, Function, Index, PreparedTransaction, Role, Sequence, Slot, Table};
        matches!(kind, Constraint | Database | Function | Index | PreparedTransaction | Role | Sequence | Slot | Table)
    };
    let name = finding.subject.name.as_str();
    if !named(finding.subject.kind) || names(&title, name) || finding.members.len() > 1 {
        return title;
    }
    Text::new().name(name).t(": ").then(title)
}

/// Whether prose says a whole name: `public.a` is not said by `public.a_b`.
fn names(text: &Text, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '"');
    let plain = text.plain();
    let name = crate::ident::visible(name);
    plain.match_indices(name.as_ref()).any(|(at, found)| {
        let before = plain.get(..at).and_then(|s| s.chars().next_back());
        let after = plain.get(at + found.len()..).and_then(|s| s.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn since_of(finding: &Finding, advice: &Advice) -> Option<String> {
    let since = advice.since.as_ref()?;
    let key = finding.key();
    if since.new.contains(&key) {
        Some("new".to_owned())
    } else {
        since.unchanged.contains(&key).then(|| "unchanged".to_owned())
    }
}

fn actions(advice: &Advice, findings: &[ReportFinding]) -> Vec<Action> {
    let numbers: BTreeMap<String, &str> = findings.iter().map(|f| (f.finding.key(), f.number.as_str())).collect();
    let by_key = |keys: &[String]| -> Vec<String> {
        let mut found: Vec<String> = keys.iter().filter_map(|k| numbers.get(k)).map(|n| (*n).to_owned()).collect();
        found.dedup();
        found
    };
    advice
        .actions
        .iter()
        .enumerate()
        .map(|(at, a)| Action {
            rank: at + 1,
            title: a.title.clone(),
            findings: by_key(&a.findings),
            horizon: match a.when {
                When::Immediate => Horizon::Immediate,
                When::ShortTerm => Horizon::ShortTerm,
                When::LongTerm => Horizon::LongTerm,
            },
            severity: a.severity,
            impact: a.impact,
            confidence: a.confidence,
            effort: a.effort,
            deadline: a.deadline,
            fixes: a.fixes.clone(),
            verify: a.verify.clone(),
            remarks: a.remarks.clone(),
        })
        .collect()
}

fn verdict(draft: &Draft<'_>) -> Verdict {
    let score = &draft.advice.score;
    let numbers: BTreeMap<String, String> =
        draft.findings.iter().map(|f| (f.finding.key(), f.number.clone())).collect();
    let categories = score
        .areas
        .iter()
        .map(|area| Category {
            name: area.category.name().to_owned(),
            score: area.score,
            at_most: area.at_most,
            evaluated: area.evaluated,
            applicable: area.applicable,
            deductions: area
                .deductions
                .iter()
                .map(|d| Deduction {
                    findings: d.findings.iter().filter_map(|k| numbers.get(k).cloned()).collect(),
                    rule: d.rule.clone(),
                    points: d.points,
                    formula: d.formula.clone(),
                })
                .collect(),
            remark: area.remark.clone(),
        })
        .collect();
    let counts = Severity::WORST_FIRST
        .iter()
        .map(|s| (*s, draft.findings.iter().filter(|f| f.finding.severity == *s).count()))
        .collect();
    let since = draft.advice.since.as_ref().map(|s| Since {
        new: s.new.len(),
        unchanged: s.unchanged.len(),
        fixed: s.fixed.len(),
    });
    Verdict {
        headline: headline::headline(draft),
        reason: headline::reason(draft),
        basis: headline::basis(draft),
        score: score.overall,
        score_at_most: score_at_most(score),
        score_formula: score.formula.clone(),
        score_evidence: draft.score_evidence.clone(),
        categories,
        counts,
        since,
    }
}

/// A score of less than half of what there is to judge is an upper bound, like an area's.
fn score_at_most(score: &Score) -> bool {
    let assessed = score.areas.iter().filter(|a| a.score.is_some()).count();
    let evaluated: usize = score.areas.iter().map(|a| a.evaluated).sum();
    let applicable: usize = score.areas.iter().map(|a| a.applicable).sum();
    assessed * 2 < score.areas.len() || evaluated * 2 < applicable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_inside_another_is_not_said() {
        let title = Text::new().t("(a) is the beginning of ").name("public.orders_a_b");
        assert!(names(&title, "public.orders_a_b"));
        for other in ["public.orders_a", "orders_a_b", "public.orders"] {
            assert!(!names(&title, other), "{other}");
        }
        assert!(names(&Text::new().t("1 deadlock in ").name("shop").t(", again"), "shop"));
    }
}
