//! What makes a finding the same from report to report.

use crate::finding::{Finding, Subject, SubjectKind};

/// What stays the same from run to run: the rule and its object, without what names only this moment, a process id.
pub(super) fn identity(finding: &Finding) -> String {
    of(finding, &finding.subject)
}

/// The identities of everything a finding stands for: where it lists objects alike, those of each of them, so that it is
/// the same finding whichever of them heads the list.
pub(super) fn identities(finding: &Finding) -> Vec<String> {
    let alike = finding.members.first() == Some(&finding.subject);
    let subjects: &[Subject] = if alike { &finding.members } else { std::slice::from_ref(&finding.subject) };
    subjects.iter().map(|s| of(finding, s)).collect()
}

fn of(finding: &Finding, subject: &Subject) -> String {
    let name = match subject.kind {
        SubjectKind::Session => without_pid(&subject.name),
        _ => &subject.name,
    };
    format!("{}/{name}", finding.rule)
}

/// A session's name without its process id: `pid 1072, app on shop, psql` is `app on shop, psql`.
fn without_pid(name: &str) -> &str {
    let Some(rest) = name.strip_prefix("pid ") else { return name };
    rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::text::Text;

    /// A finding of a rule `r` about one object.
    pub(in crate::report) fn finding(kind: SubjectKind, name: &str) -> Finding {
        Finding::new("r", Subject::new(kind, name), Severity::Low, Text::new())
    }

    #[test]
    fn an_identity_names_no_process() {
        for (kind, name, want) in [
            (SubjectKind::Session, "pid 1072, app on shop, psql", "r/app on shop, psql"),
            (SubjectKind::Session, "pid 1072", "r/"),
            (SubjectKind::Session, "a session, app on shop", "r/a session, app on shop"),
            (SubjectKind::Table, "pid 1072, t", "r/pid 1072, t"),
        ] {
            assert_eq!(identity(&finding(kind, name)), want);
        }
    }

    #[test]
    fn a_list_of_objects_alike_is_each_of_them() {
        let mut listed = finding(SubjectKind::Table, "c");
        listed.members = ["c", "a", "b"].map(|n| Subject::new(SubjectKind::Table, n)).to_vec();
        assert_eq!(identities(&listed), ["r/c", "r/a", "r/b"]);
        // Members that are not objects of its kind: the sessions behind a lock.
        listed.members.remove(0);
        assert_eq!(identities(&listed), ["r/c"]);
    }
}
