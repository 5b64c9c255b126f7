//! Files to snapshots.

mod archives;
mod cells;
mod cuts;
mod formats;
mod hostile;
mod inspect;
mod lab;
pub mod model;
mod samples;
mod written;
