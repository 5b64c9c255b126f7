//! Provenance and coverage: what the report rests on, and what is missing.

use crate::advisor::StatisticsAge;
use crate::catalog;
use crate::diff::Class;
use crate::error::Result;
use crate::meta::{Note, TimeSource};
use crate::report::cells::{count, counted_words, fact, prose};
use crate::report::coverage::{Source, sources};
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{Block, Cell, CoverageItem, CoverageState, absent};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The most notes listed.
const MOST_NOTES: usize = 200;
/// The most snapshots listed of those added up.
const MOST_LET_GO: usize = 1_000;

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let sources = sources(draft);
    let mut blocks = vec![snapshots(draft), window(draft)];
    blocks.extend(condensed(draft));
    blocks.extend(asides(draft));
    blocks.extend(files(draft));
    blocks.push(strip(draft, &sources));
    if sources.iter().all(|s| s.state != CoverageState::Missing) {
        blocks.push(prose("No expected source is missing."));
    }
    blocks.extend(notes(draft));
    Ok(Body::filled(blocks))
}

fn snapshots(draft: &Draft<'_>) -> Block {
    let mut out = table("snapshots", "Snapshots")
        .about(Text::from("Times are in UTC, of the server's clock unless said otherwise."))
        .name("Snapshot")
        .name("Read from")
        .number("Captured")
        .text("Time taken from")
        .if_differs()
        .text("Server")
        .if_differs()
        .number("Up for")
        .number("Age of the statistics")
        .number("Files");
    for (at, snapshot) in draft.chain.snapshots.iter().enumerate() {
        let meta = &snapshot.meta;
        let since = |t: Option<crate::time::Timestamp>| {
            meta.taken_at.zip(t).and_then(|(now, then)| Quantity::float(now.seconds_since(then), Unit::Seconds))
        };
        let reset = StatisticsAge::at(draft.chain, at).since;
        out.push(vec![
            Cell::text(crate::advisor::label(draft.chain, at)),
            Cell::name(meta.label.clone()),
            match meta.taken_at {
                Some(t) => Cell::text(format!("{t}")),
                None => Cell::NotAvailable("nothing in the dump says when".to_owned()),
            },
            Cell::text(time_source(meta.time_source)),
            Cell::text(role(meta)),
            Cell::number_or(since(meta.postmaster_start), "start of the server not in the dump"),
            Cell::number_or(since(reset), "no time of a reset is in the dump"),
            Cell::number(count(meta.files.len())),
        ]);
    }
    out.block()
}

/// How many rows of all views have counters that started again inside the window.
pub(super) fn restarted(draft: &Draft<'_>) -> usize {
    let again = |c: &crate::diff::Change<'_>| matches!(c.class(), Class::Reset | Class::ResetUnsure);
    draft.chain.views.values().map(|v| v.iter().filter(again).count()).sum()
}

/// Version of the server for people.
pub(in crate::report) fn server(meta: &crate::meta::Meta) -> String {
    match (meta.version, meta.version_inferred) {
        (Some(v), false) => format!("PostgreSQL {v}"),
        (Some(v), true) => format!("PostgreSQL {} (concluded from the columns)", v.major()),
        (None, _) => "PostgreSQL, version not stated".to_owned(),
    }
}

const fn time_source(source: Option<TimeSource>) -> &'static str {
    match source {
        Some(TimeSource::Meta) => "meta of the dump",
        Some(TimeSource::Column) => "a column of a file",
        Some(TimeSource::NewestInData) => "the newest time in the data: a lower bound",
        Some(TimeSource::Name) => "the name of the folder or file",
        Some(TimeSource::Option) => "--taken-at",
        Some(TimeSource::Unknown) | None => "nothing says when",
    }
}

