//! Indexes: every index with its use and its judgement; what can be dropped, rebuilt or is missing.

use crate::diff::Change;
use crate::error::Result;
use crate::finding::{Fix, Verb};
use crate::report::absent;
use crate::report::cells::{counted, counted_words, heading, last_time, level, links, prose, short, total};
use crate::report::draft::{Body, Draft};
use crate::report::names::{ByObject, index_name, is_system, table_name};
use crate::report::sparks::{Of, Sparks};
use crate::report::table::{ranked, table};
use crate::report::{Block, Cell, ReportFinding};
use crate::snapshot::{Row, Table};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// What this section shows.
pub(super) const VIEWS: &[&str] = &["pg_stat_user_indexes", "index_definitions"];

/// An index: its scans and its definition, at least one of the two.
struct Entry<'a> {
    change: Option<Change<'a>>,
    definition: Option<Row<'a>>,
}

impl<'a> Entry<'a> {
    fn row(&self) -> Option<Row<'a>> {
        self.change.and_then(Change::last).or(self.definition)
    }

    fn name(&self) -> String {
        self.row().map(index_name).unwrap_or_default()
    }

    fn bytes(&self) -> Option<i64> {
        self.definition?.int("index_size")
    }

    /// A partitioned index has no storage of its own.
    fn has_size(&self) -> bool {
        self.bytes().is_none_or(|b| b > 0)
    }

    /// Scans since the statistics began, as the last snapshot states them.
    fn scans(&self) -> Option<i64> {
        self.change?.last()?.int("idx_scan")
    }
}

/// Writes the section.
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let mut blocks = Vec::new();
    for view in VIEWS {
        blocks.extend(absent::sentence(draft, view, "The database's tables have no indexes."));
    }
    let entries = entries(draft);
    if entries.is_empty() {
        return Ok(Body::absent(blocks));
    }
    blocks.extend(draft.age_note("index_definitions"));
    blocks.extend(summary(draft, &entries));
    blocks.push(list(draft, &entries)?);
    blocks.extend(proposals(draft, &entries));
    Ok(Body::filled(blocks).count(entries.len()))
}

fn entries<'a>(draft: &Draft<'a>) -> Vec<Entry<'a>> {
    let definitions = draft.state("index_definitions").map(|s| s.table);
    let by_object = ByObject::indexes(definitions);
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for change in draft.chain.view("pg_stat_user_indexes").into_iter().flat_map(|v| v.present().collect::<Vec<_>>()) {
        let Some(row) = change.last().filter(|r| !is_system(r.text("schemaname"))) else { continue };
        let definition = by_object.of(row);
        seen.extend(definition.map(Row::index));
        out.push(Entry { change: Some(change), definition });
    }
    for row in definitions.into_iter().flat_map(Table::iter) {
        if !seen.contains(&row.index()) && !is_system(row.text("schemaname")) {
            out.push(Entry { change: None, definition: Some(row) });
        }
    }
    out
}

/// Never scanned, how much that is, and whether that can be judged.
fn summary(draft: &mut Draft<'_>, entries: &[Entry<'_>]) -> Vec<Block> {
    let unused: Vec<&Entry<'_>> = entries.iter().filter(|e| e.scans() == Some(0)).collect();
    let known = entries.iter().filter(|e| e.scans().is_some()).count();
    if known == 0 {
        return Vec::new();
    }
    let link = draft.cite(
        "Indexes never scanned",
        &["pg_stat_user_indexes"],
        &["idx_scan"],
        Some("count of rows with idx_scan = 0"),
    );
    let all = total(entries.iter().map(Entry::bytes), Unit::Bytes);
    let bytes = total(unused.iter().map(|e| e.bytes()), Unit::Bytes);
    let sized = unused.iter().filter(|e| e.bytes().is_some()).count();
    let mut text = Text::new()
        .n(Quantity::count(unused.len()))
        .t(" of ")
        .then(counted_words(known, "index has", "indexes have"))
        .t(" no scan since the statistics began");
    if let (Some(bytes), Some(all)) = (bytes, all) {
        text = text.t("; ").n(bytes).t(" of ").n(all);
        if sized < unused.len() {
            text = text.t(" (the sizes of ").n(Quantity::count(sized)).t(" of them are known)");
        }
    }
    text = text.t(". ").then(link).t(" ");
    let uncounted = entries.len() - known;
    if uncounted > 0 {
        text = text
            .then(counted_words(uncounted, "more index is", "more indexes are"))
            .t(" defined without counters, as those of partitioned tables are. ");
    }
    text = match draft.facts.age.database_s.and_then(|s| Quantity::float(s, Unit::Seconds)) {
        Some(age) => text
            .t("The statistics are ")
            .n(age)
            .t(" old (counted from ")
            .t(draft.facts.age.basis)
            .t("): a zero says nothing about anything that runs less often than that."),
        None => text.t(
            "How old the statistics are is not in the dump, so a zero may be as young as an hour: nothing is proposed to \
             be dropped for it.",
        ),
    };
    vec![prose(text)]
}

