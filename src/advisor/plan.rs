//! From findings to a plan: one action per object and verb, contradictions settled, in the order to work.

use super::consistency::{self, Withdrawn};
use super::index_cure::NO_LIMIT;
use super::score::certainty;
use super::{causes, cure, longer};
use crate::catalog::settings::parse;
use crate::finding::{Confidence, Effort, Finding, Fix, Risk, RoleSetting, Severity, SubjectKind, Verb};
use crate::text::{Span, Text};
use crate::time::Timestamp;
use std::cmp::Ordering;

/// What comes before all else that is done as soon: while commits hang nothing else can be changed, and while damaged pages
/// are emptied whatever reads them destroys.
const FIRST: [&str; 2] = ["repl-sync-missing", "cfg-dev-options"];

/// When to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Within a day.
    Immediate,
    /// Within two weeks.
    ShortTerm,
    /// Later.
    LongTerm,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedAction {
    /// What to do, in a line.
    pub title: Text,
    /// Keys of the findings it answers, worst first.
    pub findings: Vec<String>,
    /// Their rules, in the same order, each once.
    pub rules: Vec<String>,
    /// The object it acts on.
    pub object: String,
    /// What the first of its findings is about.
    pub kind: SubjectKind,
    /// When.
    pub when: When,
    /// The worst severity among its findings.
    pub severity: Severity,
    /// 1 to 5: the severity's rank, one more for an affected share of 20 % and above, one less below 2 %.
    pub impact: u8,
    /// The best confidence among its findings.
    pub confidence: Confidence,
    /// How much work.
    pub effort: Effort,
    /// The riskiest of its statements.
    pub risk: Risk,
    /// The nearest date among its findings.
    pub deadline: Option<Timestamp>,
    /// The statements, in safe order.
    pub fixes: Vec<Fix>,
    /// What proves success.
    pub verify: Text,
    /// What was left out so that the plan does not contradict itself, and why.
    pub remarks: Vec<String>,
}

/// Makes the plan for findings given worst first, and says which of their statements it cannot carry.
pub(super) fn plan(findings: &[&Finding], now: Option<Timestamp>) -> (Vec<PlannedAction>, Vec<Withdrawn>) {
    let mut actions: Vec<PlannedAction> = Vec::new();
    let mut withdrawn: Vec<Withdrawn> = Vec::new();
    for finding in findings.iter().filter(|f| f.severity > Severity::Info && !f.fixes.is_empty()) {
        // One action per object and verb: further findings join the action that already does it.
        // What is only looked at is told apart by its kind too: a role and a database may have one name.
        let main = main_fix(&finding.fixes);
        let same_kind =
            |a: &PlannedAction| a.kind == finding.subject.kind || main.is_none_or(|(verb, _)| verb != Verb::Diagnose);
        let twin = actions.iter_mut().find(|a| a.main() == main && same_kind(a));
        match twin {
            Some(action) => withdrawn.extend(action.join(finding)),
            None => actions.push(PlannedAction::of(finding)),
        }
    }
    withdrawn.extend(consistency::settle(&mut actions));
    withdrawn.extend(longer::noted(findings, &actions));
    for action in &mut actions {
        action.when = action.horizon(now);
    }
    actions.sort_by(order);
    causes::causes_first(&mut actions);
    (actions, withdrawn)
}

/// The statements that a plan takes over: not those that stand instead of others.
fn planned(finding: &Finding) -> impl Iterator<Item = &Fix> {
    finding.fixes.iter().filter(|f| !f.instead)
}

/// The statement that changes something, by verb and object; where all only look, the first.
fn main_fix(fixes: &[Fix]) -> Option<(Verb, &str)> {
    let main = fixes.iter().find(|f| f.verb != Verb::Diagnose).or(fixes.first())?;
    Some((main.verb, main.object.as_str()))
}

