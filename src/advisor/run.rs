//! Running the rules: needs first, then the check, then what the configuration says about its findings.

use super::config::{Level, Match};
use super::consistency::Withdrawn;
use super::fold::folded;
use super::{Config, Context, Facts, Need, Peer, Rule, cluster, consistency, plan, score, since, suited};
use crate::catalog::{self, Shape};
use crate::diff::{self, Chain};
use crate::finding::{Confidence, Finding, Outcome, Severity};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What the advisor has to say.
#[derive(Clone, Debug, Default)]
pub struct Advice {
    /// What became of each rule, in the order of the list.
    pub judged: Vec<Judged>,
    /// Findings with too many doubts: listed, never scored, no action.
    pub insufficient: Vec<Finding>,
    /// Findings that the configuration accepts.
    pub suppressed: Vec<Suppressed>,
    /// How many exceptions the configuration has.
    pub exceptions: usize,
    /// What was odd about them: those that expired or concern nothing.
    pub notes: Vec<String>,
    /// The servers it is of, the main one first; empty for one server.
    pub servers: Vec<String>,
    /// Scores with their arithmetic.
    pub score: score::Score,
    /// The plan, in order.
    pub actions: Vec<plan::PlannedAction>,
    /// Statements that the plan left out so that it does not contradict itself, and why.
    pub withdrawn: Vec<Withdrawn>,
    /// Against the first snapshot judged alone; `None` for one snapshot.
    pub since: Option<super::Since>,
}

/// A rule and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The rule.
    pub rule: &'static Rule,
    /// Its outcome.
    pub outcome: Outcome,
}

/// A finding that the configuration accepts.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
    /// Until when.
    pub until: Option<Timestamp>,
}

impl Advice {
    /// All findings that count, worst first: severity, then confidence, then share, then rule and object.
    pub fn findings(&self) -> Vec<&Finding> {
        let mut all: Vec<&Finding> = self
            .judged
            .iter()
            .filter_map(|j| match &j.outcome {
                Outcome::Found { findings, .. } => Some(findings),
                _ => None,
            })
            .flatten()
            .collect();
        all.sort_by(|a, b| rank(a, b));
        all
    }
}

/// The order of findings: worst, surest, largest first; then by rule and name.
pub(super) fn rank(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    (b.severity, b.confidence())
        .cmp(&(a.severity, a.confidence()))
        .then_with(|| b.share.unwrap_or(0.0).total_cmp(&a.share.unwrap_or(0.0)))
        .then_with(|| (&a.rule, &a.subject).cmp(&(&b.rule, &b.subject)))
}

