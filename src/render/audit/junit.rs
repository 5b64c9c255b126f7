//! JUnit XML as build servers read it: a suite a server, a test case a line, its kind the class.
//!
//! Written so that both the schema of Ant's reports and that of Jenkins accept it. A line that cannot be assessed is
//! `skipped`; where such lines count as failed it is an `error`.

use super::Options;
use crate::check::{Audit, Line, Outcome};
use crate::error::Result;
use crate::ident::visible;
use std::fmt::Write;

/// The result as JUnit XML.
// Writing to a string cannot fail.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every format")]
pub(super) fn write(audit: &Audit, _options: &Options) -> Result<String> {
    let mut suites: Vec<(&str, Vec<&Line>)> = Vec::new();
    for node in &audit.nodes {
        suites.push((&node.name, audit.lines.iter().filter(|l| l.node.as_ref() == Some(&node.name)).collect()));
    }
    let nowhere: Vec<&Line> = audit.lines.iter().filter(|l| l.node.is_none()).collect();
    if !nowhere.is_empty() {
        suites.push(("no server", nowhere));
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, (name, lines)) in suites.into_iter().enumerate() {
        let node = audit.nodes.iter().find(|n| n.name == name);
        let time = node.and_then(|n| n.taken_at).map_or_else(|| "1970-01-01T00:00:00".to_owned(), instant);
        let (policy, host) = (escape(&audit.policy.name), escape(name));
        let _ = writeln!(
            out,
            "  <testsuite id=\"{id}\" package=\"{policy}\" name=\"{host}\" {} timestamp=\"{time}\" hostname=\"{host}\">",
            counts(audit, &lines)
        );
        let file = escape(&visible(&audit.policy.file));
        let _ = writeln!(out, "    <properties>\n      <property name=\"policy\" value=\"{file}\"/>");
        let _ = writeln!(out, "      <property name=\"sha256\" value=\"{}\"/>", escape(&audit.policy.sha256));
        out.push_str("    </properties>\n");
        for line in &lines {
            case(audit, line, &mut out);
        }
        // Schemas of this format know no text in a test case that passed.
        let passed = lines.iter().filter(|l| l.outcome == Outcome::Pass);
        let passed: Vec<String> = passed.map(|l| format!("{}\n{}", visible(&name_of(l)), details(audit, l))).collect();
        let _ = writeln!(out, "    <system-out>{}</system-out>", escape(&passed.join("\n\n")));
        out.push_str("    <system-err></system-err>\n  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    Ok(out)
}

/// `2026-11-22T14:22:11`, in UTC, as the format knows no offset.
fn instant(at: crate::time::Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.get(..19).unwrap_or_default();
    seconds.replace(' ', "T")
}

fn counts(audit: &Audit, lines: &[&Line]) -> String {
    let count = |outcome| lines.iter().filter(|l| l.outcome == outcome).count();
    let (unknown, failures) = (count(Outcome::NotAssessable), count(Outcome::Fail));
    let (errors, skips) = if audit.strict { (unknown, 0) } else { (0, unknown) };
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skips}\" time=\"0\"", lines.len())
}

fn case(audit: &Audit, line: &Line, out: &mut String) {
    let name = escape(&name_of(line));
    let _ = write!(out, "    <testcase classname=\"{}\" name=\"{name}\" time=\"0\"", escape(&line.kind));
    let (found, text) = (escape(&line.found), || escape(&details(audit, line)));
    let _ = match line.outcome {
        Outcome::Pass => writeln!(out, "/>"),
        Outcome::Fail => {
            let word = line.severity.word();
            let text = text();
            writeln!(out, ">\n      <failure message=\"{found}\" type=\"{word}\">{text}</failure>\n    </testcase>")
        }
        Outcome::NotAssessable if audit.strict => {
            let text = text();
            writeln!(out, ">\n      <error message=\"{found}\" type=\"not assessable\">{text}</error>\n    </testcase>")
        }
        Outcome::NotAssessable => writeln!(out, ">\n      <skipped message=\"{found}\"/>\n    </testcase>"),
    };
}

/// Id and expectation; a rule that both name is named once.
fn name_of(line: &Line) -> String {
    let named = line.expected.split_once(": ").filter(|(what, _)| line.id.rsplit('/').next() == Some(*what));
    format!("{}: {}", line.id, named.map_or(line.expected.as_str(), |(_, rest)| rest))
}

/// What was found, why it is expected, where it was read.
fn details(audit: &Audit, line: &Line) -> String {
    let mut lines = vec![format!("found: {}", line.found)];
    if !line.reason.is_empty() {
        lines.push(format!("reason: {}", line.reason));
    }
    lines.push(format!("policy: {}:{}", audit.policy.file, line.policy_line));
    for evidence in &line.evidence {
        for locator in &evidence.locators {
            let what = format!("{} {}", evidence.view, evidence.columns.join(", "));
            lines.push(format!("read: {} {} ({})", locator.file, locator.place, what.trim_end()));
        }
    }
    lines.iter().map(|l| visible(l).into_owned()).collect::<Vec<_>>().join("\n")
}

/// Text as XML: markup escaped, and what XML 1.0 cannot hold, or what would turn text around, made visible.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push_str(&visible(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_text() {
        assert_eq!(escape("<a b='&\">]]>"), "&lt;a b=&apos;&amp;&quot;&gt;]]&gt;");
        assert!(!escape("\u{0}\u{1b}\u{85}\u{ffff}").contains(['\u{0}', '\u{1b}', '\u{85}', '\u{ffff}']));
    }
}
