//! What a cell or a column says beside its words and numbers: how an area stands, which way is good, what orders a table.

use serde::{Deserialize, Serialize};

/// How an area stands in which nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AreaState {
    /// Its checks ran and found nothing.
    Good,
    /// Too few of its checks ran to call it good; those that ran found nothing.
    PartlyAssessed,
    /// None of its checks could run.
    NotAssessed,
}

/// What a change means, where the measure has a good direction and the change is more than noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The good direction.
    Better,
    /// The bad direction.
    Worse,
}

impl Meaning {
    /// Of a change of something of which less is better; `None` where nothing changed.
    pub fn of_less(change: f64) -> Option<Self> {
        (change != 0.0).then_some(if change > 0.0 { Self::Worse } else { Self::Better })
    }

    /// `better`, `worse`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
        }
    }
}

/// How the rows of a table are ordered by a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The smallest first.
    Ascending,
    /// The largest first; bounds and what is unknown come last.
    Descending,
}
