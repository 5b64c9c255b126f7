//! What PostgreSQL exports, as data: every view and column with its kind, unit, versions and old names.
//!
//! One line a column, one file a view family. To add a column that PostgreSQL added or renamed, open the family's file;
//! the truth test against `fixtures/columns/` lists what is missing.

mod column;
mod view;

pub use column::{
    Column, Kind, Moved, Type, array, constant, counter, duration, gauge, high_water, id, label, low_water, moment,
    reset, self_resetting, sum, time,
};
pub use view::{Epoch, Shape, View};

/// Every view the catalog knows, in the order reports list them.
pub const VIEWS: &[&View] = &[];

/// The view with this name; names that PostgreSQL uses for a wider or narrower set of the same rows count
/// (`pg_stat_all_tables` is `pg_stat_user_tables`).
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().copied().find(|v| v.name == name || v.also.contains(&name))
}
