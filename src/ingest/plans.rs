//! EXPLAIN output: files of it, and columns of other exports that hold it.

use super::file::Parsed;
use super::header;
use super::notes::{Odd, Oddities};
use super::readers::{Job, Reader, Start};
use super::source::Stream;
use crate::catalog;
use crate::explain;
use crate::snapshot::{Data, Ints, Places, Source, Table, TextData};
use std::io::Read;
use std::sync::Arc;

/// The largest file of plans that is read whole.
const LARGEST: u64 = 64 << 20;
/// The most plans of one file that are kept, and the most bytes of theirs.
const MOST: usize = 2_000;
const MOST_BYTES: usize = 64 << 20;
/// Names of columns that hold plans in exports of others.
const COLUMNS: &[&str] = &["plan", "query_plan", "query plan", "json_plan", "plan_text", "explain"];

pub(super) const READER: Reader = Reader { endings: &["plan", "explain"], claims, is_moment: |_| false, read };

fn claims(start: &Start<'_>) -> bool {
    start.is_text() && explain::could_be(&String::from_utf8_lossy(start.head))
}

fn read(stream: Stream, job: &Job<'_>, parsed: &mut Parsed) {
    if !header::wanted(catalog::view("plans"), job.wanted) {
        return;
    }
    let mut bytes = Vec::new();
    if let Err(e) = stream.take(LARGEST).read_to_end(&mut bytes) {
        parsed.odd.push(Odd::new("unreadable-file", format!("the file breaks off ({e}); what stands before was read")));
    }
    if bytes.len() as u64 == LARGEST {
        let message = "the file is larger than 64 MiB; only the plans in its first 64 MiB were read";
        parsed.odd.push(Odd::new("plan-limit", message));
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut found = Collected::default();
    let pieces = explain::split(&text);
    if pieces.is_empty() {
        let why = explain::read(&text).err().unwrap_or("is not told from what stands around it");
        parsed.odd.push(Odd::new("bad-plan", format!("the plan {why}; it was left out")));
    }
    for piece in pieces {
        found
            .add(Found { line: piece.line, plan: piece.plan, query: piece.query, ..Found::default() }, &mut parsed.odd);
    }
    found.finish(job, parsed);
}

/// A plan with what is known of it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Line of the file, from 1.
    pub line: u64,
    pub plan: String,
    pub query: Option<String>,
    pub query_id: Option<i64>,
    pub database: Option<String>,
    /// Microseconds since 1970.
    pub executed_at: Option<i64>,
    pub duration_ms: Option<f64>,
    pub context: Option<String>,
}

/// The plans of one file.
#[derive(Debug, Default)]
pub(super) struct Collected {
    kept: Vec<Found>,
    bytes: usize,
    further: u64,
}

impl Collected {
    /// Adds a plan that can be read; another is noted.
    pub fn add(&mut self, mut found: Found, odd: &mut Oddities) {
        match explain::read(&found.plan) {
            Err(why) => odd.push(Odd::new("bad-plan", format!("the plan {why}; it was left out")).at(found.line)),
            Ok(plan) => {
                if self.kept.len() >= MOST || self.bytes + found.plan.len() > MOST_BYTES {
                    self.further += 1;
                    return;
                }
                if plan.cut {
                    let message = "the plan breaks off, or has too many nodes; what stands before was read";
                    odd.push(Odd::new("cut-plan", message).at(found.line));
                }
                self.bytes += found.plan.len();
                found.query = found.query.or(plan.query);
                // The log tells the id of the statement that the session was running, not of one inside a function.
                let told = found.query_id.filter(|id| *id != 0 && found.context.is_none());
                found.query_id = plan.query_id.or(told);
                self.kept.push(found);
            }
        }
    }

    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Hands them over as rows of the view.
    pub fn finish(self, job: &Job<'_>, parsed: &mut Parsed) {
        if self.further > 0 {
            let message = format!("{} further plans were left out: {MOST} of a file are kept", self.further);
            parsed.odd.push(Odd::new("plan-limit", message));
        }
        let rows = self.kept.len() as u64;
        let places = self.kept.iter().map(|f| f.line).collect();
        if let Some(table) = self.table(&job.file.path, None, places) {
            parsed.rows += rows;
            parsed.views.push(table.name.clone());
            parsed.tables.push(table);
        }
    }

