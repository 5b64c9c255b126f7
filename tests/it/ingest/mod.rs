//! Files to snapshots.

mod cuts;
mod hostile;
mod inspect;
mod lab;
pub mod model;
mod samples;
mod written;
