//! The summary printed to a terminal: at most 24 lines, 40 to 100 columns.

mod look;
pub(super) mod paint;

pub use look::{ColorChoice, Surroundings};

use super::{Options, words};
use crate::error::Result;
use crate::finding::{Severity, SubjectKind};
use crate::report::{Block, Category, Chart, Report, ReportFinding, Standing};
use paint::{Paint, Style, finish, fit, pad, width, wrap};
use std::fmt::Write;

/// Lines that fit a terminal of the usual height, prompt included.
const LINES: usize = 23;
/// Columns from which a long title is cut; narrower terminals wrap it.
const USUAL: usize = 80;

/// The summary.
pub(super) fn write(report: &Report, options: &Options) -> Result<String> {
    let paint = Paint { color: options.color, ascii: options.ascii, width: options.width.clamp(40, 100) };
    if options.quiet {
        return Ok(finish(&[one_line(report, &paint)]));
    }
    let mut rows = (5, 5);
    loop {
        let lines = summary(report, options, &paint, rows);
        match rows {
            _ if lines.len() <= LINES => return Ok(finish(&lines)),
            (areas, findings) if findings > 3 => rows = (areas, findings - 1),
            (areas, findings) if areas > 2 => rows = (areas - 1, findings),
            // Narrow terminals wrap what is left; they scroll.
            _ => return Ok(finish(&lines)),
        }
    }
}