/// Runs these rules over a chain: outcomes, accepted findings, scores and plan; without the comparison with the past.
pub(super) fn judge(chain: &Chain, config: &Config, rules: &[&'static Rule]) -> Advice {
    judge_among(chain, &[], config, rules)
}

/// The same beside the other servers of the cluster.
pub(super) fn judge_among<'a>(
    chain: &'a Chain,
    peers: &[Peer<'a>],
    config: &Config,
    rules: &[&'static Rule],
) -> Advice {
    let mut used = vec![Used::default(); config.ignores.len()];
    let advice = outcomes(chain, peers, config, rules, &mut used);
    finish(advice, chain, config, &used)
}

/// What became of each rule, and which exceptions met a finding.
fn outcomes<'a>(
    chain: &'a Chain,
    peers: &[Peer<'a>],
    config: &Config,
    rules: &[&'static Rule],
    used: &mut [Used],
) -> Advice {
    let facts = Facts::among(chain, peers);
    let mut advice = Advice { exceptions: config.ignores.len(), ..Advice::default() };
    for rule in rules.iter().copied() {
        let outcome = if config.level(rule.id) == Some(Level::Off) {
            Outcome::Skipped { reason: "switched off in the configuration".to_owned(), missing_input: false }
        } else {
            one(&Context { rule, chain, facts: &facts, config })
        };
        let outcome = match outcome {
            Outcome::Found { findings, checked } => sift(chain, config, findings, checked, &mut advice, used),
            other => other,
        };
        advice.judged.push(Judged { rule, outcome });
    }
    advice
}

/// Lists of findings alike, notes on exceptions, scores and plan.
fn finish(mut advice: Advice, chain: &Chain, config: &Config, used: &[Used]) -> Advice {
    for judged in &mut advice.judged {
        if let Outcome::Found { findings, .. } = &mut judged.outcome {
            findings.sort_by(rank);
            *findings = folded(std::mem::take(findings));
        }
    }
    suited::mind_servers(&mut advice);
    advice.notes = exception_notes(config, used);
    advice.score = score::score(&advice.judged);
    let (actions, withdrawn) = plan::plan(&advice.findings(), chain.last().meta.taken_at);
    advice.actions = actions;
    advice.withdrawn = withdrawn;
    consistency::withdraw(&mut advice);
    advice
}

/// One rule: its needs, then its check.
fn one(context: &Context<'_>) -> Outcome {
    for need in context.rule.needs {
        if let Err((reason, missing_input)) = met(context, need) {
            return Outcome::Skipped { reason, missing_input };
        }
    }
    // A broken rule must not take the other rules' findings with it.
    match catch_unwind(AssertUnwindSafe(|| (context.rule.check)(context))) {
        Ok(Ok(checked)) if checked.findings.is_empty() => Outcome::Passed { checked: checked.looked_at },
        Ok(Ok(mut checked)) => {
            checked.findings.iter_mut().flat_map(|f| &mut f.fixes).for_each(|fix| suited::suit(context, fix));
            let mut findings: Vec<Finding> = checked.findings.into_iter().map(Finding::bounded).collect();
            for evidence in findings.iter_mut().flat_map(|f| &mut f.measures).map(|m| &mut m.evidence) {
                evidence.view = catalog::as_exported(&evidence.view, &mut evidence.columns, context.major());
            }
            Outcome::Found { findings, checked: checked.looked_at }
        }
        Ok(Err(skip)) => Outcome::Skipped { reason: skip.0, missing_input: false },
        Err(_) => Outcome::Failed { message: "the check broke; this is an error of the program".to_owned() },
    }
}

/// Whether a need is met; else why not, and whether that is an input the dump could have.
fn met(context: &Context<'_>, need: &Need) -> Result<(), (String, bool)> {
    match *need {
        Need::View(name, columns) => view_is_there(context, name, columns),
        Need::Snapshots(n) if context.chain.snapshots.len() < n => {
            Err((format!("needs {n} snapshots, here {} given", are(context.chain.snapshots.len())), true))
        }
        Need::Primary if context.is_standby() == Some(true) => {
            Err(("the server is a standby: this is decided on the primary".to_owned(), false))
        }
        Need::Plans if context.facts.plans.all.is_empty() => Err((NO_PLANS.to_owned(), false)),
        Need::Setting(name) if context.exported_setting(name).is_none() => {
            Err((format!("needs the setting `{name}`; `pg_settings` does not have it"), true))
        }
        Need::Snapshots(_) | Need::Primary | Need::Plans | Need::Setting(_) => Ok(()),
    }
}

/// Why plans are not judged.
const NO_PLANS: &str = "no query plan is in the dump: put EXPLAIN (ANALYZE, BUFFERS) output into its folder `plans`";

fn are(n: usize) -> String {
    if n == 1 { "1 is".to_owned() } else { format!("{n} are") }
}

fn view_is_there(context: &Context<'_>, name: &str, columns: &[&str]) -> Result<(), (String, bool)> {
    let described = catalog::view(name);
    let major = context.major();
    let table = match described.map(|v| v.shape) {
        Some(Shape::Counters) => context.last(name),
        Some(Shape::Sample | Shape::State) | None => context.state(name).map(|s| s.table),
    };
    let Some(table) = table else {
        // Counters are judged to the end of the window.
        if context.chain.snapshots.iter().any(|s| s.table(name).is_some()) {
            return Err((format!("`{name}` is not in the last snapshot"), true));
        }
        // A newer view may be there all the same: counters that an older version exports in another view.
        let carrier = catalog::carrier(name, major);
        return Err(if carrier != name {
            (format!("`{carrier}` is not in the dump"), true)
        } else if described.is_some_and(|v| !v.majors.contains(major)) {
            (format!("PostgreSQL {major} does not have `{name}`"), false)
        } else {
            (format!("`{name}` is not in the dump"), true)
        });
    };
    // An export without rows may be without column names, too (JSON `[]`).
    let missing = columns.iter().find(|c| table.rows > 0 && !table.has(c));
    match missing {
        None => Ok(()),
        Some(column) => {
            let old = described.and_then(|v| v.column(column)).is_some_and(|(_, c)| !c.majors.contains(major));
            let reason = if old {
                format!("PostgreSQL {major} does not have `{name}.{column}`")
            } else {
                format!("`{name}` was exported without `{column}`")
            };
            Err((reason, !old))
        }
    }
}

/// Sorts a rule's findings into those that count, those accepted and those too unsure; applies configured severities.
fn sift(
    chain: &Chain,
    config: &Config,
    findings: Vec<Finding>,
    checked: String,
    advice: &mut Advice,
    used: &mut [Used],
) -> Outcome {
    let now = chain.last().meta.taken_at;
    let mut kept = Vec::new();
    'findings: for mut finding in findings {
        if let Some(Level::Fixed(severity)) = config.level(&finding.rule) {
            finding.severity = severity;
        }
        for (ignore, used) in config.ignores.iter().zip(used.iter_mut()) {
            match ignore.matches(&finding, now) {
                Match::No => {}
                Match::Expired => drop(used.expired.insert(finding.key())),
                Match::Yes => {
                    used.hidden += 1;
                    let (reason, until) = (ignore.reason.clone(), ignore.until);
                    advice.suppressed.push(Suppressed { finding, reason, until });
                    continue 'findings;
                }
            }
        }
        match finding.confidence() {
            Confidence::Insufficient => {
                advice.insufficient.push(finding);
                continue;
            }
            Confidence::Low if !keeps_severity(&finding.rule) => {
                finding.severity = finding.severity.min(Severity::Medium);
            }
            Confidence::Low | Confidence::Medium | Confidence::High => {}
        }
        kept.push(finding);
    }
    if kept.is_empty() {
        return Outcome::Passed { checked };
    }
    Outcome::Found { findings: kept, checked }
}

/// Rules whose severity low confidence does not cap: what they warn of cannot be undone.
fn keeps_severity(rule: &str) -> bool {
    rule.starts_with("wrap-") || rule.starts_with("slot-") || rule == "cfg-durability-off"
}

/// What an exception met.
#[derive(Clone, Debug, Default)]
struct Used {
    /// Findings that it hides.
    hidden: usize,
    /// Keys of findings that it would hide, had it not expired.
    expired: BTreeSet<String>,
}

fn exception_notes(config: &Config, used: &[Used]) -> Vec<String> {
    let mut notes = Vec::new();
    for (ignore, used) in config.ignores.iter().zip(used) {
        let object = ignore.object.as_deref().unwrap_or("*");
        let what = format!("`{}` on `{object}`", ignore.rule);
        let (line, reason) = (ignore.line, &ignore.reason);
        if !used.expired.is_empty() {
            let until = ignore.until.map(Timestamp::human_date).unwrap_or_default();
            let findings = if used.expired.len() == 1 {
                "1 finding is reported again".to_owned()
            } else {
                format!("{} findings are reported again", used.expired.len())
            };
            notes.push(format!(
                "the exception on line {line} expired on {until}: {what}, {findings} (reason given: {reason})"
            ));
        } else if used.hidden == 0 {
            notes.push(format!("the exception on line {line} concerns no finding: {what} (reason given: {reason})"));
        }
    }
    notes
}

/// Runs every rule over a chain; with two snapshots or more also over the first one alone, to tell what is new.
pub fn run(chain: &Chain, config: &Config) -> Advice {
    run_among(chain, &[], config)
}

/// The same for one of several servers of a cluster: what the others say is known to its rules.
pub fn run_among<'a>(chain: &'a Chain, peers: &[Peer<'a>], config: &Config) -> Advice {
    with_past(judge_among(chain, peers, config, super::rules::RULES), chain, config)
}

/// Every rule over every server of a cluster, the main one first: its findings, and those of the others that it does not
/// have, each with the servers it holds for.
pub fn run_cluster<'a>(servers: &[Peer<'a>], config: &Config) -> Option<Advice> {
    let (main, others) = servers.split_first()?;
    if others.is_empty() {
        return Some(run(main.chain, config));
    }
    let rules = super::rules::RULES;
    let mut used = vec![Used::default(); config.ignores.len()];
    let mut whole = outcomes(main.chain, others, config, rules, &mut used);
    let alone = finish(whole.clone(), main.chain, config, &used);
    let since = with_past(alone, main.chain, config).since;
    cluster::mark(&mut whole, main.name);
    for (at, server) in servers.iter().enumerate().skip(1) {
        let peers: Vec<Peer<'a>> = servers.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, p)| *p).collect();
        let mut advice = outcomes(server.chain, &peers, config, rules, &mut used);
        cluster::mark(&mut advice, server.name);
        cluster::merge(&mut whole, advice);
    }
    let mut advice = finish(whole, main.chain, config, &used);
    advice.since = since;
    advice.servers = servers.iter().map(|s| s.name.to_owned()).collect();
    Some(advice)
}

fn with_past(mut advice: Advice, chain: &Chain, config: &Config) -> Advice {
    if !chain.is_single()
        && let Ok(first) = diff::chain(vec![Arc::clone(chain.first())], &diff::Options::default())
    {
        advice.since = Some(since::compare(&judge(&first, config, super::rules::RULES), &advice));
    }
    advice
}
