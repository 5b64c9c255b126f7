//! Writes the script: psql commands, adapted by `\if` to the server's version where none was asked for.

use super::steps::{STEPS, Step};
use super::{FileFormat, Options, Query, query};
use crate::catalog::{Origin, View, view};
use crate::version::{NEWEST, OLDEST};
use std::fmt::Write;

/// Texts of functions, for who wants no texts of statements.
const BODIES: &[(&str, &str)] = &[("source", "null::text"), ("sql_body", "null::text")];

/// The script.
pub fn script(options: &Options) -> String {
    let mut script = Script { options, out: String::new() };
    script.head();
    for step in STEPS {
        if let Some(view) = view(step.view) {
            script.step(step, view);
        }
    }
    script.tail();
    script.out
}

/// The script while it is written.
pub(super) struct Script<'a> {
    pub(super) options: &'a Options,
    pub(super) out: String,
}

/// From which major on, and up to which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) since: u8,
    pub(super) until: u8,
}

impl Guard {
    /// The condition in psql, one `\if` a side.
    fn opening(self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.since > OLDEST {
            lines.push(format!("\\if :v{}", self.since));
        }
        if self.until < NEWEST {
            lines.push(format!("\\if :before{}", self.until + 1));
        }
        lines
    }
}

impl Script<'_> {
    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Puts lines under a condition; with a fixed version the condition is decided here.
    pub(super) fn guarded(&mut self, guard: Guard, body: impl FnOnce(&mut Self)) {
        if let Some(major) = self.options.major {
            if guard.since <= major && major <= guard.until {
                body(self);
            }
            return;
        }
        let opening = guard.opening();
        for line in &opening {
            self.line(line);
        }
        body(self);
        for _ in &opening {
            self.line("\\endif");
        }
    }

    fn step(&mut self, step: &Step, view: &'static View) {
        let until = view.majors.until.unwrap_or(NEWEST);
        if self.options.major.is_some_and(|m| !view.majors.contains(m)) {
            return;
        }
        let _ = writeln!(self.out, "\n-- {}: {}", view.name, view.about);
        let guard = match view.origin {
            // What the extension has depends on its version; what the server is does not matter.
            Origin::Statements => Guard { since: OLDEST, until: NEWEST },
            _ => Guard { since: view.majors.since, until },
        };
        self.guarded(guard, |s| match (query(view.name), view.origin) {
            (Some(query), _) => s.ours(query, view),
            (None, Origin::Statements) => s.statements(view),
            (None, _) => s.servers(step, view),
        });
    }

    /// A relation of the server.
    fn servers(&mut self, step: &Step, view: &'static View) {
        let hides_text = !self.options.query_text && view.name == "pg_stat_activity";
        let mut masked: Vec<(&str, &str)> = step.masked.to_vec();
        if hides_text {
            masked.push(("query", "null::text"));
        }
        if !step.allowed.is_empty() {
            let _ = writeln!(self.out, "\\if :{}", step.allowed);
        }
        self.export(view.name, |s| {
            if masked.is_empty() {
                s.line("select (select clock_timestamp()) as captured_at, v.*");
            } else {
                s.line("select (select clock_timestamp()) as captured_at");
                s.columns(view, &|name| match masked.iter().find(|(column, _)| *column == name) {
                    Some((_, expression)) => format!("{expression} as {name}"),
                    None => format!("v.{name}"),
                });
            }
            let _ = writeln!(s.out, "from {} v", view.name);
            if !step.filter.is_empty() {
                let _ = writeln!(s.out, "where {}", step.filter);
            }
        });
        self.remark(view.name);
        if !step.allowed.is_empty() {
            self.line("\\endif");
        }
    }

    /// pg_stat_statements, wherever it was installed. Its function takes whether texts are wanted.
    fn statements(&mut self, view: &'static View) {
        let (flag, from) = match view.name {
            "pg_stat_statements_info" => ("has_pgss_info", ":pgss.pg_stat_statements_info"),
            _ if self.options.query_text => ("has_pgss", ":pgss.pg_stat_statements"),
            _ => ("has_pgss", ":pgss.pg_stat_statements(false)"),
        };
        let _ = writeln!(self.out, "\\if :{flag}");
        self.export(view.name, |s| {
            let _ = writeln!(s.out, "select (select clock_timestamp()) as captured_at, v.*\nfrom {from} v");
        });
        self.remark(view.name);
        if view.name == "pg_stat_statements" {
            self.line(
                "\\else\n\\set remarks :remarks 'pg_stat_statements: the extension is not installed in this database; '",
            );
        }
        self.line("\\endif");
    }

    /// One of our own views; a second try without what has to lock where a lock made the first one fail.
    fn ours(&mut self, query: &'static Query, view: &'static View) {
        self.export(view.name, |s| s.query(query, view, false));
        if query.locking.is_empty() {
            self.remark(view.name);
            return;
        }
        self.line("\\if :done\n\\else");
        let _ = writeln!(self.out, "\\set remarks :remarks '{} without sizes: ' :LAST_ERROR_MESSAGE '; '", view.name);
        self.export(view.name, |s| s.query(query, view, true));
        self.remark(view.name);
        self.line("\\endif");
    }

    fn query(&mut self, query: &'static Query, view: &'static View, without_locks: bool) {
        if !query.with.is_empty() && !without_locks {
            let _ = writeln!(self.out, "with {}", query.with);
        }
        let hides_text = !self.options.query_text;
        self.line(if view.name == "meta" { "select" } else { "select (select clock_timestamp()) as captured_at" });
        let expression = |list: &'static [(&'static str, &'static str)], name: &str| {
            list.iter().find(|(column, _)| *column == name).map(|(_, expression)| *expression)
        };
        self.columns(view, &|name| {
            let instead = if without_locks { expression(query.locking, name) } else { None };
            let masked = expression(BODIES, name).filter(|_| view.name == "function_definitions" && hides_text);
            let taken = masked.or(instead).or_else(|| expression(query.columns, name)).unwrap_or("null");
            format!("{taken} as {name}")
        });
        let joins = if without_locks { "" } else { query.locking_joins };
        for part in [query.from, joins, query.filter].into_iter().filter(|part| !part.is_empty()) {
            self.line(part);
        }
    }

    /// The columns of a view one by one, those that not every version has under a condition.
    fn columns(&mut self, view: &'static View, expression: &dyn Fn(&str) -> String) {
        let mut first = view.name == "meta";
        for column in view.columns {
            let guard = Guard { since: column.majors.since, until: column.majors.until.unwrap_or(NEWEST) };
            let comma = if first { "" } else { ", " };
            first = false;
            let line = format!("  {comma}{}", expression(column.name));
            self.guarded(guard, |s| s.line(&line));
        }
    }

    /// A query and the file it goes to.
    ///
    /// psql does not say in `:ERROR` that a COPY broke off after its first row. So a second statement travels with
    /// it, which the server does not reach then.
    fn export(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.line(
            "\\set done 0\n\\set LAST_ERROR_MESSAGE 'broke off by a lock or a time limit, the screen has the reason'",
        );
        match self.options.format {
            FileFormat::Csv => {
                let _ = writeln!(self.out, "\\o {name}.csv\ncopy (");
                body(self);
                self.line(") to stdout with (format csv, header) \\; select 1 as done \\gset\n\\o");
            }
            FileFormat::Json => {
                self.line(
                    "select '[' union all\n\
                     select case when row_number() over () = 1 then ' ' else ',' end || row_to_json(x)::text from (",
                );
                body(self);
                let _ = writeln!(
                    self.out,
                    ") x\nunion all select ']' \\g {name}.json\n\\if :ERROR\n\\else\n\\set done 1\n\\endif"
                );
            }
        }
    }

    /// Where the export failed: keeps the reason, removes what was written of the file.
    fn remark(&mut self, name: &str) {
        let ending = match self.options.format {
            FileFormat::Csv => "csv",
            FileFormat::Json => "json",
        };
        let _ = writeln!(
            self.out,
            "\\if :done\n\\else\n\\set remarks :remarks '{name}: ' :LAST_ERROR_MESSAGE '; '\n\\o {name}.{ending}\n\\o\n\
             \\! rm -f {name}.{ending}\n\\endif"
        );
    }

    fn tail(&mut self) {
        self.line("\ncommit;\n\\echo exported to :folder");
    }
}
