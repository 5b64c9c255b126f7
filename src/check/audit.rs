//! The result: a line an expectation and server.

use super::judge::{self, Node, Verdict};
use super::policy::{Item, Policy, Role};
use crate::finding::{Evidence, Severity};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the JSON form.
pub const SCHEMA: u32 = 1;

/// What became of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is met.
    Pass,
    /// It is not met.
    Fail,
    /// The dump does not say.
    NotAssessable,
}

impl Outcome {
    /// The words that are printed.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotAssessable => "not assessable",
        }
    }
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Version of this form: [`SCHEMA`].
    pub schema: u32,
    /// `pgretro 0.1.0`.
    pub generator: String,
    /// The policy.
    pub policy: PolicyFile,
    /// The servers it was held against.
    pub nodes: Vec<AuditedNode>,
    /// How many lines passed, failed, could not be assessed.
    pub counts: Counts,
    /// Whether lines that cannot be assessed count as failed.
    pub strict: bool,
    /// The lines, in the order of the policy, then of the servers.
    pub lines: Vec<Line>,
}

/// The policy of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Its name.
    pub name: String,
    /// What it is for, where it says.
    pub about: String,
    /// Its file, as given.
    pub file: String,
    /// SHA-256 of its text, hexadecimal.
    pub sha256: String,
}

/// A server of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditedNode {
    /// The name it is told by.
    pub name: String,
    /// Its role, where the dump says.
    pub role: Option<Role>,
    /// Its version, where the dump says: `15.18`.
    pub version: Option<String>,
    /// The exporting session's database, where the dump says.
    pub database: Option<String>,
    /// When its last snapshot was taken.
    pub taken_at: Option<Timestamp>,
}

/// How many lines ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Met.
    pub pass: usize,
    /// Not met.
    pub fail: usize,
    /// The dump does not say.
    pub not_assessable: usize,
}

/// One expectation against one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The id of the expectation.
    pub id: String,
    /// `setting`, `version`, `view`, `rule`, `extension`.
    pub kind: String,
    /// What is expected, in words.
    pub expected: String,
    /// The server; `None` where none of the role is among the dumps.
    pub node: Option<String>,
    /// The only role the expectation holds for, where it does.
    pub role: Option<Role>,
    /// What became of it.
    pub outcome: Outcome,
    /// How bad it is where it is not met.
    pub severity: Severity,
    /// What was found, or why nothing can be said.
    pub found: String,
    /// Why it is expected, where the policy says.
    pub reason: String,
    /// Where it was read; empty where nothing was.
    pub evidence: Vec<Evidence>,
    /// Line of the expectation in the policy.
    pub policy_line: usize,
    /// Its column there.
    pub policy_column: usize,
}

impl Audit {
    /// Whether something is not as the policy wants it.
    pub const fn fails(&self) -> bool {
        self.counts.fail > 0 || (self.strict && self.counts.not_assessable > 0)
    }
}

/// Holds a policy against servers.
pub fn audit(policy: &Policy, file: PolicyFile, nodes: &[Node<'_>], strict: bool) -> Audit {
    let mut lines = Vec::new();
    for (at, item) in policy.items.iter().enumerate() {
        let before = lines.len();
        for node in nodes {
            match (item.role, node.role()) {
                (Some(wanted), Some(role)) if wanted != role => {}
                (Some(_), None) => {
                    let why = "the dump does not say whether the server is a primary or a standby";
                    lines.push(line(item, Some(node), Verdict::unknown(item.what.to_string(), why)));
                }
                _ => {
                    let earlier = policy.items.get(..at).unwrap_or_default();
                    lines.extend(judge::judge(item, node, earlier).into_iter().map(|v| line(item, Some(node), v)));
                }
            }
        }
        if let Some(role) = item.role.filter(|_| lines.len() == before && !nodes.iter().any(|n| n.role() == item.role))
        {
            let why = format!("no {} is among the dumps", role.word());
            lines.push(line(item, None, Verdict::unknown(item.what.to_string(), why)));
        }
    }
    let count = |outcome| lines.iter().filter(|l| l.outcome == outcome).count();
    Audit {
        schema: SCHEMA,
        generator: format!("pgretro {}", env!("CARGO_PKG_VERSION")),
        policy: file,
        nodes: nodes.iter().map(Node::describe).collect(),
        counts: Counts {
            pass: count(Outcome::Pass),
            fail: count(Outcome::Fail),
            not_assessable: count(Outcome::NotAssessable),
        },
        strict,
        lines,
    }
}

fn line(item: &Item, node: Option<&Node<'_>>, verdict: Verdict) -> Line {
    Line {
        id: verdict.id.unwrap_or_else(|| item.id.clone()),
        kind: item.what.kind().to_owned(),
        expected: verdict.expected,
        node: node.map(|n| n.name.clone()),
        role: item.role,
        outcome: verdict.outcome,
        severity: item.severity.or(verdict.severity).unwrap_or(Severity::Medium),
        found: verdict.found,
        reason: item.reason.clone(),
        evidence: verdict.evidence,
        policy_line: item.place.line,
        policy_column: item.place.column,
    }
}
