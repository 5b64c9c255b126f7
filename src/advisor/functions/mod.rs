//! Functions of the database and the statements that run inside of them.
//!
//! ```text
//! bodies ──► pieces ──► canonical texts ─┐
//!                                        ├──► statements of pg_stat_statements that ran inside, each with its functions
//! CONTEXT of logged plans ───────────────┘
//! ```
//!
//! A statement belongs to a function because a logged plan says so, or because its text stands in that body and in no
//! other. A text that stands in several is said to be ambiguous, never shared out.

mod context;
mod function;
mod nested;
mod purity;
mod reading;

pub use context::{Frame, innermost};
pub use function::{Function, sql_signature};
pub use nested::{Evidence, Nested, Owner};
pub use purity::looks_pure;
pub use reading::{Lookup, Read, lookups, names, read_bodies, row_locks};

use super::State;
use super::context::state;
use super::is_system_schema;
use crate::diff::Chain;
use crate::ident::display_qualified;
use crate::snapshot::Row;
use nested::Logged;
use std::collections::HashMap;

/// Bytes of bodies that are read.
const MAX_BYTES: usize = 64 << 20;

/// How much is read.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Bytes of bodies.
    bytes: usize,
    /// Statements inside of functions, the ones with the most time.
    statements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, statements: nested::MAX_STATEMENTS }
    }
}

/// The functions of the dump.
#[derive(Debug, Default)]
pub struct Functions<'a> {
    /// Those that it defines, extensions' and the server's own left out.
    pub all: Vec<Function<'a>>,
    /// Where the definitions are from.
    pub definitions: Option<State<'a>>,
    /// Statements that ran inside of functions in the window, the most time first.
    pub nested: Vec<Nested<'a>>,
    /// Whether statements inside of functions are told apart by the server (pg_stat_statements of 14 and later).
    pub told_apart: bool,
    /// Functions whose bodies were not read, because those before them are too long already.
    pub unread: usize,
    /// Logged plans of functions whose CONTEXT is in words that are not known.
    pub foreign: usize,
    /// Statements inside of functions that were not looked up, and the milliseconds that they took.
    pub beyond: (usize, f64),
    by_statement: HashMap<Key, usize, foldhash::fast::FixedState>,
    by_oid: HashMap<i64, usize, foldhash::fast::FixedState>,
}

impl<'a> Functions<'a> {
    /// Reads them.
    pub fn of(chain: &'a Chain) -> Self {
        Self::within(chain, Limits::default())
    }

    fn within(chain: &'a Chain, limits: Limits) -> Self {
        let mut out = Self { definitions: state(chain, "function_definitions"), ..Self::default() };
        out.define(chain, limits.bytes);
        let logged = Logged::of(chain, &out.all);
        out.foreign = logged.foreign;
        (out.nested, out.beyond) = nested::attribute(chain, &out.all, &logged, limits.statements);
        out.told_apart = chain.last().table("pg_stat_statements").is_some_and(|t| t.has("toplevel"));
        for (at, nested) in out.nested.iter().enumerate() {
            out.by_statement.insert(key(nested.row), at);
        }
        out
    }

    fn define(&mut self, chain: &'a Chain, most: usize) {
        let Some(definitions) = self.definitions.filter(|s| s.table.has("source") || s.table.has("sql_body")) else {
            return;
        };
        let members = state(chain, "extension_members");
        let foreign: std::collections::HashSet<i64> = members
            .into_iter()
            .flat_map(|s| s.table.iter())
            .filter(|r| r.text("classid") == Some("pg_proc"))
            .filter_map(|r| r.int("objid"))
            .collect();
        let mut bytes = 0;
        for row in definitions.table.iter() {
            let size = |column| row.text(column).map_or(0, str::len);
            let ours = row.text("schemaname").is_some_and(|s| !is_system_schema(s))
                && !row.int("funcid").is_some_and(|id| foreign.contains(&id));
            if !ours {
                continue;
            }
            bytes += size("source") + size("sql_body");
            if bytes > most {
                self.unread += 1;
                continue;
            }
            if let Some(id) = row.int("funcid") {
                self.by_oid.insert(id, self.all.len());
            }
            self.all.push(Function::read(row));
        }
        let mut named: HashMap<String, usize> = HashMap::new();
        for function in &self.all {
            *named.entry(function.display()).or_insert(0) += 1;
        }
        for function in &mut self.all {
            if named.get(&function.label).is_some_and(|n| *n > 1) {
                function.label = function.signature();
            }
        }
        for change in chain.view("pg_stat_user_functions").into_iter().flat_map(|v| v.present().collect::<Vec<_>>()) {
            let row = change.last();
            let at = row.and_then(|r| r.int("funcid")).and_then(|id| self.by_oid.get(&id));
            if let Some(function) = at.and_then(|at| self.all.get_mut(*at)) {
                function.change = Some(change);
            }
        }
    }

