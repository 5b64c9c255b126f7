//! Evidence behind the numbers of prose: one mark at the end of a paragraph that says numbers.

use super::{Action, ReportFinding};
use crate::text::{Span, Text};
use crate::unit::Quantity;

/// The most entries that a paragraph names.
const MOST: usize = 3;

/// Prose with links at its end to where its numbers were read: to the measures of these findings that have them, and
/// where none has, as with one that was computed from several, to all measures. Prose that says no number, or has such a
/// link, stays as it is.
pub(super) fn cited(text: Text, findings: &[&ReportFinding]) -> Text {
    let said: Vec<Quantity> = text.numbers().collect();
    if said.is_empty() || text.0.iter().any(is_evidence) {
        return text;
    }
    let mut held: Vec<&str> = Vec::new();
    for f in findings {
        for (measure, id) in f.finding.measures.iter().zip(&f.evidence) {
            if said.iter().any(|number| measure.says(*number)) && !held.contains(&id.as_str()) {
                held.push(id);
            }
        }
    }
    held.truncate(MOST);
    if !held.is_empty() {
        return held.into_iter().fold(text, |text, id| text.t(" ").link(id.to_lowercase(), id));
    }
    match findings.iter().find_map(|f| Some((f.evidence.first()?, f.evidence.last()?))) {
        Some((first, last)) if first == last => text.t(" ").link(first.to_lowercase(), first),
        Some((first, last)) => text.t(" ").link(first.to_lowercase(), first).t("–").link(last.to_lowercase(), last),
        None => text,
    }
}

/// The findings with these numbers.
pub(super) fn of<'f>(findings: &'f [ReportFinding], numbers: &[String]) -> Vec<&'f ReportFinding> {
    findings.iter().filter(|f| numbers.contains(&f.number)).collect()
}

/// Cites in the prose of each finding its own evidence.
pub(super) fn in_findings(findings: &mut [ReportFinding]) {
    for f in findings {
        let known = f.clone();
        let cite = |text: &mut Text| *text = cited(std::mem::take(text), &[&known]);
        let it = &mut f.finding;
        [&mut it.why, &mut it.verify].into_iter().chain(it.not.as_mut()).for_each(cite);
        it.fixes.iter_mut().filter_map(|fix| fix.when_not.as_mut()).for_each(cite);
    }
}

/// Cites in the prose of each step of the plan the evidence of its findings.
pub(super) fn in_actions(actions: &mut [Action], findings: &[ReportFinding]) {
    for action in actions {
        let known = of(findings, &action.findings);
        let texts = action.fixes.iter_mut().filter_map(|fix| fix.when_not.as_mut());
        texts.chain([&mut action.verify]).for_each(|text| *text = cited(std::mem::take(text), &known));
    }
}

fn is_evidence(span: &Span) -> bool {
    let digits = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    matches!(span, Span::Link { to, .. } if to.strip_prefix('e').is_some_and(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Evidence, Finding, Measure, Severity, Subject, SubjectKind};
    use crate::unit::Unit;

    fn finding(evidence: &[(&str, i64)]) -> ReportFinding {
        let subject = Subject::new(SubjectKind::Table, "public.t");
        let mut finding = Finding::new("vacuum-behind", subject, Severity::Low, "T");
        finding.measures = evidence
            .iter()
            .map(|(id, n)| Measure {
                after: Some(Quantity::int(*n, Unit::Rows)),
                ..Measure::of_window(*id, None, Evidence::default())
            })
            .collect();
        ReportFinding {
            number: "F-01".to_owned(),
            id: String::new(),
            confidence: Confidence::High,
            finding,
            evidence: evidence.iter().map(|(id, _)| (*id).to_owned()).collect(),
            since: None,
            baseline: None,
            withdrawn: Vec::new(),
        }
    }

    #[test]
    fn a_paragraph_with_numbers_ends_with_one_mark() {
        let of = |evidence: &[(&str, i64)], said: &[i64]| {
            let text = said.iter().fold(Text::from("Rows"), |text, n| text.t(" ").n(Quantity::int(*n, Unit::Rows)));
            cited(text, &[&finding(evidence)]).plain()
        };
        let three = [("E4", 10), ("E5", 20), ("E6", 30)];
        assert_eq!(of(&three, &[]), "Rows", "no number, no mark");
        assert_eq!(of(&three, &[20]), "Rows 20 E5");
        assert_eq!(of(&three, &[30, 99, 10]), "Rows 30 99 10 E4 E6");
        assert_eq!(of(&three, &[99]), "Rows 99 E4–E6", "what was computed is of all");
        assert_eq!(of(&three[..1], &[99]), "Rows 99 E4");
        assert_eq!(of(&[], &[99]), "Rows 99");
        let known = Text::new().n(Quantity::int(20, Unit::Rows)).t(" ").link("e9", "E9");
        assert_eq!(cited(known.clone(), &[&finding(&three)]), known, "it has one");
        let float = Quantity::float(20.0, Unit::Rows).map_or_else(Text::new, |q| Text::new().n(q));
        assert_eq!(cited(float, &[&finding(&three)]).plain(), "20 E5");
    }

    #[test]
    fn findings_cite_themselves() {
        let mut f = finding(&[("E4", 10)]);
        f.finding.why = Text::new().n(Quantity::int(10, Unit::Rows)).t(" rows.");
        f.finding.not = Some(Text::from("Not a leak."));
        in_findings(std::slice::from_mut(&mut f));
        assert_eq!(f.finding.why.plain(), "10 rows. E4");
        assert_eq!(f.finding.not.as_ref().map(Text::plain).as_deref(), Some("Not a leak."));
    }
}