/// Rank of a severity: critical 5 … low 2.
const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 5,
        Severity::High => 4,
        Severity::Medium => 3,
        Severity::Low => 2,
        Severity::Info => 1,
    }
}

fn impact(finding: &Finding) -> u8 {
    let rank = rank(finding.severity);
    match finding.share_of_resource() {
        Some(share) if share >= 0.2 => (rank + 1).min(5),
        Some(share) if share < 0.02 => rank.saturating_sub(1).max(1),
        _ => rank,
    }
}

impl PlannedAction {
    fn of(finding: &Finding) -> Self {
        let object = main_fix(&finding.fixes).map_or_else(|| finding.subject.name.clone(), |(_, o)| o.to_owned());
        Self {
            title: title(finding, &object),
            findings: vec![finding.key()],
            rules: vec![finding.rule.clone()],
            object,
            kind: finding.subject.kind,
            when: When::LongTerm,
            severity: finding.severity,
            impact: impact(finding),
            confidence: finding.confidence(),
            effort: finding.effort,
            risk: planned(finding).map(|f| f.risk).max().unwrap_or(Risk::R0),
            deadline: finding.deadline,
            fixes: planned(finding).cloned().collect(),
            verify: finding.verify.clone(),
            remarks: Vec::new(),
        }
    }

    pub(super) fn main(&self) -> Option<(Verb, &str)> {
        main_fix(&self.fixes)
    }

    /// Answers what another action would have answered; that one's statements that only look come along.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.findings.extend(other.findings.iter().cloned());
        self.rules.extend(other.rules.iter().filter(|r| !self.rules.contains(r)).cloned().collect::<Vec<_>>());
        self.severity = self.severity.max(other.severity);
        self.impact = self.impact.max(other.impact);
        self.confidence = self.confidence.max(other.confidence);
        self.fixes.extend(other.fixes.iter().filter(|f| f.verb == Verb::Diagnose).cloned());
    }

    /// Answers one more finding. A setting gets one value: what the others would set is given back.
    fn join(&mut self, finding: &Finding) -> Vec<Withdrawn> {
        let mut out = Vec::new();
        let answered = self.findings.clone();
        self.findings.push(finding.key());
        if !self.rules.contains(&finding.rule) {
            self.rules.push(finding.rule.clone());
        }
        self.severity = self.severity.max(finding.severity);
        self.impact = self.impact.max(impact(finding));
        self.confidence = self.confidence.max(finding.confidence());
        self.effort = self.effort.max(finding.effort);
        self.deadline = match (self.deadline, finding.deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for fix in planned(finding) {
            // Of two changes of an object neither stands for the other.
            let alike = |f: &&mut Fix| {
                (f.verb, &f.object) == (fix.verb, &fix.object) && (fix.verb != Verb::Alter || f.sql == fix.sql)
            };
            match self.fixes.iter_mut().find(alike) {
                Some(same) => {
                    if also_maintain(same, fix) {
                        self.title = title(finding, &self.object);
                    }
                    if fix.sql == same.sql {
                        same.when_not = both(same.when_not.take(), fix.when_not.as_ref());
                    }
                    let new = fix.keeps.iter().filter(|k| !same.keeps.contains(k)).cloned().collect::<Vec<_>>();
                    same.keeps.extend(new);
                    if fix.verb == Verb::Set && fix.sql != same.sql {
                        let object = fix.object.clone();
                        let (findings, why) = if is_enough_for(fix, same) {
                            let keeps = std::mem::take(&mut same.keeps);
                            *same = Fix { keeps, ..fix.clone() };
                            (answered.clone(), format!("{object} has one value, the larger one"))
                        } else {
                            (vec![finding.key()], format!("{object} has one value, that of a finding before"))
                        };
                        out.push(Withdrawn { findings, verb: fix.verb, object, why });
                    }
                }
                None => self.fixes.push(fix.clone()),
            }
        }
        self.risk = riskiest(&self.fixes);
        out
    }

    /// Takes a statement out, and says why.
    pub(super) fn withdraw(&mut self, fix: usize, why: String) {
        if fix < self.fixes.len() {
            self.fixes.remove(fix);
            self.risk = riskiest(&self.fixes);
            self.remarks.push(why);
        }
    }

    /// When to act, from severity, date, risk and effort.
    fn horizon(&self, now: Option<Timestamp>) -> When {
        const WEEK: f64 = 7.0 * 86_400.0;
        let near = self.deadline.zip(now).is_some_and(|(d, now)| d.seconds_since(now) < WEEK);
        // What destroys something is not done in haste, unless what it ends is itself the emergency.
        let releases = self.fixes.iter().all(|f| f.risk < Risk::R3 || f.verb == Verb::End)
            || self.rules.iter().any(|r| r.starts_with("slot-"));
        // Who stands in the way now is not there in two weeks.
        let now_or_never = self.severity >= Severity::Medium && self.main().is_some_and(|(verb, _)| verb == Verb::End);
        let hasty = self.risk < Risk::R3 || (self.severity == Severity::Critical && releases);
        let soon = match self.severity {
            Severity::Critical => true,
            Severity::High => self.risk <= Risk::R1 && self.effort == Effort::S,
            _ => false,
        };
        if hasty && (soon || near || now_or_never) {
            return When::Immediate;
        }
        match self.severity {
            Severity::Critical | Severity::High => When::ShortTerm,
            Severity::Medium if self.effort <= Effort::M && self.risk <= Risk::R2 => When::ShortTerm,
            Severity::Low if self.effort == Effort::S && self.risk <= Risk::R1 && self.findings.len() >= 2 => {
                When::ShortTerm
            }
            _ => When::LongTerm,
        }
    }

    /// Impact, weighed by confidence, per effort.
    fn worth(&self) -> f64 {
        let effort = match self.effort {
            Effort::S => 1.0,
            Effort::M => 2.0,
            Effort::L => 4.0,
        };
        f64::from(self.impact) * certainty(self.confidence) / effort
    }
}