    fn table(self, file: &str, pointer: Option<String>, places: Places) -> Option<Table> {
        let mut table = Table::empty(catalog::view("plans")?);
        table.rows = self.kept.len();
        table.sources.push(Source { file: Arc::from(file), pointer, places });
        let kept = &self.kept;
        let texts = |of: &dyn for<'f> Fn(&'f Found) -> Option<&'f str>| {
            let mut column = TextData::new();
            for found in kept {
                column.push(of(found));
            }
            Data::Text(column)
        };
        let sources = || {
            let mut column = TextData::new();
            for _ in kept {
                column.push(Some(file));
            }
            Data::Text(column)
        };
        let numbers = |of: &dyn Fn(&Found) -> Option<i64>| {
            let numbers: Ints = self.kept.iter().map(|f| of(f).unwrap_or(Ints::NULL)).collect();
            Data::Int(numbers)
        };
        for (slot, column) in table.columns.iter_mut().zip(table.view.map(|v| v.columns).unwrap_or_default()) {
            *slot = Some(match column.name {
                "source" => sources(),
                "nr" => numbers(&|f| i64::try_from(f.line).ok()),
                "plan" => texts(&|f| Some(&f.plan)),
                "query" => texts(&|f| f.query.as_deref()),
                "queryid" => numbers(&|f| f.query_id),
                "datname" => texts(&|f| f.database.as_deref()),
                "executed_at" => numbers(&|f| f.executed_at),
                "duration_ms" => Data::Float(self.kept.iter().map(|f| f.duration_ms.unwrap_or(f64::NAN)).collect()),
                _ => texts(&|f| f.context.as_deref()),
            });
        }
        Some(table)
    }
}

/// The plans that a table of another relation, or a `plans` without its key, carries in a column.
pub(super) fn adopt(table: &Table, odd: &mut Oddities) -> Option<Table> {
    let own = table.name == "plans";
    if own && table.has("source") && table.has("nr") {
        return None;
    }
    let is_plan = |name: &str| COLUMNS.contains(&name.to_ascii_lowercase().as_str());
    let extra = table.extra.iter().find(|(name, texts)| is_plan(name) && texts.any(explain::could_be));
    let ((Some(Data::Text(texts)), _) | (_, Some((_, texts)))) = (table.data("plan").filter(|_| own), extra) else {
        return None;
    };
    let beside = |row: usize, name: &str| -> Option<String> {
        let known = table.row(row);
        let extra = || table.extra.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?.1.get(row).map(str::to_owned);
        known.text(name).map(str::to_owned).or_else(|| known.int(name).map(|n| n.to_string())).or_else(extra)
    };
    let (mut found, mut places, mut file) = (Collected::default(), Places::default(), String::new());
    let mut pointer = None;
    for row in 0..table.rows {
        let Some(text) = texts.get(row).filter(|text| !text.trim().is_empty()) else { continue };
        let nr = table.sources.first().and_then(|s| s.places.get(row)).unwrap_or(row as u64);
        if let Some(source) = table.sources.first() {
            source.file.as_ref().clone_into(&mut file);
            pointer.clone_from(&source.pointer);
        }
        let before = found.kept.len();
        let row = Found {
            line: nr,
            plan: text.to_owned(),
            query: beside(row, "query"),
            query_id: beside(row, "queryid").and_then(|id| id.parse().ok()),
            database: beside(row, "datname"),
            executed_at: table.row(row).time("executed_at").map(|t| t.0),
            duration_ms: beside(row, "duration_ms").and_then(|ms| ms.parse().ok()),
            context: None,
        };
        found.add(row, odd);
        if found.kept.len() > before {
            places.push(nr);
        }
    }
    if found.further > 0 {
        odd.push(Odd::new(
            "plan-limit",
            format!("{} further plans were left out: {MOST} of a file are kept", found.further),
        ));
    }
    found.table(&file, pointer, places)
}
