//! The server's log, of which only the plans that auto_explain wrote are read: stderr, csvlog and jsonlog.

use super::clock;
use super::file::Parsed;
use super::header;
use super::notes::Odd;
use super::plans::{Collected, Found};
use super::readers::{Job, Reader, Start};
use super::records::{Dialect, Record};
use super::source::Stream;
use super::spelling::Spelling;
use crate::catalog;
use std::io::{BufRead, BufReader, Read};

/// The longest line, entry or record that is read; what goes on is left out.
const LONGEST: usize = 16 << 20;

/// What auto_explain begins its message with; its words are never translated.
const BEGINS: &str = "duration: ";
const PLAN: &str = " ms  plan:";

/// Columns of csvlog.
const AT: usize = 0;
const DATABASE: usize = 2;
const MESSAGE: usize = 13;
const CONTEXT: usize = 18;
const QUERY_ID: usize = 25;

pub(super) const READER: Reader = Reader { endings: &["log"], claims, is_moment: |_| false, read };

fn claims(start: &Start<'_>) -> bool {
    let head = String::from_utf8_lossy(start.trimmed());
    let first = head.lines().next().unwrap_or_default();
    start.is_text()
        && start.named.view.is_none()
        && (start.named.ending == "log"
            || is_json(first)
            || is_csv(first)
            || head.lines().any(|line| line.contains(":  duration: ") && line.contains(PLAN)))
}

fn is_json(line: &str) -> bool {
    line.starts_with("{\"timestamp\":\"") && line.contains("\"error_severity\":")
}

/// Whether a line is a record of csvlog: a time with its zone, then many cells.
fn is_csv(line: &str) -> bool {
    let time = line.split(',').next().unwrap_or_default();
    clock::plain_time(format!("{}+00", time.get(..19).unwrap_or_default()).as_bytes()).is_some()
        && time.len() < 40
        && line.split(',').count() > 12
}

fn read(stream: Stream, job: &Job<'_>, parsed: &mut Parsed) {
    if !header::wanted(catalog::view("plans"), job.wanted) {
        return;
    }
    let head = String::from_utf8_lossy(&stream.head).into_owned();
    let first = head.trim_start().lines().next().unwrap_or_default();
    let mut log = Log {
        lines: Lines::new(stream),
        found: Collected::default(),
        zone: Spelling { zone: job.zone, ..Spelling::PLAIN },
    };
    if is_json(first) {
        log.json(parsed);
    } else if is_csv(first) {
        log.csv(parsed);
    } else {
        log.stderr(parsed);
    }
    if log.lines.cut > 0 {
        let message = format!("{} lines or entries are longer than 16 MiB; they were left out", log.lines.cut);
        parsed.odd.push(Odd::new("plan-limit", message));
    }
    if let Some(e) = log.lines.failed.take() {
        parsed.odd.push(Odd::new("unreadable-file", format!("the file breaks off ({e}); what stands before was read")));
    }
    if log.found.is_empty() {
        parsed
            .odd
            .push(Odd::new("no-plans", "no plan of auto_explain stands in this log; nothing else of a log is read"));
    }
    log.found.finish(job, parsed);
}

/// Lines of a file, bounded.
struct Lines {
    from: BufReader<Box<dyn Read + Send>>,
    /// Number of the line last given, from 1.
    number: u64,
    cut: u64,
    failed: Option<std::io::Error>,
}

impl Lines {
    fn new(stream: Stream) -> Self {
        Self { from: BufReader::with_capacity(1 << 16, Box::new(stream)), number: 0, cut: 0, failed: None }
    }

    fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let read = self.from.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return None,
            Ok(_) => {}
            Err(e) => {
                self.failed = Some(e);
                return None;
            }
        }
        if line.len() == LONGEST && !line.ends_with(b"\n") {
            self.cut += 1;
            line.clear();
            let mut rest = Vec::new();
            while self.from.by_ref().take(1 << 16).read_until(b'\n', &mut rest).is_ok_and(|n| n > 0) {
                if rest.ends_with(b"\n") {
                    break;
                }
                rest.clear();
            }
        }
        self.number += 1;
        let end = line.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
        line.truncate(end);
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

struct Log {
    lines: Lines,
    found: Collected,
    zone: Spelling,
}

impl Log {
    fn stderr(&mut self, parsed: &mut Parsed) {
        let mut open: Option<Found> = None;
        // Whether the entry's lines are the plan's or its context's.
        let mut in_context = false;
        while let Some(line) = self.lines.next() {
            if let Some(more) = line.strip_prefix('\t') {
                if let Some(found) = &mut open {
                    let text = if in_context { found.context.get_or_insert_default() } else { &mut found.plan };
                    if text.len() + more.len() < LONGEST {
                        if !text.is_empty() {
                            text.push('\n');
                        }
                        text.push_str(more);
                    }
                }
                continue;
            }
            if open.is_some()
                && let Some(context) = context_of(&line)
            {
                in_context = true;
                if let Some(found) = &mut open {
                    found.context = Some(context.to_owned());
                }
                continue;
            }
            if let Some(found) = open.take() {
                self.found.add(found, &mut parsed.odd);
            }
            in_context = false;
            open = line.find(BEGINS).and_then(|at| {
                let (before, message) = line.split_at(at);
                let (duration_ms, plan) = message_of(message)?;
                let executed_at = self.time(before);
                Some(Found {
                    line: self.lines.number,
                    plan: plan.to_owned(),
                    executed_at,
                    duration_ms,
                    ..Found::default()
                })
            });
        }
        if let Some(found) = open {
            self.found.add(found, &mut parsed.odd);
        }
    }