/// For `--quiet`: title, verdict, score, counts.
fn one_line(report: &Report, paint: &Paint) -> String {
    let mut out = format!("{}: {}", crate::ident::visible(&report.title), report.verdict.headline.plain());
    if let Some(score) = report.verdict.score {
        let bound = if report.verdict.score_at_most { "at most " } else { "" };
        let _ = write!(out, " Score {bound}{score:.1}/10.");
    }
    let counts: Vec<String> = counted(&report.findings);
    let _ = write!(out, " Findings: {}.", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") });
    paint.words(&out)
}

fn counted(findings: &[ReportFinding]) -> Vec<String> {
    Severity::WORST_FIRST
        .iter()
        .map(|s| (s, findings.iter().filter(|f| f.finding.severity == *s).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {}", s.word()))
        .collect()
}

fn summary(report: &Report, options: &Options, paint: &Paint, (areas, findings): (usize, usize)) -> Vec<String> {
    let mut lines = head(report, paint);
    lines.push(String::new());
    for line in paint.at_most(3, wrap(&paint.words(&report.verdict.headline.plain()), paint.width, "")) {
        lines.push(paint.style(&line, Style::Bold));
    }
    lines.push(String::new());
    lines.extend(scores(report, paint, areas));
    lines.push(String::new());
    lines.extend(finding_lines(report, paint, findings));
    lines.push(String::new());
    let redacted = (!report.redacted.is_empty()).then(|| report.redacted.join(", "));
    let last = [
        ("Redacted", redacted),
        ("Changed", changed(report)),
        ("Baseline", against(report)),
        ("Accepted", accepted(report)),
        ("Next", next(report)),
        ("Report", files(options)),
    ];
    for (label, text) in last {
        if let Some(text) = text {
            let text = format!("{}{}", pad(label, 9), paint.words(&text));
            lines.extend(paint.at_most(2, wrap(&text, paint.width, "         ")));
        }
    }
    lines
}

fn head(report: &Report, paint: &Paint) -> Vec<String> {
    let window = &report.window;
    let when = match (window.from, window.to, window.elapsed_s) {
        (Some(from), Some(to), elapsed) if window.snapshots > 1 => {
            let elapsed = elapsed.and_then(|s| crate::unit::Quantity::float(s, crate::unit::Unit::Seconds));
            let length = elapsed.map_or_else(String::new, |q| format!(" ({})", q.human()));
            format!("{}{length}", from.human_until(to))
        }
        (_, Some(to), _) => to.human(),
        _ => "time unknown".to_owned(),
    };
    let when = match report.servers.len() {
        0 | 1 => when,
        n => format!("{when}, and {} more", if n == 2 { "1 server".to_owned() } else { format!("{} servers", n - 1) }),
    };
    let title = paint.words(&report.title);
    let line = format!("{title}  {}   {}", paint.words(&window.server), paint.words(&when));
    if width(&line) <= paint.width {
        return vec![line];
    }
    let mut lines = wrap(&format!("{title}  {}", paint.words(&window.server)), paint.width, "  ");
    lines.extend(wrap(&paint.words(&when), paint.width, "  "));
    lines
}

fn scores(report: &Report, paint: &Paint, rows: usize) -> Vec<String> {
    let verdict = &report.verdict;
    let assessed = verdict.categories.iter().filter(|c| c.score.is_some()).count();
    let basis = format!(
        "{assessed} of {} areas, {} of {} sources",
        verdict.categories.len(),
        report.window.sources,
        report.window.sources_expected
    );
    let score = verdict.score.map_or_else(
        || "Not scored".to_owned(),
        |s| format!("Score {}{s:.1}/10", if verdict.score_at_most { "at most " } else { "" }),
    );
    let mut lines = vec![paint.style(&score, Style::Bold)];
    if width(&score) + 3 + width(&basis) <= paint.width {
        lines = vec![format!("{}   {basis}", paint.style(&score, Style::Bold))];
    } else {
        lines.extend(wrap(&format!("  {basis}"), paint.width, "  "));
    }
    let (scored, unknown): (Vec<&Category>, Vec<&Category>) =
        verdict.categories.iter().partition(|c| c.score.is_some());
    let mut shown: Vec<&Category> = scored.into_iter().filter(|c| !c.deductions.is_empty()).collect();
    shown.sort_by(|a, b| {
        let key = |c: &Category| c.score.unwrap_or(f64::INFINITY);
        key(a).total_cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    let unknown = not_assessed(&unknown, paint);
    let rows = rows.saturating_sub(unknown.len()).max(1);
    let name_width = shown.iter().map(|c| width(&c.name)).max().unwrap_or(0).min(16);
    for category in shown.iter().take(rows) {
        let points = category.score.unwrap_or_default();
        let score = format!("{}{points:.1}", if category.at_most { "≤" } else { "" });
        let score = paint.words(&score);
        let bar = if paint.width < 60 { String::new() } else { format!(" {}", paint.bar(points)) };
        let why: Vec<String> = category.deductions.iter().flat_map(|d| d.findings.iter().cloned()).collect();
        let name = fit(&paint.words(&category.name), name_width, paint);
        let line = format!("  {}  {score:>5}{bar}  ", pad(&name, name_width));
        let rest = paint.width.saturating_sub(width(&line));
        lines.push(format!("{line}{}", fit(&paint.words(&why.join(" ")), rest, paint)));
    }
    if shown.len() > rows {
        let n = shown.len() - rows;
        lines.push(format!("  {n} more {} in the report", if n == 1 { "area" } else { "areas" }));
    }
    lines.extend(unknown);
    lines
}

/// Areas without a score: those with the same reason in one line, at most two lines.
fn not_assessed(areas: &[&Category], paint: &Paint) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for area in areas {
        let why = area.remark.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(of, _)| *of == why) {
            Some((_, names)) => names.push(&area.name),
            None => groups.push((why, vec![&area.name])),
        }
    }
    groups.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    let more = groups.len().saturating_sub(2);
    let mut lines: Vec<String> = groups
        .iter()
        .take(2)
        .flat_map(|(why, names)| {
            let line = match names.as_slice() {
                [one] if why.is_empty() => format!("  {one} not assessed"),
                [one] => format!("  {one} not assessed: {why}"),
                many if why.is_empty() => format!("  {} areas not assessed: {}", many.len(), many.join(", ")),
                many => format!("  {} areas not assessed ({why}): {}", many.len(), many.join(", ")),
            };
            let line = paint.words(&line);
            if paint.width < 60 { wrap(&line, paint.width, "    ") } else { vec![fit(&line, paint.width, paint)] }
        })
        .collect();
    if more > 0 {
        lines.push(format!("  and for {more} more {}", if more == 1 { "reason" } else { "reasons" }));
    }
    lines
}

fn finding_lines(report: &Report, paint: &Paint, rows: usize) -> Vec<String> {
    if report.findings.is_empty() {
        return vec!["No findings.".to_owned()];
    }
    let mut lines = Vec::new();
    for finding in report.findings.iter().take(rows) {
        let severity = finding.finding.severity;
        let shape_width = if paint.ascii { 2 } else { 1 };
        let tag = format!("{} {}", pad(paint.shape(severity), shape_width), severity.word().to_uppercase());
        let head = format!("{} {}  ", pad(&tag, shape_width + 9), finding.number);
        let style = Style::of(severity);
        let tagged = format!("{}{}", paint.style(&tag, style), head.get(tag.len()..).unwrap_or_default());
        let title = paint.words(&titled(finding, report.servers.len()));
        let room = paint.width.saturating_sub(width(&head));
        if paint.width < 60 {
            let indent = "   ";
            let wrapped = wrap(&format!("{head}{title}"), paint.width, indent);
            let mut wrapped = wrapped.into_iter();
            if let Some(first) = wrapped.next() {
                let rest = first.strip_prefix(&head).map(str::to_owned);
                lines.push(rest.map_or(first, |rest| format!("{tagged}{rest}")));
            }
            lines.extend(wrapped);
        } else {
            let confidence = finding.confidence.word();
            let confidence = if width(confidence) > 6 { "unsure" } else { confidence };
            let room = room.saturating_sub(8);
            let pieces = if paint.width < USUAL { wrap(&title, room, "") } else { vec![fit(&title, room, paint)] };
            for (i, piece) in pieces.iter().enumerate() {
                lines.push(if i == 0 {
                    format!("{tagged}{}  {confidence}", pad(piece, room))
                } else {
                    format!("{}{piece}", pad("", width(&head)))
                });
            }
        }
    }
    let rest = counted(report.findings.get(rows..).unwrap_or_default());
    if !rest.is_empty() {
        let n = report.findings.len() - rows;
        lines.push(format!("  {n} more: {}", rest.join(", ")));
    }
    lines
}

/// A finding's title, with its object in front where the title does not name it, and the servers where it is not all.
fn titled(finding: &ReportFinding, servers: usize) -> String {
    let title = finding.finding.title.plain();
    let subject = &finding.finding.subject;
    let name = crate::ident::visible(&subject.name);
    let bare = name.rsplit('.').next().unwrap_or(&name);
    let is_object = !matches!(subject.kind, SubjectKind::Server | SubjectKind::Data);
    let named = title.contains(&*name) || (!bare.is_empty() && title.contains(bare));
    let title =
        if is_object && !named && finding.finding.members.is_empty() { format!("{name}: {title}") } else { title };
    match finding.finding.nodes.as_slice() {
        nodes if nodes.len() < servers => format!("[{}] {title}", nodes.join(", ")),
        _ => title,
    }
}

/// What moved most, and which findings are new.
fn changed(report: &Report) -> Option<String> {
    fn lines(blocks: &[Block]) -> Option<String> {
        blocks.iter().find_map(|block| match block {
            Block::Chart(Chart::Slope { title, lines, .. }) => lines.iter().find(|line| line.emphasised).map(|l| {
                format!("{title}: {} {} → {}", crate::ident::visible(&l.name), l.before.human(), l.after.human())
            }),
            Block::Details { blocks, .. } => lines(blocks),
            _ => None,
        })
    }
    let moved = report.sections.iter().filter(|s| s.id == "changed").find_map(|s| lines(&s.blocks));
    let new: Vec<&str> =
        report.findings.iter().filter(|f| f.since.as_deref() == Some("new")).map(|f| f.number.as_str()).collect();
    let new = match new.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is new")),
        [first, rest @ ..] => Some(format!("{first} and {} more findings are new", rest.len())),
    };
    match (moved, new) {
        (Some(a), Some(b)) => Some(format!("{a}; {b}")),
        (a, b) => a.or(b),
    }
}

/// How the findings stand against the baseline, and which are new or worse.
fn against(report: &Report) -> Option<String> {
    let b = report.baseline.as_ref()?;
    let since = b.taken_at.map_or_else(String::new, |t| format!("of {}: ", t.human_date()));
    let mut out = format!(
        "{since}{} new, {} worse, {} better, {} unchanged, {} fixed",
        b.new,
        b.worse,
        b.better,
        b.unchanged,
        b.fixed.len()
    );
    if !b.unknown.is_empty() {
        let _ = write!(out, ", {} not judged again", b.unknown.len());
    }
    for standing in [Standing::New, Standing::Worse] {
        let is = |f: &&ReportFinding| f.baseline.as_ref().is_some_and(|b| b.standing == standing);
        let numbers: Vec<&str> = report.findings.iter().filter(is).map(|f| f.number.as_str()).take(4).collect();
        if !numbers.is_empty() {
            let _ = write!(out, "   {}: {}", standing.word(), numbers.join(" "));
        }
    }
    if !b.notes.is_empty() {
        let _ = write!(out, "   ({})", b.notes.join("; "));
    }
    Some(out)
}

/// What the configuration hides, and what of it needs a look.
fn accepted(report: &Report) -> Option<String> {
    let exceptions = report.exceptions.as_ref()?;
    let findings = if exceptions.accepted == 1 { "finding" } else { "findings" };
    let mut out = format!("{} {findings} by the configuration", exceptions.accepted);
    match exceptions.notes.as_slice() {
        [] => {}
        [one] => {
            let _ = write!(out, "; {one}");
        }
        [one, rest @ ..] => {
            let _ = write!(out, "; {one}; {} more exceptions need a look", rest.len());
        }
    }
    Some(out)
}

fn next(report: &Report) -> Option<String> {
    report.actions.first().map(|action| format!("{} ({})", action.title.plain(), action.findings.join(", ")))
}

fn files(options: &Options) -> Option<String> {
    (!options.files.is_empty()).then(|| options.files.join("   "))
}

impl Paint {
    fn shape(&self, severity: Severity) -> &'static str {
        match severity {
            _ if !self.ascii => words::shape(severity),
            Severity::Critical => "!!",
            Severity::High => "!",
            Severity::Medium => "*",
            Severity::Low => "-",
            Severity::Info => ".",
        }
    }

    /// The first `n` lines where the terminal is wide, the last of them marked as cut. A narrow one scrolls.
    fn at_most(&self, n: usize, mut lines: Vec<String>) -> Vec<String> {
        if self.width >= 60 && lines.len() > n {
            lines.truncate(n);
            if let Some(last) = lines.last_mut() {
                *last = fit(&format!("{last}{}", " ".repeat(self.width)), self.width, self);
            }
        }
        lines
    }

    /// Ten cells for a score of 0 to 10.
    fn bar(&self, score: f64) -> String {
        let full = (score.round() as usize).min(10);
        let (on, off) = if self.ascii { ("#", ".") } else { ("█", "░") };
        format!("{}{}", on.repeat(full), off.repeat(10 - full))
    }
}
