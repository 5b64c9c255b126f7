//! The beginning of the script: what it is, its limits, what the conditions read, the folder, the transaction.

use super::FileFormat;
use super::script::{Guard, Script};
use crate::version::{NEWEST, OLDEST};
use std::fmt::Write;

impl Script<'_> {
    /// What the script is, its limits, the folder, the transaction.
    pub(super) fn head(&mut self) {
        let versions = match self.options.major {
            Some(major) => format!("PostgreSQL {major}"),
            None => format!("PostgreSQL {OLDEST} to {NEWEST} and later"),
        };
        let texts = if self.options.query_text { "" } else { " No texts of statements are exported." };
        let _ = write!(
            self.out,
            r"-- pgretro {version}: exports the statistics of {versions} for a report.
--
--   psql -X -d DATABASE -f this-file
--
-- Makes a folder named by the UTC time in the working directory (psql -v out=DIR: in DIR), one file a view.
-- Reads only: one read-only transaction that gives up on any lock after 2 seconds and on any query after 5 minutes.
-- A superuser or a member of pg_monitor sees everything; others export less: what could not be read is on the
-- screen and in the file meta. Run it once in each database of interest; twice with time between for changes.
-- Not exported: contents of tables (pg_stats without its values), passwords.{texts}

\set ON_ERROR_STOP on
\set ON_ERROR_ROLLBACK off
\set QUIET on
\set exporter 'pgretro export-sql {version}'
\set remarks ''
\encoding UTF8
\pset null ''
\pset pager off
\pset footer off
",
            version = env!("CARGO_PKG_VERSION"),
        );
        self.line("\\pset format unaligned\n\\pset tuples_only on");
        self.line(
            "\\if :{?out}\n\\cd :out\n\\endif\n\
             set application_name = 'pgretro-export';\nset search_path = pg_catalog;\nset timezone = 'UTC';\n\
             set datestyle = 'ISO';\nset intervalstyle = 'postgres';\nset extra_float_digits = 1;\n\
             set bytea_output = 'hex';\nset lock_timeout = '2s';\nset statement_timeout = '5min';\n\
             set max_parallel_workers_per_gather = 0;\n",
        );
        self.versions();
        self.line(
            "\nselect to_char(clock_timestamp(), 'YYYYMMDD\"T\"HH24MISS\"Z\"') as folder \\gset\n\
             \\set made `mkdir :folder && echo 1 || echo 0`\n\
             \\if :made\n\\else\n\\echo cannot make the folder :folder\n\\quit\n\\endif\n\\cd :folder\n\n\
             -- From here on an error costs the view it happened in and nothing else.\n\
             \\set ON_ERROR_STOP off\n\\set ON_ERROR_ROLLBACK on\n\
             begin isolation level repeatable read read only;",
        );
        self.guarded(Guard { since: 15, until: NEWEST }, |s| s.line("set local stats_fetch_consistency = snapshot;"));
        if self.options.format == FileFormat::Json {
            self.line("\\set FETCH_COUNT 1000");
        }
    }

    /// The variables that the conditions read.
    fn versions(&mut self) {
        if let Some(major) = self.options.major {
            let _ = writeln!(
                self.out,
                "select current_setting('server_version_num')::int / 10000 = {major} as right_version \\gset\n\
                 \\if :right_version\n\\else\n\\echo this script is for PostgreSQL {major}: make one without --pg\n\
                 \\quit\n\\endif"
            );
        } else {
            let mut flags: Vec<String> = vec![format!("v.n >= {} as v{OLDEST}", u32::from(OLDEST) * 10_000)];
            for major in OLDEST + 1..=NEWEST {
                let n = u32::from(major) * 10_000;
                flags.push(format!("v.n >= {n} as v{major}, v.n < {n} as before{major}"));
            }
            let _ = writeln!(
                self.out,
                "select {}\nfrom (select current_setting('server_version_num')::int as n) v \\gset\n\
                 \\if :v{OLDEST}\n\\else\n\\echo PostgreSQL {OLDEST} or later is needed\n\\quit\n\\endif",
                flags.join(",\n       ")
            );
        }
        // The extension may live in any schema, in an older version than the server's.
        self.line(
            "select count(*) > 0 as has_pgss,
       coalesce(max(quote_ident(n.nspname)), 'pg_catalog') as pgss,
       count(i.oid) > 0 as has_pgss_info
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  left join pg_class i on i.relnamespace = n.oid and i.relname = 'pg_stat_statements_info'
where e.extname = 'pg_stat_statements' \\gset",
        );
        // Only superusers, unless somebody else was granted it.
        self.line(
            "select has_table_privilege('pg_hba_file_rules', 'select')
       and has_function_privilege('pg_hba_file_rules()', 'execute') as may_read_hba \\gset",
        );
        // The script's own statements would push others out.
        self.line(
            "select current_setting('is_superuser')::bool as may_set \\gset\n\\if :has_pgss\n\\if :may_set\n\
             set pg_stat_statements.track = 'none';\n\\endif\n\\endif",
        );
    }
}
