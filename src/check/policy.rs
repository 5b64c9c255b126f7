//! What a policy expects.

use super::expect::Expect;
use crate::catalog::View;
use crate::finding::Severity;
use crate::toml_file::Place;
use crate::version::PgVersion;
use serde::{Deserialize, Serialize};

/// A policy as read from its file.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name, for the heads of results.
    pub name: String,
    /// What it is for, where it says.
    pub about: String,
    /// Whether a line that cannot be assessed counts as failed.
    pub strict: bool,
    /// The expectations, in the order of the file.
    pub items: Vec<Item>,
}

/// One expectation.
#[derive(Clone, Debug)]
pub struct Item {
    /// The id it is known by in results: as given, else made of what it expects.
    pub id: String,
    /// What is expected.
    pub what: What,
    /// Servers of this role only; `None`: all.
    pub role: Option<Role>,
    /// How bad it is where it is not met; `None`: as the findings say, else medium.
    pub severity: Option<Severity>,
    /// Why it is expected, where the policy says.
    pub reason: String,
    /// Where it stands in the file.
    pub place: Place,
}

/// The role of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It replays a primary's WAL.
    Standby,
}

impl Role {
    /// The word that is printed and read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Standby => "standby",
        }
    }
}

/// What an expectation is about.
#[derive(Clone, Debug)]
pub enum What {
    /// A setting has a value.
    Setting {
        /// Its name.
        name: String,
        /// What it is to be; all of it holds.
        expect: Vec<Expect>,
    },
    /// The server's version is one of these majors, and at least that release of it.
    AtLeast(Vec<PgVersion>),
    /// The major version gets fixes for so many seconds more.
    SupportedFor(f64),
    /// A view was exported.
    View(&'static View),
    /// No finding of rules is more severe.
    Rule {
        /// Rule id; `*` stands for any text.
        pattern: String,
        /// The worst severity that is accepted; `None`: no finding at all.
        at_most: Option<Severity>,
    },
    /// No other extensions are installed.
    OnlyExtensions(Vec<ExtensionName>),
    /// This extension is installed.
    NeedsExtension(ExtensionName),
    /// This extension is not installed.
    ForbidsExtension(String),
}

/// An extension, and the least version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionName {
    /// Its name.
    pub name: String,
    /// The least version; `None`: any.
    pub at_least: Option<String>,
}

impl std::fmt::Display for ExtensionName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.at_least {
            Some(version) => write!(f, "{} >= {version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl What {
    /// The word for its kind, the first part of an id.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "setting",
            Self::AtLeast(_) | Self::SupportedFor(_) => "version",
            Self::View(_) => "view",
            Self::Rule { .. } => "rule",
            Self::OnlyExtensions(_) | Self::NeedsExtension(_) | Self::ForbidsExtension(_) => "extension",
        }
    }

    /// What the kind is about: the second part of an id.
    pub fn object(&self) -> String {
        match self {
            Self::Setting { name, .. } | Self::ForbidsExtension(name) => name.clone(),
            Self::AtLeast(_) => "release".to_owned(),
            Self::SupportedFor(_) => "support".to_owned(),
            Self::View(view) => view.name.to_owned(),
            Self::Rule { pattern, .. } => pattern.clone(),
            Self::OnlyExtensions(_) => "allowed".to_owned(),
            Self::NeedsExtension(e) => e.name.clone(),
        }
    }
}