    /// A function by its OID.
    pub fn by_oid(&self, funcid: i64) -> Option<&Function<'a>> {
        self.all.get(*self.by_oid.get(&funcid)?)
    }

    /// What is known of where a row of `pg_stat_statements` ran.
    pub fn of_statement(&self, row: Row<'_>) -> Option<&Nested<'a>> {
        self.nested.get(*self.by_statement.get(&key(row))?)
    }

    /// The function that a row of `pg_stat_statements` ran in, where there is only one.
    pub fn owner_of(&self, row: Row<'_>) -> Option<&Owner> {
        match self.of_statement(row)?.owners.as_slice() {
            [only] if self.is_sure(only) => Some(only),
            _ => None,
        }
    }

    /// Whether nobody else sends a statement of this function, as far as the dump tells: a logged plan alone says where it
    /// ran once, bodies say where else it stands.
    fn is_sure(&self, owner: &Owner) -> bool {
        !self.all.is_empty() || owner.evidence.contains(&Evidence::Body)
    }

    /// The statements that ran in the function of a row of `pg_stat_user_functions` and in no other.
    pub fn ran_in(&self, counted: Row<'_>) -> impl Iterator<Item = &Nested<'a>> {
        let (schema, name) =
            (counted.text("schemaname").unwrap_or_default(), counted.text("funcname").unwrap_or_default());
        let display = display_qualified(schema, name);
        let funcid = counted.int("funcid");
        let is_it = move |owner: &Owner| {
            owner.function.and_then(|at| self.all.get(at)).map_or_else(
                || {
                    // Told by the log alone, with the arguments that the counters lack.
                    let called = owner.name.split('(').next().unwrap_or_default();
                    called == name || called == display
                },
                |function| function.row.int("funcid") == funcid,
            )
        };
        self.nested.iter().filter(move |n| matches!(n.owners.as_slice(), [only] if self.is_sure(only) && is_it(only)))
    }
}

/// Ids of statement, user and database; whether a client sent it.
type Key = ([Option<i64>; 3], Option<bool>);

/// What tells a statement's row: one inside of functions is another row than the same sent by a client.
fn key(row: Row<'_>) -> Key {
    ([row.int("queryid"), row.int("userid"), row.int("dbid")], row.bool("toplevel"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::chain;
    use crate::snapshot::literal::literal;

    #[test]
    fn what_is_not_read_is_counted() {
        let taken = |at: &str, calls: u32| {
            let statement = |id: u32| format!("10 | 16697 | f | {id} | select {id} | {calls} | {}", calls * id);
            literal(at)
                .view(
                    "function_definitions",
                    "funcid | schemaname | funcname | language | source",
                    &[
                        "1 | app | a | sql | select 1",
                        "2 | app | b | sql | select 2",
                        "3 | pg_catalog | c | sql | select 3",
                    ],
                )
                .view(
                    "pg_stat_statements",
                    "userid | dbid | toplevel | queryid | query | calls | total_exec_time",
                    &[1, 2, 3].map(statement).iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .build()
        };
        let chain = chain(&[taken("2026-11-22 10:00:00+00", 0), taken("2026-11-22 11:00:00+00", 10)]);
        let all = Functions::of(&chain);
        assert_eq!((all.all.len(), all.unread, all.nested.len(), all.beyond), (2, 0, 3, (0, 0.0)));
        let few = Functions::within(&chain, Limits { bytes: 10, statements: 1 });
        assert_eq!((few.all.len(), few.unread, few.nested.len(), few.beyond), (1, 1, 1, (2, 30.0)));
    }
}
