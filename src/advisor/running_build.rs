//! Builds of indexes that may be running: an unfinished index looks like one that was left behind.

use super::Context;
use super::cure::commented;
use crate::finding::{Confidence, Finding, Fix};

/// Builds that are running.
pub const LOOK: &str = "SELECT pid, phase, relid::regclass, index_relid::regclass FROM pg_stat_progress_create_index;";

/// Whether an index of a table was being built at the time of the last snapshot.
pub fn is_running(cx: &Context<'_>, relid: Option<i64>) -> bool {
    cx.last("pg_stat_progress_create_index")
        .is_some_and(|t| t.iter().any(|r| relid.is_some() && r.int("relid") == relid))
}

/// Whether the dump could not show it: the view is missing, or it is of a standby, which has the unfinished index of its
/// primary and no progress (seen on PostgreSQL 15).
pub fn is_unseen(cx: &Context<'_>) -> bool {
    cx.is_standby() == Some(true) || cx.last("pg_stat_progress_create_index").is_none()
}

/// A finding on an unfinished index where a build cannot be seen: less sure, and first of all one looks.
pub fn look_first(finding: Finding, object: &str) -> Finding {
    finding
        .at_most(Confidence::Medium)
        .not("Whether it is being built just then cannot be seen in this dump: a running build looks the same.")
        .fix(Fix::diagnose(object, format!("{LOOK}\n-- on the primary, in this database")))
}

/// A cure that is not ready to run: it would break off a build that is (seen on PostgreSQL 15, which finds a deadlock).
pub fn unless_running(fix: Fix) -> Fix {
    let sql = format!("{LOOK}\n-- only where it shows no build of this index:\n{}", commented(&fix.sql));
    Fix { sql, ..fix }
}
