//! The report against an earlier one: which findings are new, worse, better, unchanged, fixed.

use super::identity::identities;
use super::{CheckLine, Report, ReportFinding};
use crate::advisor::Advice;
use crate::finding::{Finding, Severity, Subject};
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A share that moved by less than this part of itself is the same.
const MOVED: f64 = 0.25;
/// A share that moved by less than this is the same, however small it was.
const MOVED_AT_LEAST: f64 = 0.01;
/// A deadline that moved by less than this many seconds is the same.
const DEADLINE_MOVED_S: f64 = 86_400.0;

/// How a finding stands against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not in the baseline.
    New,
    /// In the baseline, less severe or smaller there.
    Worse,
    /// In the baseline, more severe or larger there.
    Better,
    /// As in the baseline.
    Unchanged,
}

impl Standing {
    /// The word that is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A finding against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Against {
    /// How it stands.
    pub standing: Standing,
    /// Its severity there; `None` where it is new.
    pub was: Option<Severity>,
    /// What moved, or what is to be known about "new"; empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// The baseline, and what became of its findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Baseline {
    /// The baseline report's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The time of its last snapshot.
    pub taken_at: Option<Timestamp>,
    /// Findings that are new.
    pub new: usize,
    /// Findings that are worse.
    pub worse: usize,
    /// Findings that are better.
    pub better: usize,
    /// Findings that are unchanged.
    pub unchanged: usize,
    /// Findings of the baseline whose check ran again and does not find them any more.
    pub fixed: Vec<Past>,
    /// Findings of the baseline of which nothing can be said now, with the reason.
    pub unknown: Vec<Past>,
    /// What makes the comparison doubtful; empty where nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A finding of the baseline that is not among those of now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Past {
    /// Its stable id.
    pub id: String,
    /// Its rule.
    pub rule: String,
    /// What it was about.
    pub subject: Subject,
    /// Its severity there.
    pub severity: Severity,
    /// What it said.
    pub title: Text,
    /// Why it is where it is: what the check looked at now, or why it could not.
    pub remark: String,
}

/// Sets every finding against the baseline, and tells what became of the baseline's own.
pub(super) fn compare(
    past: &Report,
    taken_at: Option<Timestamp>,
    title: &str,
    findings: &mut [ReportFinding],
    checks: &[CheckLine],
    advice: &Advice,
) -> Baseline {
    let mut known: BTreeMap<String, &ReportFinding> = BTreeMap::new();
    for finding in &past.findings {
        for identity in identities(&finding.finding) {
            known.entry(identity).or_insert(finding);
        }
    }
    let judged_then: BTreeSet<&str> = ran(&past.checks).map(|c| c.rule.as_str()).collect();
    let mut present: BTreeSet<String> = BTreeSet::new();
    let mut out = Baseline {
        id: past.id.clone(),
        title: past.title.clone(),
        taken_at: past.window.to,
        new: 0,
        worse: 0,
        better: 0,
        unchanged: 0,
        fixed: Vec::new(),
        unknown: Vec::new(),
        notes: doubts(past, taken_at, title),
    };
    for finding in findings {
        let identities = identities(&finding.finding);
        let known_of: Vec<&ReportFinding> = identities.iter().filter_map(|i| known.get(i).copied()).collect();
        let against = stand(&finding.finding, &known_of, identities.len(), &judged_then);
        *match against.standing {
            Standing::New => &mut out.new,
            Standing::Worse => &mut out.worse,
            Standing::Better => &mut out.better,
            Standing::Unchanged => &mut out.unchanged,
        } += 1;
        finding.baseline = Some(against);
        present.extend(identities);
    }
    for finding in &past.findings {
        if identities(&finding.finding).iter().any(|i| present.contains(i)) {
            continue;
        }
        let (is_fixed, remark) = became(&finding.finding, checks, advice);
        let one = Past {
            id: finding.id.clone(),
            rule: finding.finding.rule.clone(),
            subject: finding.finding.subject.clone(),
            severity: finding.finding.severity,
            title: finding.finding.title.clone(),
            remark,
        };
        if is_fixed { out.fixed.push(one) } else { out.unknown.push(one) }
    }
    out
}

fn ran(checks: &[CheckLine]) -> impl Iterator<Item = &CheckLine> {
    checks.iter().filter(|c| matches!(c.state.as_str(), "found" | "passed"))
}

fn doubts(past: &Report, taken_at: Option<Timestamp>, title: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if past.title != title {
        let (then, now) = (crate::ident::visible(&past.title), crate::ident::visible(title));
        notes.push(format!("the baseline is of {then}, this report of {now}"));
    }
    if past.window.to.zip(taken_at).is_some_and(|(then, now)| then > now) {
        notes.push("the baseline is newer than this report".to_owned());
    }
    notes
}