fn list(draft: &mut Draft<'_>, entries: &[Entry<'_>]) -> Result<Block> {
    let link = draft.cite(
        "Indexes",
        &["pg_stat_user_indexes", "index_definitions"],
        &["idx_scan", "idx_tup_read", "index_size"],
        None,
    );
    let first = ByObject::indexes(draft.first("index_definitions"));
    let dated = draft.chain.last().table("pg_stat_user_indexes").is_some_and(|t| t.has("last_idx_scan"));
    let windowed = !draft.single();
    let mut out = table("indexes", "Indexes")
        .about(
            Text::new()
                .t(if draft.single() {
                    "Sizes at the snapshot. "
                } else {
                    "Sizes at the last snapshot with their change since the first. "
                })
                .t(if dated { "\u{201c}not seen\u{201d}: not since the statistics began. " } else { "" })
                .t("No verdict on what was not scanned: it is too early, or the index is needed otherwise. ")
                .then(link),
        )
        .name("Index")
        .text("Table");
    if windowed {
        out = out.number("Scans in the window");
    }
    out = out.number("Scans since the statistics began");
    if dated {
        out = out.number("Last scan");
    }
    out = out.number("Size").largest_first().text("Kind").text("Judgement");
    let sparks = Sparks::of(draft, "pg_stat_user_indexes", Of::Column("idx_scan"));
    if sparks.is_some() {
        out = out.graphic("Scans per second over time");
    }
    let names: Vec<String> = entries.iter().map(Entry::name).collect();
    let values: Vec<Option<f64>> = entries.iter().map(|e| e.bytes().map(|b| b as f64)).collect();
    for at in ranked(&values, &names)? {
        let entry = &entries[at];
        let row = entry.row();
        let mut cells = vec![Cell::name(names[at].clone()), Cell::name(row.map(table_name).unwrap_or_default())];
        if windowed {
            cells.push(entry.change.map_or(Cell::None, |c| counted(c, "idx_scan")));
        }
        cells.push(Cell::number_or(entry.scans().map(|n| Quantity::int(n, Unit::Count)), "not exported"));
        let now = entry.change.and_then(Change::last);
        if dated {
            cells.push(short(last_time(now, "last_idx_scan")));
        }
        let before = entry.definition.and_then(|d| first.of(d));
        cells.push(level(before, entry.definition, "index_size"));
        cells.push(kind(entry.definition));
        cells.push(judgement(draft, entry, &names[at]));
        cells.extend(sparks.as_ref().map(|s| s.cell(now)));
        out.push_with(cells, || details(draft, entry));
    }
    let mut totals = vec![Cell::Text(Text::new().n(Quantity::count(entries.len())).t(" indexes")), Cell::None];
    totals.extend(windowed.then_some(Cell::None));
    totals.push(Cell::None);
    totals.extend(dated.then_some(Cell::None));
    totals.push(Cell::number_or(total(entries.iter().map(Entry::bytes), Unit::Bytes), "not exported"));
    totals.extend([Cell::None, Cell::None]);
    totals.extend(sparks.is_some().then_some(Cell::None));
    Ok(out.totals(totals).rows_in_all(entries.len()).block())
}