/// Whether what one fix gives a role is more of the memory that the other gives it.
fn is_enough_for(fix: &Fix, other: &Fix) -> bool {
    let bytes = |fix: &Fix| {
        let setting = fix.role_setting.as_ref().filter(|s| s.name == "work_mem")?;
        parse(&setting.value, Some("kB")).number()
    };
    bytes(fix).zip(bytes(other)).is_some_and(|(this, that)| this > that)
}

/// Makes a statement that maintains an object do what another one for it does, too: an ANALYZE does not stand for a VACUUM.
/// Whether it became one that vacuums.
fn also_maintain(same: &mut Fix, other: &Fix) -> bool {
    // Not in a name, which stands between quotes.
    let does = |fix: &Fix, word: &str| fix.sql.split('"').step_by(2).any(|part| part.contains(word));
    let rewrites = does(same, "(FULL") || does(other, "(FULL");
    if same.verb != Verb::Maintain || same.sql == other.sql || rewrites {
        return false;
    }
    let lacks = |a: &Fix, b: &Fix| ["VACUUM", "FREEZE", "ANALYZE"].iter().any(|w| does(b, w) && !does(a, w));
    if !lacks(same, other) {
        return false;
    }
    let vacuums = does(other, "VACUUM") && !does(same, "VACUUM");
    let then = match same.sql.strip_prefix(NO_LIMIT) {
        Some(rest) if other.sql.starts_with(NO_LIMIT) => rest.trim_start(),
        _ => same.sql.as_str(),
    };
    same.sql = if lacks(other, same) { format!("{}\n{then}", other.sql) } else { other.sql.clone() };
    same.when_not = both(same.when_not.take(), other.when_not.as_ref());
    same.lock.clone_from(&other.lock);
    vacuums
}

