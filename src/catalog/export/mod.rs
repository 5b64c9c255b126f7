//! The psql script that makes a dump, generated from the catalog: what is asked for is what can be read.

mod definitions;
mod helpers;
mod prelude;
mod script;
mod steps;

pub use script::script;
pub use steps::LEFT_OUT;

/// How the script writes files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// CSV as COPY writes it.
    Csv,
    /// One JSON array a file, one row a line.
    Json,
}

/// What the script is to do.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How it writes files.
    pub format: FileFormat,
    /// The only major it has to run on; without it adapts to the server.
    pub major: Option<u8>,
    /// Whether texts of statements are exported.
    pub query_text: bool,
}

/// The query of one of our views, or of one of the server's that would lock: an expression per column, in any order, and what they are taken from.
struct Query {
    /// The view's name.
    view: &'static str,
    /// `(column, expression)`; columns that a version lacks are left out by the catalog's versions.
    columns: &'static [(&'static str, &'static str)],
    /// `(column, expression)` of a second try where a lock made the first one fail: what needs no lock, or NULL.
    locking: &'static [(&'static str, &'static str)],
    /// Common table expressions that only the locking columns need, without `with`; may be empty.
    with: &'static str,
    /// From `from` on, without the condition; may be empty.
    from: &'static str,
    /// Joins that only the locking columns need.
    locking_joins: &'static str,
    /// The condition, from `where` on; may be empty.
    filter: &'static str,
}

/// The query of one of our views, or of one of the server's that must not be read as it is.
fn query(view: &str) -> Option<&'static Query> {
    helpers::QUERIES.iter().chain(definitions::QUERIES).find(|q| q.view == view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Origin, VIEWS};
    use std::collections::BTreeSet;

    #[test]
    fn every_view_of_ours_has_its_query() {
        for query in helpers::QUERIES.iter().chain(definitions::QUERIES) {
            let view = crate::catalog::view(query.view).unwrap_or_else(|| panic!("{} is unknown", query.view));
            let asked: BTreeSet<&str> = query.columns.iter().map(|(name, _)| *name).collect();
            let known: BTreeSet<&str> = view.columns.iter().map(|c| c.name).collect();
            assert_eq!(asked, known, "{}", view.name);
            assert!(query.locking.iter().all(|(c, _)| known.contains(c)), "{}", view.name);
        }
        for view in VIEWS.iter().filter(|v| v.origin == Origin::Export) {
            assert!(query(view.name).is_some(), "{} has no query", view.name);
        }
    }

    #[test]
    fn every_view_is_exported_or_left_out_for_a_reason() {
        let exported: BTreeSet<&str> = steps::STEPS.iter().map(|s| s.view).collect();
        let left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(view, _)| *view).collect();
        assert!(exported.is_disjoint(&left_out));
        let all: BTreeSet<&str> = VIEWS.iter().map(|v| v.name).collect();
        assert_eq!(exported.union(&left_out).copied().collect::<BTreeSet<_>>(), all);
    }
}
