//! The script of `pgretro export-sql`: read by people before they run it, so it is kept as a snapshot.

use pgretro::catalog::export::{FileFormat, LEFT_OUT, Options, script};
use pgretro::catalog::{Origin, VIEWS};
use pgretro::version::{NEWEST, OLDEST};

const ADAPTING: Options = Options { format: FileFormat::Csv, major: None, query_text: true };

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The lines between the comment of a view and the next one's.
fn part<'a>(script: &'a str, view: &str) -> &'a str {
    let start = script.find(&format!("\n-- {view}: ")).unwrap_or_else(|| panic!("no {view}"));
    let rest = &script[start + 1..];
    rest.find("\n-- ").map_or(rest, |end| &rest[..end])
}

#[test]
fn adapting_script() {
    let text = script(&ADAPTING);
    snapshot("export.sql", &text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn json_of_one_version() {
    let text = script(&Options { format: FileFormat::Json, major: Some(15), query_text: false });
    let parts = ["pg_stat_activity", "pg_stat_statements", "pg_stat_bgwriter", "partitions"].map(|v| part(&text, v));
    snapshot("export-json-15.sql", &parts.join("\n\n"));
}

#[test]
fn a_version_gets_its_views_and_columns() {
    for major in OLDEST..=NEWEST {
        let text = script(&Options { major: Some(major), ..ADAPTING });
        for view in VIEWS {
            let there = text.contains(&format!("\n-- {}: ", view.name));
            let left_out = LEFT_OUT.iter().any(|(name, _)| *name == view.name);
            assert_eq!(there, !left_out && view.majors.contains(major), "{} in {major}", view.name);
        }
        for (view, column, since) in [
            ("table_sizes", "as relallfrozen", 18),
            ("index_definitions", "as indnullsnotdistinct", 15),
            ("partitions", "as detach_pending", 14),
            ("pg_stats", "v.range_empty_frac", 17),
        ] {
            assert_eq!(part(&text, view).contains(column), major >= since, "{view}: {column} in {major}");
        }
        assert!(!text.contains("\\if :v1"), "nothing is left to decide in {major}");
    }
}

#[test]
fn conditions_close() {
    for format in [FileFormat::Csv, FileFormat::Json] {
        for major in (OLDEST..=NEWEST).map(Some).chain([None]) {
            let text = script(&Options { format, major, query_text: true });
            let depth = text.lines().fold(0_i32, |depth, line| {
                assert!(depth >= 0);
                depth + i32::from(line.starts_with("\\if ")) - i32::from(line.starts_with("\\endif"))
            });
            assert_eq!(depth, 0, "{format:?} {major:?}");
        }
    }
}

#[test]
fn reads_only_and_gives_up_on_locks() {
    let text = script(&ADAPTING);
    for needed in [
        "begin isolation level repeatable read read only;",
        "set lock_timeout =",
        "set statement_timeout =",
        "set search_path = pg_catalog;",
    ] {
        assert!(text.contains(needed), "{needed}");
    }
    let begin = text.find("\nbegin ").expect("a transaction");
    for word in ["insert into", "update ", "delete from", "create ", "alter ", "drop ", "grant ", "vacuum"] {
        let used = text[begin..].lines().any(|l| l.trim_start().to_ascii_lowercase().starts_with(word));
        assert!(!used, "{word}");
    }
}

#[test]
fn no_text_and_no_contents_leave_where_they_are_not_wanted() {
    let silent = script(&Options { query_text: false, ..ADAPTING });
    assert!(part(&silent, "pg_stat_statements").contains(":pgss.pg_stat_statements(false) v"));
    assert!(part(&silent, "pg_stat_activity").contains("null::text as query\n"));
    for text in [silent, script(&ADAPTING)] {
        for column in ["most_common_vals", "histogram_bounds", "most_common_elems", "range_bounds_histogram"] {
            assert!(part(&text, "pg_stats").contains(&format!("null::text[] as {column}\n")), "{column}");
        }
        assert!(!part(&text, "pg_roles").contains("v.rolpassword"));
    }
}

#[test]
fn every_view_says_when_it_was_read() {
    let text = script(&ADAPTING);
    for view in VIEWS.iter().filter(|v| !LEFT_OUT.iter().any(|(name, _)| *name == v.name)) {
        let clock =
            if view.name == "meta" { "now() as captured_at" } else { "(select clock_timestamp()) as captured_at" };
        assert!(part(&text, view.name).contains(clock), "{}", view.name);
        if view.origin == Origin::Statements {
            assert!(part(&text, view.name).contains("\\if :has_pgss"), "{}", view.name);
        }
    }
}

#[test]
fn guide_names_what_is_left_out() {
    let guide = include_str!("../../docs/export.md");
    for (view, reason) in LEFT_OUT {
        assert!(guide.contains(&format!("- `{view}`: {reason}\n")), "docs/export.md does not say: {view}: {reason}");
    }
}

#[test]
fn the_command_prints_the_script() {
    let run = |arguments: &[&str]| {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_pgretro")).arg("export-sql").args(arguments).output();
        let output = output.expect("the program runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    assert_eq!(run(&[]), (Some(0), script(&ADAPTING)));
    let json = Options { format: FileFormat::Json, major: Some(12), query_text: false };
    assert_eq!(run(&["--format", "json", "--pg", "12", "--no-query-text"]), (Some(0), script(&json)));
    assert_eq!(run(&["--pg", "11"]), (Some(2), String::new()));
}
