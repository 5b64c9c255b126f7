//! Patterns of LIKE: parameters in pg_stat_statements, but as they are in the samples of pg_stat_activity.

use super::selectivity::has_prefix;
use crate::advisor::Context;
use crate::advisor::sql::{Names, Operand, Source, Statement, Test, Text, read_all};
use std::collections::{BTreeMap, BTreeSet};

/// Most texts of sessions that are read.
const MAX_TEXTS: usize = 500;

/// For each column that sessions were seen to compare with LIKE, whether every pattern began with fixed letters.
#[derive(Debug, Default)]
pub struct Patterns(BTreeMap<(i64, Operand), bool>);

impl Patterns {
    /// Of all samples in the dump. The patterns themselves are contents of tables: they are neither kept nor shown.
    pub fn seen(cx: &Context<'_>, names: &Names) -> Self {
        let rows = cx.samples("pg_stat_activity").flat_map(|(_, table)| table.iter());
        let likes = |t: &&str| t.to_ascii_lowercase().contains("like");
        let texts: BTreeSet<&str> = rows.filter_map(|r| r.text("query")).filter(likes).take(MAX_TEXTS).collect();
        if texts.is_empty() {
            return Self::default();
        }
        let texts: Vec<Text<'_>> = texts.into_iter().map(|sql| Text { sql, nested: false, path: &[] }).collect();
        let mut out = Self::default();
        for statement in read_all(&texts, names).into_iter().flatten() {
            for (key, pattern) in likes_of(&statement) {
                if let Some(pattern) = pattern {
                    let all = out.0.entry(key).or_insert(true);
                    *all = *all && has_prefix(&pattern);
                }
            }
        }
        out
    }

    /// A statement with its unknown patterns taken for prefixes where all that were seen are.
    pub fn fill_in(&self, statement: &mut Statement) {
        if self.0.is_empty() {
            return;
        }
        for block in &mut statement.blocks {
            let sources: Vec<Source> = block.relations.iter().map(|r| r.source).collect();
            for term in block.terms.iter_mut().filter(|t| t.test == Test::Like(None)) {
                if let Some(Source::Table(relid)) = sources.get(term.relation)
                    && self.0.get(&(*relid, term.operand.clone())) == Some(&true)
                {
                    term.test = Test::Prefix;
                }
            }
        }
    }
}

fn likes_of(statement: &Statement) -> Vec<((i64, Operand), Option<String>)> {
    let of_block = |block: &crate::advisor::sql::Block| {
        let found =
            block.terms.iter().filter_map(|term| match (&term.test, block.relations.get(term.relation)?.source) {
                (Test::Like(pattern), Source::Table(relid)) => Some(((relid, term.operand.clone()), pattern.clone())),
                _ => None,
            });
        found.collect::<Vec<_>>()
    };
    statement.blocks.iter().flat_map(of_block).collect()
}