fn kind(definition: Option<Row<'_>>) -> Cell {
    let Some(d) = definition else { return Cell::NotAvailable("index_definitions has no row".to_owned()) };
    let flag = |column: &str| d.bool(column) == Some(true);
    let mut words = Vec::new();
    if flag("indisprimary") {
        words.push("primary key");
    } else if d.text("constraint_type") == Some("u") {
        words.push("unique constraint");
    } else if flag("indisunique") {
        words.push("unique");
    }
    if flag("indisexclusion") {
        words.push("exclusion constraint");
    }
    if d.text("predicate").is_some() {
        words.push("partial");
    }
    let method = d.text("access_method").unwrap_or_default();
    let columns = d.array("columns");
    if words.is_empty() && method.is_empty() && columns.is_empty() {
        return Cell::NotAvailable("not exported".to_owned());
    }
    let mut text = Text::new().t(words.join(", "));
    if !words.is_empty() {
        text = text.t(" ");
    }
    // That of most indexes goes without saying.
    let said = method != "btree" || words.is_empty();
    text = text.t(if said { format!("{method} ") } else { String::new() });
    if !columns.is_empty() {
        text = text.code(format!("({})", columns.join(", ")));
    }
    Cell::Text(text)
}

/// What can be said of an index, and why not more.
fn judgement(draft: &Draft<'_>, entry: &Entry<'_>, name: &str) -> Cell {
    if let Some(links) = draft.links_of(name, &["index-", "schema-"]) {
        return Cell::Text(links);
    }
    let flag = |column: &str| entry.definition.and_then(|d| d.bool(column)) == Some(true);
    if entry.definition.and_then(|d| d.bool("indisvalid")) == Some(false) {
        return Cell::text("Invalid: queries do not use it");
    }
    match entry.scans() {
        None if entry.definition.and_then(|d| d.text("relkind")) == Some("I")
            || entry.change.is_none() && !entry.has_size() =>
        {
            Cell::text("Partitioned: its partitions' indexes are scanned")
        }
        None => Cell::NotAvailable("scans not exported".to_owned()),
        Some(0) if flag("indisprimary") || flag("indisunique") || flag("indisexclusion") => {
            Cell::text("Not scanned; enforces uniqueness")
        }
        Some(0) => Cell::Text(match draft.facts.age.database_s.and_then(|s| Quantity::float(s, Unit::Seconds)) {
            Some(age) => Text::new().t("Not scanned in ").n(age).t(": no verdict"),
            None => Text::from("Not scanned; age of the statistics unknown: no verdict"),
        }),
        Some(_) => Cell::text("In use"),
    }
}

fn details(draft: &Draft<'_>, entry: &Entry<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(sql) = entry.definition.and_then(|d| d.text("indexdef")) {
        blocks.push(Block::Code { language: "sql".to_owned(), text: sql.to_owned() });
    }
    if let Some(notes) = draft.notes_of(entry.change) {
        blocks.push(prose(notes));
    }
    let before = entry.change.and_then(Change::first).filter(|_| !draft.single());
    blocks.push(draft.places(&[before, entry.change.and_then(Change::last), entry.definition]));
    blocks
}

/// A statement on an index, with the findings that propose it.
struct Proposal<'f> {
    fix: &'f Fix,
    findings: Vec<&'f str>,
}

