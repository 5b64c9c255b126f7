//! The sections, one file each. Every report has all of them, in this order, with these ids.

mod actions;
mod bench;
mod changed;
mod connections;
mod coverage;
mod evidence;
mod findings;
mod functions;
mod glossary;
mod heat;
mod indexes;
mod io;
mod locks;
mod outlook;
mod overview;
mod plan;
mod plans;
mod pre;
mod provenance;
mod queries;
#[cfg(test)]
mod secret_tests;
mod settings;
mod sql;
mod tables;
pub(super) mod timeline;
mod trends;
mod unjudged;
mod vacuum;
mod verdict;

pub(super) use provenance::server;
pub(super) use unjudged::unjudged;

use super::draft::{Body, Draft};
use crate::error::Result;

/// The text of a statement or session, for printing.
fn statement_text(row: crate::snapshot::Row<'_>) -> Option<&str> {
    row.text("query").map(crate::advisor::secret::shown)
}

/// A section: its place in the report and what it is made from.
#[derive(Clone, Copy, Debug)]
pub struct SectionKind {
    /// The anchor.
    pub id: &'static str,
    /// The heading; empty: the database's name.
    pub title: &'static str,
    /// The views it shows: what a missing one disables is computed from this.
    pub views: &'static [&'static str],
    pub(super) write: fn(&mut Draft<'_>) -> Result<Body>,
}

/// Every section, in order.
pub const SECTIONS: &[SectionKind] = &[
    SectionKind { id: "verdict", title: "", views: &[], write: verdict::write },
    SectionKind { id: "actions", title: "Top 3 actions", views: &[], write: actions::write },
    SectionKind { id: "overview", title: "Overview tables", views: &[], write: overview::write },
    SectionKind { id: "coverage", title: "Provenance and coverage", views: &["meta"], write: coverage::write },
    SectionKind { id: "findings", title: "Findings", views: &[], write: findings::write },
    SectionKind { id: "changed", title: "What changed from A to B", views: &[], write: changed::write },
    SectionKind { id: "trends", title: "Trends and forecasts", views: &[], write: trends::write },
    SectionKind { id: "tables", title: "Tables", views: tables::VIEWS, write: tables::write },
    SectionKind { id: "indexes", title: "Indexes", views: indexes::VIEWS, write: indexes::write },
    SectionKind { id: "queries", title: "Queries and functions", views: queries::VIEWS, write: queries::write },
    SectionKind { id: "vacuum", title: "Vacuum", views: vacuum::VIEWS, write: vacuum::write },
    SectionKind { id: "connections", title: "Connections", views: connections::VIEWS, write: connections::write },
    SectionKind { id: "locks", title: "Locks", views: locks::VIEWS, write: locks::write },
    SectionKind { id: "io", title: "I/O, WAL, checkpoints, replication", views: io::VIEWS, write: io::write },
    SectionKind { id: "settings", title: "Settings", views: settings::VIEWS, write: settings::write },
    SectionKind { id: "plan", title: "Recommendations", views: &[], write: plan::write },
    SectionKind { id: "bench", title: "Benchmarks", views: bench::VIEWS, write: bench::write },
    SectionKind { id: "pre", title: "Before a stress test", views: &[], write: pre::write },
    SectionKind { id: "sql", title: "SQL in run order", views: &[], write: sql::write },
    SectionKind { id: "evidence", title: "Evidence", views: &[], write: evidence::write },
    SectionKind { id: "glossary", title: "Glossary", views: &[], write: glossary::write },
];
