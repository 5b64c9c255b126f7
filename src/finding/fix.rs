//! A cure: what it does, to what, and what can go wrong.

use crate::text::Text;
use serde::{Deserialize, Serialize};

/// How much harm a statement can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Risk {
    /// Read-only.
    R0,
    /// Online.
    R1,
    /// Blocking lock, rewrite or heavy I/O.
    R2,
    /// Destroys something.
    R3,
}

/// What a statement does, for the header of its block and for the consistency pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Only looks.
    Diagnose,
    /// Changes a setting of the server, a role or a table.
    Set,
    /// Creates something.
    Create,
    /// Drops something.
    Drop,
    /// VACUUM, ANALYZE, REINDEX.
    Maintain,
    /// Ends a session, cancels, rolls back a prepared transaction.
    End,
    /// Any other change of schema or data.
    Alter,
}

/// A cure: SQL that the program prints and never runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fix {
    /// What it does.
    pub verb: Verb,
    /// What it acts on, as in [`Subject::name`]; the consistency pass compares these.
    pub object: String,
    /// The statements, identifiers quoted.
    pub sql: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// The lock it takes, or "no lock".
    pub lock: String,
    /// When not to do this; mandatory unless `risk` is `R0`.
    pub when_not: Option<Text>,
    /// The statement that undoes it.
    pub undo: Option<String>,
    /// Objects that must stay for this to be right (the kept twin of a dropped index), as in [`Subject::name`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<String>,
    /// Whether it stands instead of the statement before it: one of them is run, never both, and the plan has the other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instead: bool,
    /// Of an index that is created or dropped, for the consistency pass.
    #[serde(skip)]
    pub leads: Option<Leads>,
    /// Of a setting of a role, for the plan.
    #[serde(skip)]
    pub role_setting: Option<RoleSetting>,
}

/// A value for a setting in the sessions of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSetting {
    /// The setting.
    pub name: String,
    /// The role; `None` where no dump names it.
    pub role: Option<String>,
    /// The value as `ALTER ROLE` takes it, without quotes.
    pub value: String,
}

/// What an index is sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leads {
    /// Its table, as SQL.
    pub table: String,
    /// What it is sorted by first: a column, else an expression.
    pub first: String,
    /// All keys as SQL; empty where it is dropped.
    pub keys: String,
    /// What follows the keys: `INCLUDE` and `WHERE`.
    pub more: String,
}
