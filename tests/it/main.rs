//! The one integration binary; a module per subject.

// Helpers of tests may fail loudly like the tests themselves; what cannot run on a machine says so.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod advice;
mod arithmetic;
mod browser;
mod catalog;
mod check;
mod cli;
mod diff;
mod evidence;
mod examples;
mod export;
mod fixtures;
mod foreign;
mod functions;
mod golden;
mod hostile;
mod house;
mod ingest;
mod lab_advice;
mod lifecycle;
mod never_said;
mod packed;
mod plans;
mod plant;
mod redact;
mod render;
mod report;
mod report_history;
mod rules;
mod servers;
#[cfg(unix)]
mod signals;
mod statements;
mod templates;
mod traps;
mod trend;
mod trend_ids;
mod trend_scans;
