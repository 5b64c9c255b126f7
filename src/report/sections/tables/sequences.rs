//! Sequences and how far they are used up.

use crate::error::Result;
use crate::report::draft::Draft;
use crate::report::names::{is_system, qualified};
use crate::report::table::{ranked, table};
use crate::report::{Bar, Block, Cell, absent};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// Sequences, the most used ones first.
pub(super) fn list(draft: &mut Draft<'_>) -> Result<Vec<Block>> {
    let Some(state) = draft.state("pg_sequences") else {
        return Ok(absent::sentence(draft, "pg_sequences", "").into_iter().collect());
    };
    let rows: Vec<Row<'_>> = state.table.iter().filter(|r| !is_system(r.text("schemaname"))).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let used = |r: &Row<'_>| {
        let (last, min, max, step) =
            (r.int("last_value")?, r.int("min_value")?, r.int("max_value")?, r.int("increment_by")?);
        let (from, to) = if step < 0 { (max, min) } else { (min, max) };
        Quantity::share((last as f64 - from as f64).abs(), (to as f64 - from as f64).abs())
    };
    let names: Vec<String> =
        rows.iter().map(|r| qualified(r.text("schemaname"), r.text("sequencename"), "?")).collect();
    let shares: Vec<Option<Quantity>> = rows.iter().map(used).collect();
    let values: Vec<Option<f64>> = shares.iter().map(|s| s.map(Quantity::as_f64)).collect();
    let link = draft.cite(
        "Sequences",
        &["pg_sequences"],
        &["last_value", "max_value", "increment_by"],
        Some("used = (last_value − min_value) ÷ (max_value − min_value), mirrored for a negative step"),
    );
    let mut out = table("sequences", "Sequences")
        .about(
            Text::new()
                .t("A last value counts what sessions hold in their cache, too. The column that takes the values may be narrower than the sequence. ")
                .then(link),
        )
        .name("Sequence")
        .text("Type")
        .number("Last value")
        .number("Largest value")
        .graphic("Used")
        .largest_first()
        .text("At the end")
        .text("Findings");
    for at in ranked(&values, &names)? {
        let row = rows[at];
        let plain = |column: &str| row.quantity(column).map(|q| Quantity { value: q.value, unit: Unit::Count });
        out.push(vec![
            Cell::name(names[at].clone()),
            row.text("data_type").map_or(Cell::None, Cell::text),
            Cell::number_or(plain("last_value"), "never used, or not permitted"),
            Cell::number_or(plain("max_value"), "not exported"),
            shares[at].map_or(Cell::None, |value| {
                Cell::Bar(Bar { value, fraction: value.as_f64().clamp(0.0, 1.0), mark: None })
            }),
            row.bool("cycle").map_or(Cell::None, |c| Cell::text(if c { "Begins again" } else { "nextval fails" })),
            draft.links_of(&names[at], &["seq-"]).map_or(Cell::None, Cell::Text),
        ]);
    }
    Ok(vec![out.block()])
}