    fn csv(&mut self, parsed: &mut Parsed) {
        let mut record = String::new();
        let mut begun = 0;
        while let Some(line) = self.lines.next() {
            if record.is_empty() {
                begun = self.lines.number;
            } else {
                record.push('\n');
            }
            record.push_str(&line);
            if record.len() > LONGEST {
                self.lines.cut += 1;
                record.clear();
                continue;
            }
            if !record.matches('"').count().is_multiple_of(2) {
                continue;
            }
            self.record(&std::mem::take(&mut record), begun, parsed);
        }
    }

    fn record(&mut self, record: &str, line: u64, parsed: &mut Parsed) {
        if !record.contains(PLAN) {
            return;
        }
        let mut cells = Record::default();
        cells.split(record.as_bytes(), 0, true, Dialect { delimiter: b',', quotes: true });
        let cell = |at: usize| {
            let cell = cells.cells.get(at)?;
            let text = record.get(cell.start..cell.end)?;
            Some(if cell.doubled { text.replace("\"\"", "\"") } else { text.to_owned() }).filter(|t| !t.is_empty())
        };
        let Some(message) = cell(MESSAGE) else { return };
        let Some((duration_ms, plan)) = message_of(&message) else { return };
        let found = Found {
            line,
            plan: plan.trim_start_matches('\n').to_owned(),
            query_id: cell(QUERY_ID).and_then(|id| id.parse().ok()),
            database: cell(DATABASE),
            executed_at: cell(AT).and_then(|at| self.time(&at)),
            duration_ms,
            context: cell(CONTEXT),
            query: None,
        };
        self.found.add(found, &mut parsed.odd);
    }

    fn json(&mut self, parsed: &mut Parsed) {
        while let Some(line) = self.lines.next() {
            if !line.contains(PLAN) {
                continue;
            }
            let Ok(entry) = serde_json::from_str::<serde_json::Value>(&line) else {
                parsed.odd.push(Odd::new("bad-row", "the line is no JSON; it was left out").at(self.lines.number));
                continue;
            };
            let text = |key: &str| entry.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
            let Some(message) = text("message") else { continue };
            let Some((duration_ms, plan)) = message_of(&message) else { continue };
            let found = Found {
                line: self.lines.number,
                plan: plan.trim_start_matches('\n').to_owned(),
                query_id: entry.get("query_id").and_then(serde_json::Value::as_i64),
                database: text("dbname"),
                executed_at: text("timestamp").and_then(|at| self.time(&at)),
                duration_ms,
                context: text("context"),
                query: None,
            };
            self.found.add(found, &mut parsed.odd);
        }
    }

    /// The time at the start of a line: with its zone where that is UTC, else as the dump's zone has it.
    fn time(&self, text: &str) -> Option<i64> {
        let mut words = text.split_whitespace();
        let (day, clock, zone) = (words.next()?, words.next()?, words.next().unwrap_or_default());
        let plain = format!("{day} {clock}");
        if matches!(zone, "UTC" | "GMT") {
            return clock::plain_time(format!("{plain}+00").as_bytes());
        }
        // An abbreviation stands for several zones; only the dump's own says which.
        let (at, known) = clock::time(&plain, &self.zone).ok()?;
        (known || self.zone.zone.is_some()).then_some(at)
    }
}

/// How the server marks a context in the languages that it is translated to.
const CONTEXTS: [&str; 12] = [
    "CONTEXT",
    "ZUSAMMENHANG",
    "KONTEXT",
    "CONTEXTO",
    "CONTEXTE ",
    "CONTESTO",
    "KONTEKST",
    "КОНТЕКСТ",
    "文脈",
    "내용",
    "上下文",
    "კონტექსტი",
];

/// What follows the mark of a context, behind the prefix of the line.
fn context_of(line: &str) -> Option<&str> {
    CONTEXTS.iter().find_map(|mark| {
        let (at, _) = line.match_indices(mark).find(|(at, _)| {
            let (before, rest) = line.split_at(*at);
            rest.strip_prefix(mark).is_some_and(|r| r.starts_with(":  ")) && before.ends_with([' ', ']'])
        })?;
        line.get(at + mark.len() + 3..)
    })
}

/// Duration and plan of a message `duration: 8.190 ms  plan:`.
fn message_of(message: &str) -> Option<(Option<f64>, &str)> {
    let (duration, plan) = message.strip_prefix(BEGINS)?.split_once(PLAN)?;
    Some((duration.parse().ok(), plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_marked_in_the_language_of_the_server() {
        for (line, want) in [
            (
                "2026-11-22 14:26:26 UTC [7] CONTEXT:  SQL function \"f\" statement 1",
                Some("SQL function \"f\" statement 1"),
            ),
            (
                "2026-11-22 14:26:26 UTC [7]ZUSAMMENHANG:  SQL-Funktion »f« Anweisung 1",
                Some("SQL-Funktion »f« Anweisung 1"),
            ),
            ("[7] CONTEXTE :  fonction SQL « f », instruction 1", Some("fonction SQL « f », instruction 1")),
            ("[7] КОНТЕКСТ:  SQL-функция \"f\", оператор 1", Some("SQL-функция \"f\", оператор 1")),
            ("[7] LOG:  duration: 1.000 ms  plan:", None),
            ("[7] STATEMENT:  select 'MYCONTEXT:  x'", None),
        ] {
            assert_eq!(context_of(line), want, "{line}");
        }
    }
}
