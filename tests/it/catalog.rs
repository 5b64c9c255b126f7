//! The catalog against what real servers export: `fixtures/columns/` and `fixtures/settings/`, read from running
//! servers.

use pgretro::catalog::{self, Column, Kind, Origin, Type, VIEWS, View, exported, settings};
use pgretro::unit::Unit;
use pgretro::version::{NEWEST, OLDEST};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn rows(path: &str) -> Vec<csv::StringRecord> {
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    csv::Reader::from_path(&path).expect(&path).records().map(|r| r.expect("a fixture's line")).collect()
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// View, column, type of every column that `major` exports.
fn truth(major: u8) -> Vec<(String, String, String)> {
    rows(&format!("columns/pg{major}.csv"))
        .iter()
        .map(|r| (r[0].to_owned(), r[2].to_owned(), r[3].to_owned()))
        .collect()
}

/// Whether values of a type of PostgreSQL fit the catalog's type, in the version that exports them.
fn fits(pg: &str, column: &Column) -> bool {
    match column.ty {
        Type::Int => matches!(pg, "bigint" | "integer" | "smallint" | "oid" | "xid"),
        Type::Numeric => matches!(pg, "numeric" | "bigint"),
        Type::Float => matches!(pg, "double precision" | "real"),
        Type::Bool => pg == "boolean",
        Type::Time => pg == "timestamp with time zone",
        Type::Interval => pg == "interval",
        Type::Lsn => pg == "pg_lsn",
        Type::Array => pg.ends_with("[]") || matches!(pg, "anyarray" | "pg_ndistinct" | "pg_dependencies"),
        Type::Text => matches!(pg, "text" | "name" | "inet" | "\"char\"" | "regtype"),
    }
}

#[test]
fn every_exported_column_is_known() {
    let mut missing = Vec::new();
    for major in OLDEST..=NEWEST {
        for (view, column, ty) in truth(major) {
            let Some(known) = catalog::view(&view).filter(|v| v.majors.contains(major)) else {
                missing.push(format!("{major}: view {view}"));
                continue;
            };
            match exported(known, major).into_iter().find(|e| e.name == column) {
                None => missing.push(format!("{major}: {view}.{column} {ty}")),
                Some(e) if !fits(&ty, e.column) => {
                    missing.push(format!("{major}: {view}.{column} is {ty}, not {:?}", e.column.ty));
                }
                Some(_) => {}
            }
        }
    }
    assert!(missing.is_empty(), "unknown to the catalog:\n{}", missing.join("\n"));
}

#[test]
fn columns_stand_in_each_versions_order() {
    for major in OLDEST..=NEWEST {
        let mut truth_by_view: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (view, column, _) in truth(major) {
            truth_by_view.entry(view).or_default().push(column);
        }
        for (view, want) in truth_by_view {
            let known = catalog::view(&view).expect("a known view");
            let got: Vec<&str> = exported(known, major).iter().map(|e| e.name).collect();
            assert_eq!(got, want, "{view} in {major}: files without a header are read by position");
        }
    }
}

#[test]
fn every_known_column_is_exported() {
    let mut invented = Vec::new();
    let mut claimed: BTreeSet<&str> = BTreeSet::new();
    for major in OLDEST..=NEWEST {
        let truth: BTreeSet<(String, String)> = truth(major).into_iter().map(|(v, c, _)| (v, c)).collect();
        for view in
            VIEWS.iter().filter(|v| !matches!(v.origin, Origin::Export | Origin::Given) && v.majors.contains(major))
        {
            for name in std::iter::once(view.name).chain(view.also.iter().copied()) {
                claimed.insert(name);
                for e in exported(view, major) {
                    if !truth.contains(&(name.to_owned(), e.name.to_owned())) {
                        invented.push(format!("{major}: {name}.{}", e.name));
                    }
                }
            }
        }
        for view in VIEWS.iter().filter(|v| v.origin != Origin::Export && !v.majors.contains(major)) {
            if truth.iter().any(|(v, _)| v == view.name) {
                invented.push(format!("{major}: {} is there, the catalog denies it", view.name));
            }
        }
    }
    assert!(invented.is_empty(), "no server exports:\n{}", invented.join("\n"));
    assert!(claimed.len() > 60, "only {} views compared", claimed.len());
}

#[test]
fn views_are_coherent() {
    let mut names = BTreeSet::new();
    for view in VIEWS {
        for name in std::iter::once(&view.name).chain(view.also) {
            assert!(names.insert(*name), "{name} stands twice");
        }
        let mut columns: BTreeMap<&str, &Column> = BTreeMap::new();
        for column in view.columns {
            assert!(columns.insert(column.name, column).is_none(), "{}.{} stands twice", view.name, column.name);
            assert!(
                !column.about.is_empty() && (!column.about.ends_with('.') || column.about.ends_with("...")),
                "{}.{}",
                view.name,
                column.name
            );
            assert!(
                column.majors.since >= view.majors.since.min(first_spelling(column)),
                "{}.{}",
                view.name,
                column.name
            );
        }
        for key in view.key.iter().chain(view.fallback_key) {
            assert!(columns.contains_key(key), "{}: key {key} is no column", view.name);
        }
        for key in view.key {
            assert_eq!(columns[key].kind, Kind::Id, "{}: key {key}", view.name);
        }
        let ids = view.columns.iter().filter(|c| c.kind == Kind::Id).count();
        assert_eq!(ids, view.key.len(), "{}: identity columns and key differ", view.name);
        assert!(columns.contains_key(view.telling), "{}: {} is no column", view.name, view.telling);
    }
}

fn first_spelling(column: &Column) -> u8 {
    column.moved.iter().map(|m| m.since).min().unwrap_or(u8::MAX)
}

#[test]
fn kinds_fit_units_and_types() {
    for (view, column) in VIEWS.iter().flat_map(|v: &&'static View| v.columns.iter().map(move |c| (v, c))) {
        let at = format!("{}.{}", view.name, column.name);
        match column.kind {
            Kind::Time | Kind::Reset => assert_eq!((column.ty, column.unit), (Type::Time, Unit::Time), "{at}"),
            Kind::HighWater | Kind::LowWater | Kind::Moment => {
                assert_eq!((column.ty, column.unit), (Type::Float, Unit::Ms), "{at}");
            }
            Kind::Counter | Kind::Sum | Kind::SelfResetting(_) => {
                assert!(matches!(column.ty, Type::Int | Type::Numeric | Type::Float), "{at}");
                assert!(!matches!(column.unit, Unit::Plain | Unit::Time | Unit::Lsn), "{at}");
            }
            _ => {}
        }
    }
}

#[test]
fn settings_defaults_are_the_servers() {
    for major in [12, 13, 15, 16, 18] {
        let truth: BTreeMap<String, (String, String)> = rows(&format!("settings/pg{major}.csv"))
            .iter()
            .map(|r| (r[0].to_owned(), (r[1].to_owned(), r[2].to_owned())))
            .collect();
        assert!(truth.len() > 100);
        for setting in settings::SETTINGS {
            let known = settings::default(setting.name, major);
            // What initdb writes into the configuration file of every new server.
            if setting.name == "shared_buffers" {
                assert_eq!(known, Some("16384"));
                continue;
            }
            let want = truth.get(setting.name);
            assert_eq!(known, want.map(|(value, _)| value.as_str()), "{} in {major}", setting.name);
            if let Some((_, unit)) = want {
                assert_eq!(setting.unit, unit, "{} in {major}", setting.name);
            }
        }
        for name in truth.keys() {
            assert!(settings::setting(name).is_some(), "{name} in {major}");
        }
    }
}

#[test]
fn listing_of_a_version_uses_its_names_and_places() {
    let listing = catalog::list(None, Some(15)).expect("15 is known");
    let json: serde_json::Value = serde_json::from_str(&listing.json()).expect("JSON");
    let views = json["views"].as_array().expect("an array");
    let named = |name: &str| views.iter().find(|v| v["name"] == name);
    assert!(named("pg_stat_checkpointer").is_none());
    assert!(named("pg_stat_io").is_none());
    let columns = named("pg_stat_bgwriter").expect("15 has it")["columns"].as_array().expect("an array");
    let timed = columns.iter().find(|c| c["exported_as"] == "checkpoints_timed").expect("under its old view");
    assert_eq!(
        timed,
        &serde_json::json!({"name": "num_timed", "exported_as": "checkpoints_timed", "kind": "counter",
            "unit": "count", "since": 12, "until": null,
            "about": "Checkpoints due by time, skipped idle ones included"})
    );
    for major in OLDEST..=NEWEST {
        let listing = catalog::list(None, Some(major)).expect("a known version");
        let csv = listing.csv();
        let listed: BTreeSet<(String, String)> = csv::Reader::from_reader(csv.as_bytes())
            .records()
            .map(|r| r.expect("a line of its own CSV"))
            .filter(|r| catalog::view(&r[0]).is_some_and(|v| !matches!(v.origin, Origin::Export | Origin::Given)))
            .map(|r| (r[0].to_owned(), r[2].to_owned()))
            .collect();
        let want: BTreeSet<(String, String)> = truth(major)
            .into_iter()
            .map(|(v, c, _)| (v, c))
            .filter(|(v, _)| catalog::view(v).is_some_and(|k| k.name == v))
            .collect();
        assert_eq!(listed, want, "{major}");
    }
}

#[test]
fn listing_refuses_what_does_not_exist() {
    for (view, major, says) in [
        (Some("pg_stat_nothing"), None, "find a view `pg_stat_nothing` in the catalog"),
        (Some("pg_stat_checkpointer"), Some(15), "list `pg_stat_checkpointer`: PostgreSQL 15 does not have it"),
        (None, Some(11), "list PostgreSQL 11: the catalog knows 12 to 18"),
    ] {
        let error = catalog::list(view, major).expect_err(says);
        assert_eq!(error.to_string(), says);
        assert!(error.hint().is_some());
    }
}

#[test]
fn readable_listing() {
    let text = |view: &str, major| catalog::list(Some(view), major).expect("listed").text();
    let all = [
        text("pg_stat_bgwriter", Some(15)),
        text("pg_stat_checkpointer", None),
        text("pg_stat_all_indexes", None),
        text("pg_stat_statements", Some(12)),
    ];
    snapshot("catalog.txt", &all.join("\n"));
}

#[test]
fn documentation_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalog.md");
    let text = format!(
        "# Catalog\n\nEvery statistics view of PostgreSQL {OLDEST} to {NEWEST} that pgretro knows, and the exports of its \
         own script, column by column.\nThe kinds: an `id` joins snapshots; a `label` describes; a `counter` grows until a \
         reset and is subtracted; a `sum` is a\ncounter over members and falls when a member goes; a `gauge` is a level; \
         a `self resetting` count is set to zero by the\nevent its description names; a `time` is when something last \
         happened; a `reset` is when the statistics were reset; `high\nwater`, `low water` and `moment` are never \
         subtracted; an `array` is compared as a whole; a `constant` stays.\n\nThis file is made from the catalog itself: \
         `PGRETRO_BLESS=1 cargo test documentation_is_fresh` writes it anew.\n\n{}",
        catalog::list(None, None).expect("the whole catalog").markdown()
    );
    if std::env::var_os("PGRETRO_BLESS").is_some() {
        fs::write(path, &text).expect("docs/ can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "docs/catalog.md is stale: run this test with PGRETRO_BLESS=1");
}
