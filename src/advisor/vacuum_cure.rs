//! Cures for tables: VACUUM, ANALYZE, storage parameters.

use super::TableFact;
use super::index_cure::with_timeout;
use crate::finding::{Fix, Risk, Verb};

const ONLINE: &str = "SHARE UPDATE EXCLUSIVE: reads and writes go on";

/// Vacuums and analyzes a table.
pub fn vacuum(table: &TableFact<'_>) -> Fix {
    Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("VACUUM (ANALYZE, VERBOSE) {};", table.sql()))
        .lock(ONLINE)
        .when_not("While a bulk job is still changing the table, or while an old transaction keeps the rows: it cannot remove them then.")
}

/// Analyzes a table.
pub fn analyze(table: &TableFact<'_>) -> Fix {
    Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("ANALYZE {};", table.sql()))
        .lock(ONLINE)
        .when_not("While a bulk load is still running: the numbers are old again at once.")
}

/// Vacuums a table and freezes its rows.
pub fn freeze(table: &TableFact<'_>) -> Fix {
    Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("VACUUM (FREEZE, VERBOSE) {};", table.sql()))
        .lock(ONLINE)
        .when_not("At peak load: it reads every page not yet frozen and writes WAL for each it freezes.")
}

/// Vacuums a table, freezes its rows and analyzes it.
pub fn freeze_and_analyze(table: &TableFact<'_>) -> Fix {
    Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("VACUUM (FREEZE, ANALYZE, VERBOSE) {};", table.sql()))
        .lock(ONLINE)
        .when_not("At peak load, or while the load into the table is still running: it reads and writes every page not yet frozen.")
}

/// Takes storage parameters of a table back, each given with its value.
pub fn reset_options(table: &TableFact<'_>, options: &[(&str, String)]) -> Fix {
    let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
    let before: Vec<String> = options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    Fix::new(
        Verb::Set,
        Risk::R1,
        format!("{} of {}", names.join(", "), table.display()),
        with_timeout(&format!("ALTER TABLE {} RESET ({});", table.sql(), names.join(", "))),
    )
    .lock("SHARE UPDATE EXCLUSIVE for a moment")
    .when_not("When somebody vacuums this table by a schedule of his own and it keeps up.")
    .undo(with_timeout(&format!("ALTER TABLE {} SET ({});", table.sql(), before.join(", "))))
}

/// Sets storage parameters of a table; the undo takes them back.
pub fn set_options(table: &TableFact<'_>, options: &[(&str, String)], when_not: &str) -> Fix {
    let set: Vec<String> = options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
    let sql = with_timeout(&format!("ALTER TABLE {} SET ({});", table.sql(), set.join(", ")));
    Fix::new(Verb::Set, Risk::R1, format!("{} of {}", names.join(", "), table.display()), sql)
        .lock("SHARE UPDATE EXCLUSIVE for a moment")
        .when_not(when_not)
        .undo(with_timeout(&format!("ALTER TABLE {} RESET ({});", table.sql(), names.join(", "))))
}

/// Rewrites a table without its empty space. The lock is the strongest there is.
pub fn rewrite(table: &TableFact<'_>) -> Fix {
    let sql = with_timeout(&format!("VACUUM (FULL, ANALYZE, VERBOSE) {};", table.sql()));
    Fix::new(Verb::Maintain, Risk::R2, table.display(), sql)
        .lock("ACCESS EXCLUSIVE while the table is copied: nobody reads or writes it; needs space for the copy and its indexes")
        .when_not(
            "Outside a maintenance window, while disk space for a copy is not free, before pgstattuple_approx() has confirmed \
             the estimate, or while what caused it goes on.",
        )
}
