//! Files to snapshots.

mod inspect;
mod lab;
pub mod model;
mod samples;
