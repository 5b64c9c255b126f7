//! What was read, of every server: snapshots, files, notes.

use crate::advisor::StatisticsAge;
use crate::diff::Chain;
use crate::meta::{Meta, Note, TimeSource};
use crate::report::cells::{counted_words, prose};
use crate::report::draft::Draft;
use crate::report::table::table;
use crate::report::{Block, Cell, FILE};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The most notes listed.
const MOST_NOTES: usize = 200;
/// The most snapshots listed of those added up.
const MOST_LET_GO: usize = 1_000;

/// The chains that were read, the one reported on first, each with its server's name where there are several.
fn chains<'d>(draft: &Draft<'d>) -> Vec<(Option<&'d str>, &'d Chain)> {
    match draft.options.servers.as_slice() {
        [] => vec![(None, draft.chain)],
        several => several.iter().map(|server| (Some(server.name), server.chain)).collect(),
    }
}

fn name_of(server: Option<&str>) -> Cell {
    server.map_or(Cell::None, Cell::name)
}

/// The snapshots.
pub(super) fn snapshots(draft: &Draft<'_>) -> Block {
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
    for (server, chain) in chains(draft) {
        for (at, snapshot) in chain.snapshots.iter().enumerate() {
            let meta = &snapshot.meta;
            let since = |t: Option<crate::time::Timestamp>| {
                meta.taken_at.zip(t).and_then(|(now, then)| Quantity::float(now.seconds_since(then), Unit::Seconds))
            };
            let reset = StatisticsAge::at(chain, at).since;
            out.push(vec![
                Cell::text(crate::advisor::label(chain, at)),
                Cell::name(meta.label.clone()),
                match meta.taken_at {
                    Some(t) => Cell::text(format!("{t}")),
                    None => Cell::NotAvailable("nothing in the dump says when".to_owned()),
                },
                Cell::text(time_source(meta.time_source)),
                Cell::Text(match server {
                    Some(name) => Text::new().name(name).t(": ").t(version_and_role(meta)),
                    None => Text::from(role(meta)),
                }),
                Cell::number_or(since(meta.postmaster_start), "start of the server not in the dump"),
                Cell::number_or(since(reset), "no time of a reset is in the dump"),
                Cell::number(Quantity::count(meta.files.len())),
            ]);
        }
    }
    out.block()
}

