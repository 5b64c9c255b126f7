//! Files to snapshots.

mod lab;
pub mod model;
mod samples;
