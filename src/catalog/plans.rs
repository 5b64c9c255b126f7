//! Query plans: no view of the server, but files that stand beside the exports.

use super::{Epoch, Origin, Shape, Type, View, gauge, id, id_text, label, number, time};
use crate::unit::Unit::Ms;
use crate::version::Majors;

/// EXPLAIN output that was handed over.
pub const PLANS: View = View {
    name: "plans",
    also: &[],
    origin: Origin::Given,
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["source", "nr"],
    fallback_key: &[],
    telling: "duration_ms",
    about: "EXPLAIN output: files in plans/, a column plan of any export, auto_explain in the server's log",
    columns: &[
        id_text("source", "File it stands in"),
        id("nr", "Line or row it stands in"),
        label("plan", "The plan, text or JSON"),
        label("query", "Statement, where it stands beside the plan"),
        number("queryid", "Query id, where it is told"),
        label("datname", "Database, where it is told"),
        time("executed_at", "When it ran, where that is told"),
        gauge("duration_ms", Ms, "How long it ran, as the log says").typed(Type::Float),
        label("context", "Functions that ran the statement, innermost first"),
    ],
};