fn window(draft: &Draft<'_>) -> Block {
    let chain = draft.chain;
    let mut items = Vec::new();
    if draft.single() {
        items.push(fact("Window", Cell::text("none: one snapshot. Counters are totals since the statistics began")));
        items.push(fact(
            "Age of the statistics",
            Cell::number_or(
                draft.facts.age.database_s.and_then(|s| Quantity::float(s, Unit::Seconds)),
                "neither stats_reset nor a start of the cluster-wide statistics is in the dump",
            ),
        ));
    } else {
        items.push(fact(
            "Window, A to B",
            Cell::number_or(
                chain.elapsed_s.and_then(|s| Quantity::float(s, Unit::Seconds)),
                "a capture time is unknown",
            ),
        ));
        items.push(fact("Snapshots", Cell::number(count(chain.count()))));
        let is = |words: &[&str]| {
            chain.windows.iter().flat_map(|w| &w.events).filter(|e| words.iter().any(|w| e.kind.contains(w))).count()
        };
        items.push(fact("Resets of statistics inside", Cell::number(count(is(&["reset"])))));
        items.push(fact("Rows whose counters started again inside", Cell::number(count(restarted(draft)))));
        items.push(fact("Restarts and crashes inside", Cell::number(count(is(&["restart", "crash"])))));
        items.push(fact("Other events seen", Cell::Text(Text::new().link("changed", "What changed from A to B"))));
    }
    if let Some(role) = &chain.last().meta.exported_by {
        items.push(fact("Exported by the role", Cell::name(role.clone())));
    }
    if let Some(id) = &chain.last().meta.system_identifier {
        items.push(fact("System identifier", Cell::code(id.clone())));
    }
    Block::Facts { title: "Window".to_owned(), items }
}

/// What is kept of a long history, and what of the rest.
fn condensed(draft: &Draft<'_>) -> Vec<Block> {
    let chain = draft.chain;
    if chain.let_go() == 0 {
        return Vec::new();
    }
    let text = Text::new()
        .n(count(chain.count()))
        .t(" snapshots were read, ")
        .n(count(chain.snapshots.len()))
        .t(" are listed and kept whole: the first, the last two, those around resets and restarts and with waiting sessions, the others spread over time. Sums, resets, trends and events are of all of them; sessions, locks and settings are looked at in those kept.");
    let mut out = table("let-go", "Snapshots added up")
        .about(Text::from("SHA-256 over the hashes of their files, in the order of their names."))
        .name("Snapshot")
        .name("Read from")
        .number("Captured")
        .text("SHA-256")
        .number("Files");
    for (at, glance) in chain.all.iter().enumerate().filter(|(_, g)| !g.kept).take(MOST_LET_GO) {
        out.push(vec![
            Cell::text((at + 1).to_string()),
            Cell::name(glance.label.clone()),
            match glance.taken_at {
                Some(t) => Cell::text(format!("{t}")),
                None => Cell::NotAvailable("nothing in the dump says when".to_owned()),
            },
            Cell::code(crate::report::build::hexadecimal(&glance.digest)),
            Cell::number(count(glance.files)),
        ]);
    }
    let summary = counted_words(chain.let_go(), "snapshot was added up", "snapshots were added up");
    vec![prose(text), Block::Details { summary, blocks: vec![out.rows_in_all(chain.let_go()).block()] }]
}

/// What was given and is not of this history.
fn asides(draft: &Draft<'_>) -> Option<Block> {
    let all = &draft.options.asides;
    if all.is_empty() {
        return None;
    }
    let mut out = table("asides", "Given, and not in this report")
        .about(Text::from(
            "Snapshots of another node or database are a history of their own: nothing is subtracted between the two. This report is on the one of a primary with the most snapshots; give the others alone for theirs.",
        ))
        .name("Read from")
        .text("Database")
        .text("Server")
        .number("Snapshots")
        .number("First")
        .number("Last");
    for aside in all {
        let time = |t: Option<crate::time::Timestamp>| match t {
            Some(t) => Cell::number(Quantity::time(t)),
            None => Cell::NotAvailable("time unknown".to_owned()),
        };
        let meta = &aside.server;
        out.push(vec![
            Cell::name(meta.label.clone()),
            meta.database.clone().map_or(Cell::None, Cell::name),
            Cell::text(role(meta)),
            Cell::number(count(aside.snapshots)),
            time(aside.from),
            time(aside.to),
        ]);
    }
    Some(out.block())
}

/// Version and role.
fn role(meta: &crate::meta::Meta) -> String {
    let node = meta.node.as_deref().map_or_else(String::new, |n| format!(", node {}", crate::ident::visible(n)));
    let role = match meta.in_recovery {
        Some(true) => "standby",
        Some(false) => "primary",
        None => "role not stated",
    };
    format!("{}, {role}{node}", server(meta))
}