/// Version of the server for people.
pub(in crate::report) fn server(meta: &Meta) -> String {
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

/// Version, role, and the node where the dump names it.
pub(super) fn role(meta: &Meta) -> String {
    let node =
        meta.node.as_ref().map_or_else(String::new, |n| format!(", node {}", crate::ident::visible(&n.to_string())));
    format!("{}{node}", version_and_role(meta))
}

fn version_and_role(meta: &Meta) -> String {
    let role = match meta.in_recovery {
        Some(true) => "standby",
        Some(false) => "primary",
        None => "role not stated",
    };
    format!("{}, {role}", server(meta))
}

/// What is kept of a long history, and what of the rest.
pub(super) fn condensed(draft: &Draft<'_>) -> Vec<Block> {
    let chains = chains(draft);
    let sum = |of: fn(&Chain) -> usize| chains.iter().map(|(_, chain)| of(chain)).sum::<usize>();
    let let_go = sum(Chain::let_go);
    if let_go == 0 {
        return Vec::new();
    }
    let text = Text::new()
        .n(Quantity::count(sum(Chain::count)))
        .t(" snapshots were read, ")
        .n(Quantity::count(sum(|chain| chain.snapshots.len())))
        .t(" are listed and kept whole: the first, the last two, those around resets and restarts and with waiting sessions, the others spread over time. Sums, resets, trends and events are of all of them; sessions, locks and settings are looked at in those kept.");
    let mut out = table("let-go", "Snapshots added up")
        .about(Text::from("SHA-256 over the hashes of their files, in the order of their names."))
        .name("Snapshot")
        .name("Server")
        .if_any()
        .name("Read from")
        .number("Captured")
        .text("SHA-256")
        .number("Files");
    let all = chains.iter().flat_map(|(server, chain)| chain.all.iter().enumerate().map(move |g| (*server, g)));
    for (server, (at, glance)) in all.filter(|(_, (_, glance))| !glance.kept).take(MOST_LET_GO) {
        out.push(vec![
            Cell::text((at + 1).to_string()),
            name_of(server),
            Cell::name(glance.label.clone()),
            match glance.taken_at {
                Some(t) => Cell::text(format!("{t}")),
                None => Cell::NotAvailable("nothing in the dump says when".to_owned()),
            },
            Cell::code(crate::report::build::hexadecimal(&glance.digest)),
            Cell::number(Quantity::count(glance.files)),
        ]);
    }
    let summary = counted_words(let_go, "snapshot was added up", "snapshots were added up");
    vec![prose(text), Block::Details { summary, blocks: vec![out.rows_in_all(let_go).block()] }]
}

/// The files, with what proves that they are the ones that were read.
pub(super) fn files(draft: &Draft<'_>) -> Option<Block> {
    let chains = chains(draft);
    let n: usize = chains.iter().flat_map(|(_, c)| &c.snapshots).map(|s| s.meta.files.len()).sum();
    if n == 0 {
        return None;
    }
    let mut out = table("files", "Files")
        .about(Text::from("SHA-256 of the bytes as they are stored."))
        .name(FILE)
        .name("Server")
        .if_any()
        .text("Snapshot")
        .text("SHA-256")
        .number("Size")
        .number("Rows")
        .text("Views");
    for (server, chain) in chains {
        for (at, snapshot) in chain.snapshots.iter().enumerate() {
            for file in &snapshot.meta.files {
                out.push(vec![
                    Cell::name(file.path.clone()),
                    name_of(server),
                    Cell::text(crate::advisor::label(chain, at)),
                    if file.sha256.is_empty() {
                        Cell::NotAvailable("not computed".to_owned())
                    } else {
                        Cell::code(file.sha256.clone())
                    },
                    Cell::number(Quantity::int(i64::try_from(file.bytes).unwrap_or(i64::MAX), Unit::Bytes)),
                    Cell::number(Quantity::count(file.rows)),
                    Cell::code(file.views.join(", ")),
                ]);
            }
        }
    }
    let summary = counted_words(n, "file, with its SHA-256", "files, with their SHA-256");
    Some(Block::Details { summary, blocks: vec![out.block()] })
}

/// What was odd about the data and about the snapshots as a series.
pub(super) fn notes(draft: &Draft<'_>) -> Vec<Block> {
    let chains = chains(draft);
    let all = chains.iter().flat_map(|(server, chain)| of_chain(chain).map(move |(at, note)| (*server, at, note)));
    let total: u64 = chains.iter().map(|(_, chain)| notes_of(chain)).sum();
    let mut listed = all.take(MOST_NOTES).peekable();
    if listed.peek().is_none() {
        return vec![prose("Nothing about the data was odd: every file, row and cell was read.")];
    }
    let mut out = table("notes", "Notes on the data")
        .about(Text::from(
            "What was odd, and what was done about it. The same oddity in one file is listed five times at most.",
        ))
        .name("Code")
        .name("Server")
        .if_any()
        .text("Snapshot")
        .text(FILE)
        .text("Place")
        .text("What was seen");
    for (server, label, note) in listed {
        let place = match (note.line, &note.column) {
            (Some(line), Some(column)) => format!("line {line}, {column}"),
            (Some(line), None) => format!("line {line}"),
            (None, Some(column)) => column.clone(),
            (None, None) => String::new(),
        };
        out.push(vec![
            Cell::code(note.code.clone()),
            name_of(server),
            Cell::text(label),
            note.file.as_ref().map_or(Cell::None, |f| Cell::name(f.clone())),
            if place.is_empty() { Cell::None } else { Cell::text(place) },
            Cell::text(note.message.clone()),
        ]);
    }
    let rows = out.rows_in_all(usize::try_from(total).unwrap_or(usize::MAX)).block();
    let summary = Text::new().many(Quantity::count(total), "note on the data", "notes on the data");
    vec![Block::Details { summary, blocks: vec![rows] }]
}

/// The notes kept of a chain, each with the snapshots it is on.
fn of_chain(chain: &Chain) -> impl Iterator<Item = (String, &Note)> {
    let label = |at| crate::advisor::label(chain, at);
    let snapshots = chain.snapshots.iter().enumerate();
    let snapshots = snapshots.flat_map(move |(at, s)| s.meta.notes.kept.iter().map(move |n| (label(at), n)));
    let windows = chain.windows.iter().enumerate().flat_map(move |(at, window)| {
        window.notes.kept.iter().map(move |n| (format!("{} to {}", label(at), label(at + 1)), n))
    });
    snapshots.chain(windows).chain(chain.notes.kept.iter().map(|n| ("all".to_owned(), n)))
}

/// How many notes there are in all, also those that are not kept.
fn notes_of(chain: &Chain) -> u64 {
    chain.all.iter().map(|g| g.notes).sum::<u64>()
        + chain.notes.total()
        + chain.windows.iter().map(|w| w.notes.total()).sum::<u64>()
}
