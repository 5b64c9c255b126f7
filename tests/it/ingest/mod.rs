//! Files to snapshots.

mod hostile;
mod inspect;
mod lab;
pub mod model;
mod samples;
