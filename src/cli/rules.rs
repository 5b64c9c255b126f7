//! `pgretro rules`.

use super::{Status, print};
use crate::advisor::rules::RULES;
use crate::advisor::{Category, handbook};
use crate::error::{Error, Result};
use crate::suggest;
use std::fmt::Write;

/// Arguments of `pgretro rules`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the whole documentation of this rule: what it looks at, how it decides, thresholds, what to do.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Print the documentation of all rules as Markdown: docs/rules.md is made of it.
    #[arg(long, conflicts_with = "id")]
    markdown: bool,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let text = match &args.id {
        Some(id) => {
            let rule = RULES.iter().copied().find(|r| r.id == id).ok_or_else(|| {
                let hint = suggest::hint(id, RULES.iter().map(|r| r.id));
                Error::usage(format!("find the rule `{id}`"), hint)
            })?;
            handbook::rule(rule)
        }
        None if args.markdown => handbook::whole(),
        None => list(),
    };
    print(&text)?;
    Ok(Status::Done)
}

/// One line a rule: id, area, title.
fn list() -> String {
    let width = RULES.iter().map(|r| r.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for category in Category::ALL {
        for rule in RULES.iter().filter(|r| Category::of(r.id) == Some(category)) {
            let _ = writeln!(out, "{:<width$}  {:<12}  {}", rule.id, category.name(), rule.title);
        }
    }
    out
}
