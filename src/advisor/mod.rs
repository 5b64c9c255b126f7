//! The advisor: rules over a chain of snapshots; what they found, scored, made consistent, turned into a plan.
//!
//! A rule is a constant: identity, needs, thresholds, documentation, a check. It gets a [`Context`] and nothing else.
//! An unmet need becomes [`Outcome::Skipped`](crate::finding::Outcome) before the check runs; no rule looks at a
//! version to see what exists.
//!
//! ```text
//! Chain ──► Facts ──► Context ──► check ──► findings ──► exceptions, configured severities ──► scores
//!                                                                                        └──► plan, made consistent
//! ```

mod age;
mod bloat;
mod build;
mod carried;
mod category;
mod causes;
pub mod checkpoint;
mod checkpoints;
mod cluster;
mod config;
mod consistency;
mod contention;
mod context;
mod cure;
mod facts;
mod fold;
pub mod functions;
pub mod handbook;
mod hba;
mod held_back;
mod horizon;
pub mod index;
mod index_cure;
mod index_facts;
mod index_use;
mod key_checks;
mod key_cure;

pub mod indexdef;
pub mod lifetime;
mod lock_edges;
mod lock_mode;
mod lock_waits;
mod longer;
mod numbers;
mod overdue;
mod partition_key;
mod peers;
mod plan;
pub mod plans;
mod prepared;
mod releases;
mod restarted;
mod rule;
pub mod rules;
mod run;
mod running_build;
mod score;
#[cfg(test)]
mod score_tests;
pub mod secret;
mod sequence_cure;
mod sequences;
mod server_settings;
mod sessions;
mod settings;
mod shapes;
mod sighting;
mod since;
mod since_set;
mod slots;
mod span;
pub mod sql;
pub mod statement;
mod suited;
mod table_facts;
#[cfg(test)]
pub mod testing;
mod then_now;
mod too_early;
mod trigger;
mod vacuum_cost;
mod vacuum_cure;
mod wait_tree;
mod workload;
mod wrap_ages;
mod wrap_limits;
mod wrap_rate;

pub use age::{CounterAge, StatisticsAge};
pub use build::ratio;
pub use category::Category;
pub use config::{Config, Ignore, Level, Options, RuleConfig, Storage, fits, seconds};
pub use consistency::Withdrawn;
pub use context::{Context, State, label, rows_of, show, show_counted, state, whole};
pub use facts::Facts;
pub use index_facts::IndexFact;
pub use lock_mode::LockMode;
pub use peers::{Elsewhere, Peer, Peers};
pub use plan::{PlannedAction, When};
pub use prepared::told as prepared_as_told;
pub use restarted::Restarted;
pub use rule::{Check, Checked, Docs, Need, Rule, Skip, Threshold};
pub use run::{Advice, Judged, Suppressed, run, run_among, run_cluster};
pub use score::{AreaScore, Deduction, Score};
pub use sessions::{is_client, is_telling};
pub use settings::{Setting, SettingSource, setting};
pub use since::Since;
pub use table_facts::{TableFact, is_system_schema};
pub use then_now::{split, welch_t};
pub use trigger::{AutovacuumSettings, DeadRows, Triggers, counted_anew};
pub use wait_tree::{Holder, Target, WaitTree, Waiter, wait_trees};
pub use workload::{Recorded, is_nested};
