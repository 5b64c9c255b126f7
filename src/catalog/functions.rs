//! Functions: calls and times.

use super::{Epoch, Origin, Shape, Type, View, counter, duration, gauge, id, label};
use crate::unit::Unit::{Count, Ms};
use crate::version::Majors;

/// Calls of each function, with track_functions.
pub const PG_STAT_USER_FUNCTIONS: View = View {
    name: "pg_stat_user_functions",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Database,
    per_database: true,
    majors: Majors::ALL,
    key: &["funcid"],
    fallback_key: &["schemaname", "funcname"],
    telling: "total_time",
    about: "Calls of each function, with track_functions",
    columns: &[
        id("funcid", "OID of the function"),
        label("schemaname", "Schema"),
        label("funcname", "Function name"),
        counter("calls", Count, "Calls; inlined SQL functions are not counted"),
        duration("total_time", "Time in it and in what it called"),
        duration("self_time", "Time in it alone"),
    ],
};

/// What the exporting transaction itself called.
pub const PG_STAT_XACT_USER_FUNCTIONS: View = View {
    name: "pg_stat_xact_user_functions",
    also: &[],
    origin: Origin::Server,
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["funcid"],
    fallback_key: &["schemaname", "funcname"],
    telling: "total_time",
    about: "What the exporting transaction itself called",
    columns: &[
        id("funcid", "OID of the function"),
        label("schemaname", "Schema"),
        label("funcname", "Function name"),
        gauge("calls", Count, "Calls in this transaction"),
        gauge("total_time", Ms, "Time in it and in what it called").typed(Type::Float),
        gauge("self_time", Ms, "Time in it alone").typed(Type::Float),
    ],
};
