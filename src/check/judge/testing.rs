//! Servers made of literal rows, and what becomes of expectations of them.

use super::{Node, judge};
use crate::advisor::{self, Config};
use crate::check::Policy;
use crate::diff;
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// A server with these snapshots.
pub(in crate::check) fn node(snapshots: &[Arc<Snapshot>]) -> Node<'static> {
    let chain = diff::chain(snapshots.to_vec(), &diff::Options::default()).expect("a chain");
    let chain: &'static diff::Chain = Box::leak(Box::new(chain));
    let advice = Box::leak(Box::new(advisor::run(chain, &Config::default())));
    Node { name: "server".to_owned(), chain, advice }
}

/// `pass: what was found` of the only line of a policy.
pub(in crate::check) fn said(node: &Node<'_>, policy: &str) -> String {
    let policy = Policy::parse(policy, "policy.toml").unwrap_or_else(|e| panic!("{policy}: {e}"));
    let lines: Vec<_> = policy.items.iter().flat_map(|item| judge(item, node, &[])).collect();
    let [line] = lines.as_slice() else { panic!("not one line: {lines:?}") };
    format!("{}: {}", line.outcome.words(), line.found)
}
