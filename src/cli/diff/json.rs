//! `diff --format json`: one object, a line for each row.

use super::cell;
use super::choose::Order;
use super::csv::value_of;
use super::layout::Layout;
use super::reasons::{is_impossible, reasons};
use crate::catalog::Type;
use crate::diff::{Diff, DiffRow, ViewDiff};
use crate::meta::Meta;
use crate::snapshot::Value;
use serde_json::json;
use std::io::Write;

/// Writes a subtraction.
pub(super) fn write<'a>(
    diff: &Diff,
    views: impl Iterator<Item = &'a ViewDiff>,
    order: &Order,
    out: &mut (impl Write + ?Sized),
) -> std::io::Result<()> {
    let mut text = Vec::new();
    text.extend_from_slice(b"{\"schema\":1,\n\"before\":");
    text.extend_from_slice(side(&diff.before.meta).to_string().as_bytes());
    text.extend_from_slice(b",\n\"after\":");
    text.extend_from_slice(side(&diff.after.meta).to_string().as_bytes());
    text.extend_from_slice(b",\n\"elapsed_s\":");
    seconds(diff.elapsed_s, &mut text);
    text.extend_from_slice(b",\n\"events\":[");
    for (at, event) in diff.events.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        text.extend(serde_json::to_vec(event)?);
    }
    text.extend_from_slice(b"],\n\"views\":{");
    for (at, view) in views.enumerate() {
        text.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        string(view.view.name, &mut text);
        text.extend_from_slice(b":[");
        let layout = Layout::of(view);
        let rows = order.rows(view);
        for at in 0..rows.len() {
            text.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
            row(view, &layout, rows.at(at), &mut text);
            if text.len() > 1 << 20 {
                out.write_all(&text)?;
                text.clear();
            }
        }
        text.push(b']');
    }
    text.extend_from_slice(b"}}\n");
    out.write_all(&text)
}

fn side(meta: &Meta) -> serde_json::Value {
    json!({
        "label": meta.label,
        "taken_at": meta.taken_at,
        "time_source": meta.time_source,
        "version": meta.version.map(|v| v.to_string()),
        "database": meta.database,
        "database_oid": meta.database_oid,
        "system_identifier": meta.system_identifier,
        "node": meta.node.as_ref().map(ToString::to_string),
        "in_recovery": meta.in_recovery,
        "postmaster_start": meta.postmaster_start,
    })
}

fn row(diff: &ViewDiff, layout: &Layout, index: usize, out: &mut Vec<u8>) {
    let row = diff.row(index);
    let verdict = row.verdict();
    out.extend_from_slice(b"{\"key\":");
    cells(row, &layout.key, out);
    out.extend_from_slice(b",\"labels\":");
    cells(row, &layout.labels, out);
    out.extend_from_slice(b",\"class\":\"");
    out.extend_from_slice(verdict.class.word().as_bytes());
    out.extend_from_slice(b"\",\"covered_s\":");
    seconds(verdict.covered_s, out);
    out.extend_from_slice(b",\"reset_at\":");
    match verdict.reset_at {
        Some(at) => string(&at.to_string(), out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"counters\":{");
    let columns = diff.view.columns;
    let mut first = true;
    for &c in layout.counters.iter().filter(|c| !is_impossible(row, **c)) {
        sides(row, c, &mut first, out);
        let delta = row.delta(c).0;
        out.extend_from_slice(b",\"delta\":");
        match delta {
            Some(delta) => cell::exact(out, delta),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"per_s\":");
        match delta.and_then(|d| crate::diff::rate::per_second(d, verdict.covered_s)) {
            Some(rate) => cell::rate(out, rate),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"},\"gauges\":{");
    first = true;
    for &c in &layout.gauges {
        sides(row, c, &mut first, out);
        out.extend_from_slice(b",\"change\":");
        match row.change(c) {
            Some(change) => cell::change(out, change, columns[c].ty),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"},\"notes\":[");
    for (at, note) in reasons(row, layout).iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(note, out);
    }
    out.extend_from_slice(b"]}");
}

/// Opens a cell with its name and its values on both sides.
fn sides(row: DiffRow<'_>, column: usize, first: &mut bool, out: &mut Vec<u8>) {
    let ty = row.view().columns[column].ty;
    if !std::mem::take(first) {
        out.push(b',');
    }
    string(row.column(column), out);
    out.extend_from_slice(b":{\"before\":");
    value(row.value_before(column), ty, out);
    out.extend_from_slice(b",\"after\":");
    value(row.value_after(column), ty, out);
}

fn cells(row: DiffRow<'_>, columns: &[usize], out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, &c) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(row.column(c), out);
        out.push(b':');
        value(value_of(row, c), row.view().columns[c].ty, out);
    }
    out.push(b'}');
}

fn value(value: Value<'_>, ty: Type, out: &mut Vec<u8>) {
    if let Value::Bool(b) = value {
        out.extend_from_slice(if b { b"true" } else { b"false" });
    } else if !cell::number(out, value, ty) {
        match cell::text(value, ty) {
            Some(text) => string(&text, out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

fn seconds(seconds: Option<f64>, out: &mut Vec<u8>) {
    match seconds {
        Some(s) => cell::float(out, s),
        None => out.extend_from_slice(b"null"),
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}
