//! One expectation against one server.

mod extension;
mod rule;
mod setting;
#[cfg(test)]
pub(in crate::check) mod testing;
mod version;
mod view;

use super::audit::{AuditedNode, Outcome};
use super::policy::{Item, Role, What};
use crate::advisor::{self, Advice};
use crate::diff::Chain;
use crate::finding::{Evidence, Locator, Severity};
use crate::snapshot::{Row, Table};
use crate::unit::{Quantity, Unit};
use crate::version::PgVersion;
use std::fmt;

/// A server: its snapshots, and what the advisor says of them.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The name it is told by.
    pub name: String,
    /// Its snapshots.
    pub chain: &'a Chain,
    /// What the advisor says.
    pub advice: &'a Advice,
}

/// What became of an expectation.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    /// An id of its own, where one expectation makes several lines.
    pub(super) id: Option<String>,
    /// What is expected, in words.
    pub(super) expected: String,
    /// What became of it.
    pub(super) outcome: Outcome,
    /// What was found, or why nothing can be said.
    pub(super) found: String,
    /// How bad it is, where that follows from what was found.
    pub(super) severity: Option<Severity>,
    /// Where it was read.
    pub(super) evidence: Vec<Evidence>,
}

impl Verdict {
    fn new(expected: impl Into<String>, outcome: Outcome, found: impl Into<String>) -> Self {
        let (expected, found) = (expected.into(), found.into());
        Self { id: None, expected, outcome, found, severity: None, evidence: Vec::new() }
    }

    /// Met or not.
    fn met(expected: impl Into<String>, met: bool, found: impl Into<String>) -> Self {
        Self::new(expected, if met { Outcome::Pass } else { Outcome::Fail }, found)
    }

    /// Nothing can be said.
    pub(super) fn unknown(expected: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(expected, Outcome::NotAssessable, why)
    }

    /// With where it was read.
    fn read_from(mut self, evidence: Option<Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// An expectation against a server; `earlier` are the expectations before it in the policy. Most make one line.
pub(super) fn judge(item: &Item, node: &Node<'_>, earlier: &[Item]) -> Vec<Verdict> {
    let expected = item.what.to_string();
    match &item.what {
        What::Setting { name, expect } => vec![setting::judge(node, name, expect, expected)],
        What::AtLeast(releases) => vec![version::at_least(node, releases, expected)],
        What::SupportedFor(seconds) => vec![version::supported(node, *seconds, expected)],
        What::View(view) => vec![view::judge(node, view, expected)],
        What::Rule { pattern, at_most } => rule::judge(item, node, earlier, pattern, *at_most),
        What::OnlyExtensions(allowed) => vec![extension::only(node, allowed, expected)],
        What::NeedsExtension(needed) => vec![extension::needs(node, needed, expected)],
        What::ForbidsExtension(name) => vec![extension::forbids(node, name, expected)],
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, expect } => {
                let all: Vec<String> = expect.iter().map(ToString::to_string).collect();
                write!(f, "{name} {}", all.join(" and "))
            }
            Self::AtLeast(releases) => {
                let all: Vec<String> = releases.iter().map(|r| release(*r)).collect();
                write!(f, "PostgreSQL {} or a later release of that major version", all.join(", "))
            }
            Self::SupportedFor(seconds) if *seconds > 0.0 => {
                let days = Quantity::float(*seconds, Unit::Seconds).map_or_else(String::new, Quantity::human);
                write!(f, "major version supported for {days} more")
            }
            Self::SupportedFor(_) => f.write_str("major version still supported"),
            Self::View(view) => write!(f, "{} exported", view.name),
            Self::Rule { pattern, at_most: Some(severity) } => {
                write!(f, "{pattern}: no finding above {}", severity.word())
            }
            Self::Rule { pattern, at_most: None } => write!(f, "{pattern}: no finding"),
            Self::OnlyExtensions(allowed) => {
                let all: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                write!(f, "no extensions but {}", all.join(", "))
            }
            Self::NeedsExtension(needed) => write!(f, "extension {needed} installed"),
            Self::ForbidsExtension(name) => write!(f, "extension {name} not installed"),
        }
    }
}

/// `17.4`; a first release as its major version alone.
fn release(version: PgVersion) -> String {
    if version.minor() == 0 { version.major().to_string() } else { version.to_string() }
}

impl<'a> Node<'a> {
    /// Its role, where the dump says.
    pub fn role(&self) -> Option<Role> {
        let standby = self.chain.last().meta.in_recovery?;
        Some(if standby { Role::Standby } else { Role::Primary })
    }

    /// What a result says of it.
    pub(super) fn describe(&self) -> AuditedNode {
        let meta = &self.chain.last().meta;
        AuditedNode {
            name: self.name.clone(),
            role: self.role(),
            version: meta.version.map(|v| v.to_string()),
            database: meta.database.clone(),
            taken_at: meta.taken_at,
        }
    }

    /// Where rows stand in the user's files.
    fn cite(&self, rows: &[Row<'a>], columns: &[&str]) -> Option<Evidence> {
        let first = rows.first()?;
        let locators = rows.iter().filter_map(|row| self.locate(*row)).collect();
        Some(Evidence {
            view: first.table().name.clone(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            object: String::new(),
            locators,
            formula: None,
        })
    }

    fn locate(&self, row: Row<'a>) -> Option<Locator> {
        let name = row.table().name.as_str();
        let is_it = |t: &Table| std::ptr::eq(t, row.table());
        let at = self.chain.snapshots.iter().rposition(|s| s.table(name).is_some_and(|t| is_it(t)))?;
        let (file, place) = row.place()?;
        Some(Locator { snapshot: advisor::label(self.chain, at), file: file.to_owned(), place })
    }

    /// The `meta` row of the last snapshot.
    fn meta(&self, columns: &[&str]) -> Option<Evidence> {
        let table = self.chain.last().table("meta")?;
        self.cite(&table.iter().take(1).collect::<Vec<_>>(), columns)
    }
}
