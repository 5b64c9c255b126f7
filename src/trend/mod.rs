//! Histories: every object followed through all snapshots of a server, one snapshot after the other.
//!
//! * `math`, `fit`, `confidence`: numbers in, a slope with its interval, its significance and the word for it out
//! * `series`, `activity`: the state of one column of one object; no rows, no files, mergeable
//! * `measures`: which columns are followed
//! * `follow`, `objects`, `object`: steps of a history, as subtracted snapshots, into those states
//! * `calm`: the same without subtracting rows that simply go on
//! * `lineage`, `read`: which snapshots of a mixed lot are one history, read one at a time
//! * `summary`: what is said of a series
//! * `watch`, `trigger`, `threshold`, `sawtooth`, `statements`: what else is kept while a history is read
//! * `pace`, `forecast`, `scans`, `outlook`: what is said of a history

pub mod activity;
mod calm;
pub mod confidence;
pub mod fit;
mod follow;
pub mod forecast;
pub mod lineage;
pub mod math;
mod measures;
mod object;
mod objects;
pub mod outlook;
pub mod pace;
pub mod read;
pub mod sawtooth;
pub mod scans;
mod series;
pub mod statements;
mod summary;
pub mod threshold;
pub mod trigger;
pub mod watch;
pub mod words;

pub use confidence::Confidence;
pub use fit::Fit;
pub use follow::{Follow, Happening, Plan};
pub use measures::{Followed, choose, for_report, measure};
pub use object::{Key, LOOKS, Object, Part};
pub use objects::Objects;
pub use series::{Gap, Measure, Segment, Series, Step};
pub use summary::{Change, Summary};

#[cfg(test)]
mod backtest;