/// The statements that the findings on indexes propose, each once, with what they would save.
fn proposals(draft: &mut Draft<'_>, entries: &[Entry<'_>]) -> Vec<Block> {
    let proposes = |f: &ReportFinding| f.finding.fixes.iter().any(|fix| is_of_an_index(&f.finding.rule, fix));
    if !draft.findings.iter().any(proposes) {
        return vec![prose("No change of an index is proposed.")];
    }
    let link = draft.cite(
        "Proposed changes of indexes",
        &["index_definitions", "pg_stat_user_indexes"],
        &["index_size", "indexdef"],
        Some("freed = sum of index_size of the indexes to drop"),
    );
    let mut found: Vec<Proposal<'_>> = Vec::new();
    for f in &draft.findings {
        for fix in f.finding.fixes.iter().filter(|fix| is_of_an_index(&f.finding.rule, fix)) {
            if let Some(same) = found.iter_mut().find(|p| p.fix.sql == fix.sql) {
                same.findings.push(&f.number);
                continue;
            }
            found.push(Proposal { fix, findings: vec![&f.number] });
        }
    }
    let size = |object: &str| entries.iter().find(|e| e.name() == object).and_then(|e| whole_bytes(e, entries));
    let mut out = table("index-proposals", "Proposed changes of indexes")
        .about(Text::from("From the findings; read what stands there before running anything. ").then(link.clone()))
        .name("Object")
        .text("Findings")
        .number("Size")
        .text("Statement")
        .text("Undo");
    for p in &found {
        out.push(vec![
            Cell::name(p.fix.object.clone()),
            links(p.findings.iter().copied()).map_or(Cell::None, Cell::Text),
            size(&p.fix.object).map_or(Cell::None, |b| Cell::number(Quantity::int(b, Unit::Bytes))),
            if p.fix.instead {
                Cell::Text(Text::new().t("or, instead: ").code(in_one_line(&p.fix.sql)))
            } else {
                Cell::code(in_one_line(&p.fix.sql))
            },
            p.fix.undo.as_deref().map_or(Cell::None, |undo| Cell::code(in_one_line(undo))),
        ]);
    }
    let mut blocks = vec![heading("What can be changed"), out.block()];
    let dropped: BTreeSet<&str> =
        found.iter().filter(|p| p.fix.verb == Verb::Drop && !p.fix.instead).map(|p| p.fix.object.as_str()).collect();
    let saved = dropped.iter().filter_map(|object| size(object)).reduce(i64::saturating_add);
    let all = entries.iter().filter_map(Entry::bytes).reduce(i64::saturating_add);
    if let (Some(saved), Some(all)) = (saved, all) {
        blocks.push(prose(
            Text::new()
                .t("Dropping ")
                .then(counted_words(dropped.len(), "index", "indexes"))
                .t(" as proposed would free ")
                .n(Quantity::int(saved, Unit::Bytes))
                .t(", ")
                .opt(Quantity::share(saved as f64, all as f64))
                .t(" of all index bytes. ")
                .then(link),
        ));
    }
    blocks
}

/// An index's bytes with those of its parts, which a statement on it acts on too.
fn whole_bytes(entry: &Entry<'_>, entries: &[Entry<'_>]) -> Option<i64> {
    let own = |e: &Entry<'_>, column| e.definition.and_then(|d| d.int(column)).filter(|oid| *oid > 0);
    let mut of: BTreeSet<i64> = own(entry, "indexrelid").into_iter().collect();
    let mut sum = entry.bytes()?;
    let mut before = 0;
    while of.len() > before {
        before = of.len();
        for part in entries {
            let Some((oid, parent)) = own(part, "indexrelid").zip(own(part, "parent_index")) else { continue };
            if of.contains(&parent) && of.insert(oid) {
                sum = sum.saturating_add(part.bytes()?);
            }
        }
    }
    Some(sum)
}

/// Whether a statement changes an index: those of other checks create some, too.
fn is_of_an_index(rule: &str, fix: &Fix) -> bool {
    const BEGINS: [&str; 3] = ["CREATE INDEX ", "CREATE UNIQUE INDEX ", "DROP INDEX "];
    let says = || fix.sql.lines().any(|line| BEGINS.iter().any(|b| line.starts_with(b)));
    fix.verb != Verb::Diagnose && (rule.starts_with("index-") || says())
}

/// SQL for a cell: in one line, so without the lines that are comments.
fn in_one_line(sql: &str) -> String {
    let lines = sql.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_swallows_no_statement() {
        let sql = "-- undo: CREATE INDEX i\nSET lock_timeout = '5s';\n\nDROP INDEX i;";
        assert_eq!(in_one_line(sql), "SET lock_timeout = '5s'; DROP INDEX i;");
    }
}