fn files(draft: &Draft<'_>) -> Option<Block> {
    let n: usize = draft.chain.snapshots.iter().map(|s| s.meta.files.len()).sum();
    if n == 0 {
        return None;
    }
    let mut out = table("files", "Files")
        .about(Text::from("SHA-256 of the bytes as they are stored."))
        .name("File")
        .text("Snapshot")
        .text("SHA-256")
        .number("Size")
        .number("Rows")
        .text("Views");
    for (at, snapshot) in draft.chain.snapshots.iter().enumerate() {
        for file in &snapshot.meta.files {
            out.push(vec![
                Cell::name(file.path.clone()),
                Cell::text(crate::advisor::label(draft.chain, at)),
                if file.sha256.is_empty() {
                    Cell::NotAvailable("not computed".to_owned())
                } else {
                    Cell::code(file.sha256.clone())
                },
                Cell::number(Quantity::int(i64::try_from(file.bytes).unwrap_or(i64::MAX), Unit::Bytes)),
                Cell::number(Quantity::int(i64::try_from(file.rows).unwrap_or(i64::MAX), Unit::Count)),
                Cell::code(file.views.join(", ")),
            ]);
        }
    }
    let summary = counted_words(n, "file, with its SHA-256", "files, with their SHA-256");
    Some(Block::Details { summary, blocks: vec![out.block()] })
}

fn strip(draft: &Draft<'_>, sources: &[Source]) -> Block {
    let items = sources
        .iter()
        .map(|s| CoverageItem {
            name: s.view.to_owned(),
            state: s.state,
            remark: match s.state {
                CoverageState::Captured => {
                    let rows = draft.state(s.view).map_or(0, |t| t.table.rows);
                    counted_words(rows, "row", "rows").plain()
                }
                CoverageState::Empty => "no rows".to_owned(),
                CoverageState::Missing => s.disables(),
                CoverageState::NotApplicable => catalog::view(s.view)
                    .map_or_else(String::new, |v| format!("PostgreSQL {} and later", v.majors.since)),
            },
            how_to_get: if s.state == CoverageState::Missing { absent::how_to_get(s.view) } else { String::new() },
        })
        .collect();
    Block::Coverage { items }
}

/// What was odd about the data and about the snapshots as a series.
fn notes(draft: &Draft<'_>) -> Vec<Block> {
    let mut all: Vec<(String, &Note)> = Vec::new();
    for (at, snapshot) in draft.chain.snapshots.iter().enumerate() {
        all.extend(snapshot.meta.notes.kept.iter().map(|n| (crate::advisor::label(draft.chain, at), n)));
    }
    for (at, window) in draft.chain.windows.iter().enumerate() {
        let label =
            format!("{} to {}", crate::advisor::label(draft.chain, at), crate::advisor::label(draft.chain, at + 1));
        all.extend(window.notes.kept.iter().map(|n| (label.clone(), n)));
    }
    all.extend(draft.chain.notes.kept.iter().map(|n| ("all".to_owned(), n)));
    let total: u64 = draft.chain.all.iter().map(|g| g.notes).sum::<u64>()
        + draft.chain.notes.total()
        + draft.chain.windows.iter().map(|w| w.notes.total()).sum::<u64>();
    if all.is_empty() {
        return vec![prose("Nothing about the data was odd: every file, row and cell was read.")];
    }
    let mut out = table("notes", "Notes on the data")
        .about(Text::from(
            "What was odd, and what was done about it. The same oddity in one file is listed five times at most.",
        ))
        .name("Code")
        .text("Snapshot")
        .text("File")
        .text("Place")
        .text("What was seen");
    for (label, note) in all.iter().take(MOST_NOTES) {
        let place = match (note.line, &note.column) {
            (Some(line), Some(column)) => format!("line {line}, {column}"),
            (Some(line), None) => format!("line {line}"),
            (None, Some(column)) => column.clone(),
            (None, None) => String::new(),
        };
        out.push(vec![
            Cell::code(note.code.clone()),
            Cell::text(label.clone()),
            note.file.as_ref().map_or(Cell::None, |f| Cell::name(f.clone())),
            if place.is_empty() { Cell::None } else { Cell::text(place) },
            Cell::text(note.message.clone()),
        ]);
    }
    let rows = out.rows_in_all(usize::try_from(total).unwrap_or(usize::MAX)).block();
    let summary = Text::new().many(
        Quantity::int(i64::try_from(total).unwrap_or(i64::MAX), Unit::Count),
        "note on the data",
        "notes on the data",
    );
    vec![Block::Details { summary, blocks: vec![rows] }]
}