/// How a finding stands against those of the baseline that are about the same.
fn stand(now: &Finding, then: &[&ReportFinding], objects: usize, judged_then: &BTreeSet<&str>) -> Against {
    let worst = then.iter().max_by_key(|f| f.finding.severity);
    let Some(worst) = worst else {
        let unseen = !judged_then.contains(now.rule.as_str());
        let remark = if unseen { "the baseline could not judge it".to_owned() } else { String::new() };
        return Against { standing: Standing::New, was: None, remark };
    };
    let was = worst.finding.severity;
    let (standing, remark) = match now.severity.cmp(&was) {
        Ordering::Greater => (Standing::Worse, format!("was {}", was.word())),
        Ordering::Less => (Standing::Better, format!("was {}", was.word())),
        Ordering::Equal => moved(now, &worst.finding, objects, then.len()),
    };
    Against { standing, was: Some(was), remark }
}

/// What moved of a finding whose severity is the same: the number of objects, its share, its date.
fn moved(now: &Finding, then: &Finding, objects: usize, known: usize) -> (Standing, String) {
    if objects > known {
        return (Standing::Worse, format!("{} of its {objects} objects are new", objects - known));
    }
    if let (Some(a), Some(b)) = (then.share, now.share)
        && (b - a).abs() >= (a * MOVED).max(MOVED_AT_LEAST)
    {
        let show = |share| Quantity::float(share, Unit::Share).map_or_else(String::new, Quantity::human);
        let standing = if b > a { Standing::Worse } else { Standing::Better };
        return (standing, format!("share {} → {}", show(a), show(b)));
    }
    if let (Some(a), Some(b)) = (then.deadline, now.deadline)
        && b.seconds_since(a).abs() >= DEADLINE_MOVED_S
    {
        let standing = if b < a { Standing::Worse } else { Standing::Better };
        return (standing, format!("date {} → {}", a.human_date(), b.human_date()));
    }
    (Standing::Unchanged, String::new())
}

/// What became of a finding of the baseline: whether it is fixed, and by which word.
fn became(then: &Finding, checks: &[CheckLine], advice: &Advice) -> (bool, String) {
    let its = identities(then);
    let is = |f: &Finding| identities(f).iter().any(|i| its.contains(i));
    if let Some(accepted) = advice.suppressed.iter().find(|s| is(&s.finding)) {
        return (false, format!("accepted by the configuration: {}", accepted.reason));
    }
    if advice.insufficient.iter().any(is) {
        return (false, "too many reasons for doubt now".to_owned());
    }
    match checks.iter().find(|c| c.rule == then.rule) {
        Some(check) if matches!(check.state.as_str(), "found" | "passed") => (true, check.remark.clone()),
        Some(check) => (false, check.remark.clone()),
        None => (false, "this version of the program has no such check".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::SubjectKind;

    fn finding(severity: Severity, share: Option<f64>, deadline: Option<&str>) -> Finding {
        let deadline = deadline.and_then(Timestamp::parse).map(|(t, _)| t);
        Finding { severity, deadline, share, ..super::super::identity::tests::finding(SubjectKind::Table, "t") }
    }

    fn reported(finding: Finding) -> ReportFinding {
        ReportFinding {
            number: "F-01".to_owned(),
            id: String::new(),
            confidence: finding.confidence(),
            evidence: Vec::new(),
            since: None,
            baseline: None,
            withdrawn: Vec::new(),
            finding,
        }
    }

    #[test]
    fn severity_then_objects_then_share_then_date_decide() {
        use Severity::{High, Low};
        let date = Some("2027-01-10 00:00:00+00");
        for (then, now, objects, want, remark) in [
            (finding(Low, None, None), finding(Low, None, None), 1, Standing::Unchanged, ""),
            (finding(Low, None, None), finding(High, None, None), 1, Standing::Worse, "was low"),
            (finding(High, Some(0.1), None), finding(Low, Some(0.9), None), 1, Standing::Better, "was high"),
            (finding(Low, None, None), finding(Low, None, None), 3, Standing::Worse, "2 of its 3 objects are new"),
            (finding(Low, Some(0.1), None), finding(Low, Some(0.3), None), 1, Standing::Worse, "share 10% → 30%"),
            (finding(Low, Some(0.3), None), finding(Low, Some(0.1), None), 1, Standing::Better, "share 30% → 10%"),
            (finding(Low, Some(0.3), None), finding(Low, Some(0.31), None), 1, Standing::Unchanged, ""),
            (finding(Low, Some(0.001), None), finding(Low, Some(0.004), None), 1, Standing::Unchanged, ""),
            (
                finding(Low, None, date),
                finding(Low, None, Some("2027-01-03 00:00:00+00")),
                1,
                Standing::Worse,
                "date 10 Jan 2027 → 3 Jan 2027",
            ),
            (finding(Low, None, date), finding(Low, None, Some("2027-01-10 07:00:00+00")), 1, Standing::Unchanged, ""),
        ] {
            let then = reported(then);
            let against = stand(&now, &[&then], objects, &BTreeSet::new());
            assert_eq!((against.standing, against.remark.as_str()), (want, remark), "{now:?}");
        }
    }

    #[test]
    fn what_the_baseline_could_not_judge_is_new_and_says_so() {
        let now = finding(Severity::Low, None, None);
        assert_eq!(stand(&now, &[], 1, &BTreeSet::new()).remark, "the baseline could not judge it");
        assert_eq!(stand(&now, &[], 1, &BTreeSet::from(["r"])).remark, "");
    }
}
