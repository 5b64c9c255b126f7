//! What the planner knows: pg_stats and extended statistics.

use super::{Epoch, Origin, Shape, Type, View, array, gauge, id, id_text, label};
use crate::unit::Unit::{Bytes, Plain, Share};
use crate::version::Majors;

/// Distribution of each column, as ANALYZE saw it.
pub const PG_STATS: View = View {
    name: "pg_stats",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["schemaname", "tablename", "attname", "inherited"],
    fallback_key: &["schemaname", "tablename", "attname"],
    telling: "null_frac",
    about: "Distribution of each column, as ANALYZE saw it",
    columns: &[
        id_text("schemaname", "Schema"),
        id_text("tablename", "Table name"),
        id_text("attname", "Column name"),
        id("inherited", "Includes child tables").typed(Type::Bool),
        gauge("null_frac", Share, "Share of NULL").typed(Type::Float),
        gauge("avg_width", Bytes, "Mean width"),
        gauge("n_distinct", Plain, "Distinct values; negative: distinct values divided by rows, with a minus")
            .typed(Type::Float),
        array("most_common_vals", "Most common values"),
        array("most_common_freqs", "Their shares"),
        array("histogram_bounds", "Values that divide the rest into equal parts"),
        gauge("correlation", Plain, "Correlation of physical and logical order, -1 to 1").typed(Type::Float),
        array("most_common_elems", "Most common elements of arrays"),
        array("most_common_elem_freqs", "Their shares"),
        array("elem_count_histogram", "Histogram of the number of distinct elements"),
        array("range_length_histogram", "Histogram of the lengths of ranges").since(17),
        gauge("range_empty_frac", Share, "Share of empty ranges").typed(Type::Float).since(17),
        array("range_bounds_histogram", "Histogram of the bounds of ranges").since(17),
    ],
};

/// Extended statistics objects.
pub const PG_STATS_EXT: View = View {
    name: "pg_stats_ext",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["statistics_schemaname", "statistics_name", "inherited"],
    fallback_key: &["statistics_schemaname", "statistics_name"],
    telling: "statistics_name",
    about: "Extended statistics objects",
    columns: &[
        label("schemaname", "Schema"),
        label("tablename", "Table name"),
        id_text("statistics_schemaname", "Schema of the statistics object"),
        id_text("statistics_name", "Name of the statistics object"),
        label("statistics_owner", "Owner"),
        array("attnames", "Columns"),
        array("exprs", "Expressions").since(14),
        array("kinds", "Kinds of statistics"),
        id("inherited", "Includes child tables").typed(Type::Bool).since(15),
        array("n_distinct", "Distinct combinations"),
        array("dependencies", "Functional dependencies"),
        array("most_common_vals", "Most common combinations"),
        array("most_common_val_nulls", "Which of their values are NULL"),
        array("most_common_freqs", "Their shares"),
        array("most_common_base_freqs", "The shares if the columns were independent"),
    ],
};

/// Statistics of expressions in extended statistics objects.
pub const PG_STATS_EXT_EXPRS: View = View {
    name: "pg_stats_ext_exprs",
    also: &[],
    origin: Origin::Server,
    shape: Shape::State,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors { since: 14, until: None },
    key: &["statistics_schemaname", "statistics_name", "expr", "inherited"],
    fallback_key: &["statistics_schemaname", "statistics_name", "expr"],
    telling: "expr",
    about: "Statistics of expressions in extended statistics objects",
    columns: &[
        label("schemaname", "Schema").since(14),
        label("tablename", "Table name").since(14),
        id_text("statistics_schemaname", "Schema of the statistics object").since(14),
        id_text("statistics_name", "Name of the statistics object").since(14),
        label("statistics_owner", "Owner").since(14),
        id_text("expr", "Expression").since(14),
        id("inherited", "Includes child tables").typed(Type::Bool).since(15),
        gauge("null_frac", Share, "Share of NULL").typed(Type::Float).since(14),
        gauge("avg_width", Bytes, "Mean width").since(14),
        gauge("n_distinct", Plain, "Distinct values; negative: distinct values divided by rows, with a minus")
            .typed(Type::Float)
            .since(14),
        array("most_common_vals", "Most common values").since(14),
        array("most_common_freqs", "Their shares").since(14),
        array("histogram_bounds", "Values that divide the rest into equal parts").since(14),
        gauge("correlation", Plain, "Correlation of physical and logical order, -1 to 1").typed(Type::Float).since(14),
        array("most_common_elems", "Most common elements of arrays").since(14),
        array("most_common_elem_freqs", "Their shares").since(14),
        array("elem_count_histogram", "Histogram of the number of distinct elements").since(14),
    ],
};
