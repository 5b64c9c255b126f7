//! Provenance and coverage: what the report rests on, and what is missing.

use super::provenance::{condensed, files, notes, role, snapshots};
use crate::advisor::Restarted;
use crate::catalog;
use crate::error::Result;
use crate::report::cells::{counted_words, fact, prose};
use crate::report::coverage::{Source, sources};
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{Block, Cell, CoverageItem, CoverageState, absent};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

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

fn window(draft: &mut Draft<'_>) -> Block {
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
        items.push(fact("Snapshots", Cell::number(Quantity::count(chain.count()))));
        let is = |words: &[&str]| {
            chain.windows.iter().flat_map(|w| &w.events).filter(|e| words.iter().any(|w| e.kind.contains(w))).count()
        };
        items.push(fact("Resets of statistics inside", Cell::number(Quantity::count(is(&["reset"])))));
        items.push(fact(
            "Rows whose counters started again inside",
            Cell::number(Quantity::count(Restarted::of(chain).again)),
        ));
        items.push(fact("Restarts and unclean stops inside", Cell::number(Quantity::count(is(&["restart", "crash"])))));
        items.push(fact("Other events seen", Cell::Text(Text::new().link("changed", "What changed from A to B"))));
    }
    if let Some(role) = &chain.last().meta.exported_by {
        // What a role may not see is missing or hidden in its snapshots alone.
        let others: BTreeSet<&String> =
            chain.snapshots.iter().filter_map(|s| s.meta.exported_by.as_ref()).filter(|r| *r != role).collect();
        items.push(if others.is_empty() {
            fact("Exported by the role", Cell::name(role.clone()))
        } else {
            let all = others.into_iter().fold(Text::new(), |text, other| text.name(other.clone()).t(", "));
            fact("Exported by the roles", Cell::Text(all.t("the last by ").name(role.clone())))
        });
    }
    if let Some(id) = &chain.last().meta.system_identifier {
        items.push(fact("System identifier", Cell::code(id.clone())));
    }
    if chain.last().table("meta").is_some() {
        let columns = ["captured_at", "pg_postmaster_start_time", "exported_by", "system_identifier"];
        let formula = (!draft.single()).then_some("the window is the last capture − the first");
        let link = draft.cite("Window", &["meta"], &columns, formula);
        items.push(fact("Source", Cell::Text(link)));
    }
    Block::Facts { title: "Window".to_owned(), items }
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
            Cell::number(Quantity::count(aside.snapshots)),
            time(aside.from),
            time(aside.to),
        ]);
    }
    Some(out.block())
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
            in_short: if s.state == CoverageState::Missing { s.in_short() } else { String::new() },
            how_to_get: if s.state == CoverageState::Missing {
                absent::how_to_get(s.view, draft.chain)
            } else {
                String::new()
            },
        })
        .collect();
    Block::Coverage { items }
}