/// The cautions of two statements that became one, each sentence once.
fn both(one: Option<Text>, other: Option<&Text>) -> Option<Text> {
    let (Some(one), Some(other)) = (one.as_ref(), other) else { return one.or_else(|| other.cloned()) };
    if one.plain().contains(&other.plain()) {
        return Some(one.clone());
    }
    let is_sentence = |span: &Span| matches!(span, Span::Text(words) if words.ends_with('.'));
    let new: Vec<Span> = other.0.iter().filter(|span| !(is_sentence(span) && one.0.contains(span))).cloned().collect();
    let apart = if matches!(new.first(), Some(Span::Text(words)) if words.starts_with(' ')) { "" } else { " " };
    Some(one.clone().t(apart).then(Text(new)))
}

fn riskiest(fixes: &[Fix]) -> Risk {
    fixes.iter().map(|f| f.risk).max().unwrap_or(Risk::R0)
}

/// `Drop index public.idx_x`, from what the main statement does. Why is said by the findings.
fn title(finding: &Finding, object: &str) -> Text {
    let Some(main) = finding.fixes.iter().find(|f| f.verb != Verb::Diagnose) else {
        return Text::from("Look into ").name(object);
    };
    let what = match main.verb {
        Verb::Set => "Set ",
        Verb::Create if main.sql.contains(" EXTENSION ") => "Create extension ",
        Verb::Create if main.sql.contains(" INDEX ") => "Create index ",
        Verb::Create => "Create ",
        Verb::Drop => "Drop ",
        Verb::Maintain if main.sql.contains("REINDEX") => "Rebuild ",
        Verb::Maintain if main.sql.contains("VACUUM") => "Vacuum ",
        Verb::Maintain if main.sql.contains("ANALYZE") => "Analyze ",
        Verb::Maintain => "Maintain ",
        Verb::End => "End ",
        Verb::Diagnose | Verb::Alter => "Change ",
    };
    let kind = match finding.subject.kind {
        _ if main.object != finding.subject.name => "",
        SubjectKind::Index => "index ",
        SubjectKind::Sequence => "sequence ",
        SubjectKind::Table if matches!(main.verb, Verb::Alter | Verb::Drop) => "table ",
        SubjectKind::Constraint => "constraint ",
        SubjectKind::Function => "function ",
        SubjectKind::Slot => "replication slot ",
        SubjectKind::Role => "role ",
        SubjectKind::PreparedTransaction => "prepared transaction ",
        _ => "",
    };
    let text = Text::new().t(format!("{what}{kind}"));
    match &main.role_setting {
        Some(RoleSetting { name, role: Some(role), .. }) => text.name(name).t(" of ").name(role),
        Some(RoleSetting { name, role: None, .. }) => text.name(name).t(format!(" of {}", cure::SOME_ROLE)),
        None => text.name(object),
    }
}

/// Date, then worth, then risk, then rule and object. Of what is done within a day the most severe comes first: damage that
/// is long to repair does not wait for what is quickly done.
fn order(a: &PlannedAction, b: &PlannedAction) -> Ordering {
    let date = |x: &PlannedAction| x.deadline.map_or(i64::MAX, |t| t.0);
    let at_once = |x: &PlannedAction| if x.when == When::Immediate { Some(x.severity) } else { None };
    let first =
        |x: &PlannedAction| FIRST.iter().position(|rule| x.rules.iter().any(|r| r == rule)).unwrap_or(FIRST.len());
    a.when
        .cmp(&b.when)
        .then_with(|| first(a).cmp(&first(b)))
        .then_with(|| at_once(b).cmp(&at_once(a)))
        .then_with(|| date(a).cmp(&date(b)))
        .then_with(|| b.worth().total_cmp(&a.worth()))
        .then_with(|| a.risk.cmp(&b.risk))
        .then_with(|| a.rules.cmp(&b.rules))
        .then_with(|| a.object.as_bytes().cmp(b.object.as_bytes()))
}
