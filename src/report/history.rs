//! What a report has of a history beside the chain: every object followed, and the database as a whole.

use super::pulse::Pulse;
use crate::diff::{self, Chain};
use crate::error::Result;
use crate::meta::Meta;
use crate::time::Timestamp;
use crate::trend::{self, Follow, Plan};

/// Every object followed through the snapshots, and the database as a whole.
#[derive(Debug)]
pub struct History {
    /// The objects.
    pub follow: Follow,
    /// The database.
    pub pulse: Pulse,
}

impl History {
    /// That of a chain whose snapshots are all kept.
    ///
    /// # Errors
    /// As [`diff::diff`], for windows over snapshots that lack a view.
    pub fn of(chain: &Chain) -> Result<Self> {
        let plan = Plan { followed: trend::for_report(), objects: Vec::new(), watched: true };
        // Servers laid side by side were accepted, or refused, when the chain was formed.
        let options = diff::Options { allow_different_servers: true, ..diff::Options::default() };
        let follow = Follow::of_chain(chain, plan, &options)?;
        Ok(Self { follow, pulse: Pulse::of(chain) })
    }
}

/// Snapshots that were given and are not of the history that is reported on: of another node, of another database.
#[derive(Clone, Debug)]
pub struct Aside {
    /// What the last of them says of itself.
    pub server: Meta,
    /// How many they are.
    pub snapshots: usize,
    /// The first one's time.
    pub from: Option<Timestamp>,
    /// The last one's.
    pub to: Option<Timestamp>,
}
