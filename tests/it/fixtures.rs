//! What must be read out of each fixture. Stories: `fixtures/README.md`. Numbers: subtracted by hand from the files.

use serde_json::Value;
use std::process::Command;

/// Runs pgretro in the repository: exit code, stdout, stderr.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .output()
        .expect("pgretro runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

/// Runs pgretro in the repository: stdout, where it ends well.
pub fn pgretro(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run(arguments);
    assert_eq!(code, 0, "pgretro {}: {stderr}", arguments.join(" "));
    stdout
}

/// Compares with `snapshots/<name>.snap`.
pub fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The deltas between two folders of `fixtures/`.
fn diff(before: &str, after: &str) -> Value {
    let (before, after) = (format!("fixtures/{before}"), format!("fixtures/{after}"));
    serde_json::from_str(&pgretro(&["diff", &before, &after, "--format", "json"])).expect("JSON")
}

/// The row of a view whose key or labels hold a value; the first row where the value is empty.
fn row<'a>(diff: &'a Value, view: &str, name: &str) -> &'a Value {
    let holds = |part: &Value| {
        part.as_object()
            .is_some_and(|part| part.values().any(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned) == name))
    };
    let rows = diff["views"][view].as_array().unwrap_or_else(|| panic!("no rows of {view}"));
    rows.iter()
        .rfind(|row| name.is_empty() || holds(&row["key"]) || holds(&row["labels"]))
        .unwrap_or_else(|| panic!("no {name} in {view}"))
}

/// Events as `kind object`, or `kind scope` where no object is named.
fn events(diff: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let event = |e: &Value| {
        let what = text(&e["object"]).or_else(|| text(&e["scope"])).unwrap_or_default();
        format!("{} {what}", text(&e["kind"]).unwrap_or_default())
    };
    diff["events"].as_array().expect("events").iter().map(event).collect()
}

struct Story {
    fixture: &'static str,
    /// All events that may be named, in order.
    events: &'static [&'static str],
    /// View, key or label, class, counter and its delta.
    rows: &'static [(&'static str, &'static str, &'static str, &'static str, Option<i64>)],
    /// A note that one of the rows must have: view, key or label, beginning of the note.
    notes: &'static [(&'static str, &'static str, &'static str)],
}

const TABLES: &str = "pg_stat_user_tables";
const INDEXES: &str = "pg_stat_user_indexes";
const STATEMENTS: &str = "pg_stat_statements";

const STORIES: &[Story] = &[
    Story {
        fixture: "pg13-stats-reset",
        events: &["stats_reset_database shop"],
        rows: &[
            ("pg_stat_database", "shop", "reset", "xact_commit", Some(1955)),
            (TABLES, "orders", "reset", "n_tup_ins", Some(74)),
            (TABLES, "orders", "reset", "seq_scan", Some(0)),
            ("pg_stat_checkpointer", "", "ok", "num_requested", Some(0)),
        ],
        notes: &[],
    },
    Story {
        fixture: "pg18-table-reset",
        events: &["stats_reset_object public.cart_sessions"],
        rows: &[
            (TABLES, "cart_sessions", "reset", "n_tup_upd", Some(586)),
            // No time in its row is the same before and after, so nothing proves that it was not reset as well.
            (TABLES, "outbox", "ok?", "n_tup_ins", Some(293)),
            (TABLES, "order_items", "ok", "n_tup_ins", Some(586)),
        ],
        notes: &[(TABLES, "cart_sessions", "reset not later than 2026-11-22T14:26:07")],
    },
    Story {
        fixture: "pg15-crash",
        events: &["crash cluster"],
        rows: &[
            (TABLES, "orders", "reset", "n_tup_ins", Some(74)),
            ("pg_stat_database", "shop", "reset", "deadlocks", Some(0)),
        ],
        notes: &[(TABLES, "orders", "crash: all cumulative statistics were lost")],
    },
    Story {
        fixture: "pg17-backend-crash",
        events: &["crash cluster"],
        rows: &[
            (TABLES, "invoice", "reset", "n_tup_upd", Some(1)),
            ("pg_stat_checkpointer", "", "reset", "num_requested", Some(1)),
            ("pg_stat_statements_info", "", "reset", "dealloc", Some(0)),
        ],
        notes: &[],
    },
    Story {
        fixture: "pg13-clean-restart",
        events: &["restart cluster"],
        rows: &[(TABLES, "orders", "ok", "n_tup_ins", Some(259)), (TABLES, "orders", "ok", "n_tup_upd", Some(259))],
        notes: &[],
    },
    Story {
        fixture: "pg16-recreate",
        events: &["recreated public.daily_totals"],
        rows: &[
            (TABLES, "17170", "gone", "n_tup_upd", None),
            (TABLES, "25778", "new", "n_tup_upd", Some(24)),
            (TABLES, "25778", "new", "n_tup_ins", Some(273)),
        ],
        notes: &[(TABLES, "25778", "recreated")],
    },
    Story {
        fixture: "pg15-rename",
        events: &["renamed public.promo_codes_v2"],
        rows: &[(TABLES, "17175", "ok", "n_tup_upd", Some(174))],
        notes: &[(TABLES, "17175", "renamed_from: public.promo_codes")],
    },
    Story {
        fixture: "pg16-reindex-concurrently",
        events: &["reindexed public.invoice_customer"],
        rows: &[
            (INDEXES, "invoice_customer", "ok", "idx_scan", Some(202)),
            (INDEXES, "invoice_customer", "ok", "idx_tup_read", Some(1001)),
            (INDEXES, "invoice_paid", "ok", "idx_scan", Some(0)),
        ],
        notes: &[(INDEXES, "invoice_customer", "reindexed")],
    },
    Story {
        fixture: "pg15-pgss-reset",
        events: &["stats_reset_statements pg_stat_statements"],
        rows: &[(STATEMENTS, "select pg_stat_statements_reset()", "new", "calls", Some(1))],
        notes: &[],
    },
    Story {
        fixture: "pg16-pgss-eviction",
        events: &["statements_evicted pg_stat_statements"],
        rows: &[
            ("pg_stat_statements_info", "", "ok", "dealloc", Some(10)),
            // 2 calls, then 1: evicted in between.
            (STATEMENTS, "-4143952718446328334", "reset?", "calls", Some(1)),
            // Nothing fell; evicted and back with as many calls looks the same.
            (STATEMENTS, "-8435374793180773460", "ok?", "calls", Some(0)),
        ],
        notes: &[],
    },
    Story {
        fixture: "pg15-queue",
        events: &["deadlock binaryrogue"],
        rows: &[
            ("pg_stat_database", "binaryrogue", "ok", "deadlocks", Some(1)),
            (TABLES, "task_queue", "ok", "seq_scan", Some(0)),
            (TABLES, "agent_heartbeats", "ok", "n_tup_ins", Some(0)),
        ],
        notes: &[],
    },
    Story {
        fixture: "pg15-archive-fails",
        events: &["archive_failed cluster"],
        rows: &[
            ("pg_stat_archiver", "", "ok", "failed_count", Some(9)),
            ("pg_stat_archiver", "", "ok", "archived_count", Some(0)),
        ],
        notes: &[],
    },
    Story {
        fixture: "pg18-standby",
        events: &[],
        rows: &[(TABLES, "orders", "ok", "seq_scan", Some(1)), (TABLES, "orders", "ok", "n_tup_ins", Some(0))],
        notes: &[],
    },
    Story {
        fixture: "shop",
        events: &[
            "renamed public.promo_codes_v2",
            "settings_changed max_connections",
            "settings_changed random_page_cost",
        ],
        rows: &[
            (TABLES, "orders", "ok", "n_tup_ins", Some(741)),
            (TABLES, "event_log_big", "ok", "seq_scan", Some(231)),
            (TABLES, "event_log_big", "ok", "seq_tup_read", Some(10_738_574)),
        ],
        notes: &[],
    },
];

#[test]
fn each_story_is_told() {
    for story in STORIES {
        let diff = diff(&format!("{}/before", story.fixture), &format!("{}/after", story.fixture));
        assert_eq!(events(&diff), story.events, "{}", story.fixture);
        for (view, name, class, counter, delta) in story.rows {
            let row = row(&diff, view, name);
            let told = (row["class"].as_str(), row["counters"][counter]["delta"].as_i64());
            assert_eq!(told, (Some(*class), *delta), "{}: {view} {name} {counter}", story.fixture);
        }
        for (view, name, note) in story.notes {
            let notes = row(&diff, view, name)["notes"].as_array().expect("notes");
            let told = notes.iter().filter_map(Value::as_str).any(|n| n.starts_with(note));
            assert!(told, "{}: {view} {name}: {notes:?}", story.fixture);
        }
        assert_no_negative_delta(story.fixture, &diff);
    }
}

/// Whatever happened: no counter of no row goes down.
fn assert_no_negative_delta(fixture: &str, diff: &Value) {
    for (view, rows) in diff["views"].as_object().expect("views") {
        for row in rows.as_array().expect("rows") {
            for (name, counter) in row["counters"].as_object().expect("counters") {
                let delta = counter["delta"].as_f64();
                assert!(delta.is_none_or(|d| d >= 0.0), "{fixture}: {view}.{name} {delta:?} in {}", row["key"]);
            }
        }
    }
}

#[test]
fn versions_share_their_columns() {
    let told: Vec<(u8, Value)> = [12, 13, 16, 17, 18]
        .map(|v: u8| (v, diff(&format!("versions/pg{v}/before"), &format!("versions/pg{v}/after"))))
        .into();
    for (version, diff) in &told {
        assert_eq!(row(diff, "pg_stat_checkpointer", "")["counters"]["num_requested"]["delta"], 1, "{version}");
        assert!(row(diff, "pg_stat_checkpointer", "")["counters"]["write_time"]["delta"].is_number(), "{version}");
        let statement = row(diff, STATEMENTS, "select count(*) from customer where city = $1");
        assert_eq!(statement["counters"]["calls"]["delta"], 2, "{version}");
        assert!(statement["counters"]["total_exec_time"]["delta"].as_f64() > Some(0.0), "{version}");
        assert!(statement["counters"]["shared_blk_read_time"]["delta"].is_number(), "{version}");
        assert_eq!(row(diff, TABLES, "invoice")["counters"]["n_tup_ins"]["delta"], 1000, "{version}");
        assert_eq!(row(diff, TABLES, "invoice")["counters"]["n_tup_del"]["delta"], 51, "{version}");
    }
}

#[test]
fn csv_and_json_of_one_moment_are_one_snapshot() {
    // Subtracted from each other: everything there, nothing changed.
    let diff = diff("pg18-odd-names/csv", "pg18-odd-names/json");
    assert_eq!(events(&diff), Vec::<String>::new());
    for name in
        ["\\N", "NULL", "=1+2", "<script>alert(1)</script>", "line\nbreak", "semi;comma,tab\tx", "odd \"quoted\" name"]
    {
        let row = row(&diff, TABLES, name);
        assert_eq!(
            (row["class"].as_str(), row["counters"]["seq_scan"]["delta"].as_i64()),
            (Some("ok"), Some(0)),
            "{name}"
        );
    }
    for rows in diff["views"].as_object().expect("views").values() {
        assert!(rows.as_array().expect("rows").iter().all(|row| row["class"] == "ok"));
    }
}

/// What `inspect` recognised; what it misses for which rules grows with the rules, so only a part of that is given.
fn assert_inspected(fixture: &str, missing: &[&str]) {
    let text = pgretro(&["inspect", &format!("fixtures/{fixture}")]);
    let (recognised, rest) = text.split_once("\nmissing view").unwrap_or((&text, ""));
    assert_snapshot(&format!("inspect-{fixture}"), recognised);
    let rest: Vec<String> = rest.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in missing {
        assert!(rest.iter().any(|told| told.contains(line)), "{fixture}: `{line}` is not said");
    }
}

#[test]
fn what_a_dump_holds_and_lacks_is_said() {
    assert_inspected(
        "pg15-partial",
        &["pg_stat_database connections, locks", "index-duplicate index_definitions is missing"],
    );
    assert_inspected("classic", &["index-duplicate index_definitions lacks indexdef", "pg_stat_statements queries"]);
    assert_inspected("shop", &[]);
    assert_inspected("pg16-held", &["pg_stat_statements queries"]);
}

#[test]
fn changes_read_well() {
    for fixture in ["shop", "pg18-table-reset", "pg16-recreate", "pg15-crash", "pg16-pgss-eviction"] {
        let (before, after) = (format!("fixtures/{fixture}/before"), format!("fixtures/{fixture}/after"));
        let view = if fixture == "pg16-pgss-eviction" { STATEMENTS } else { TABLES };
        let text = pgretro(&["diff", &before, &after, "--view", view, "--top", "3"]);
        assert_snapshot(&format!("diff-{fixture}"), &text);
    }
}

/// Written by hand, each with what goes wrong with such exports.
#[test]
fn exports_written_by_hand_are_doubted() {
    let says = |folder: &str, rule: &str| {
        let report = pgretro(&["report", &format!("fixtures/pg15-by-hand/{folder}"), "--format", "json"]);
        let report: Value = serde_json::from_str(&report).expect("JSON");
        let found = report["findings"].as_array().expect("findings");
        let found: Vec<&Value> = found.iter().filter(|f| f["rule"] == rule).collect();
        assert_eq!(found.len(), 1, "{folder}: {rule}");
        (found[0].to_string(), report["window"]["to"].to_string())
    };
    assert!(says("top", "hyg-truncated-export").0.contains("total_exec_time"));
    let (said, taken) = says("clock", "hyg-clock");
    assert!(said.contains("so the clock was not the server's"), "{said}");
    assert!(taken.contains("T19:13:12"), "the server's time, not New York's: {taken}");
    let (said, _) = says("mixed", "hyg-mixed-nodes");
    assert!(said.contains("went backwards without a reset"), "{said}");
}

#[test]
fn the_strained_server_and_its_standby_counted_so_much() {
    let primary = diff("pg15-strained/before", "pg15-strained/after");
    assert_eq!(row(&primary, TABLES, "movements")["counters"]["n_tup_ins"]["delta"], 50_989);
    let standby = diff("pg15-strained-standby/before", "pg15-strained-standby/after");
    assert_eq!(row(&standby, "pg_stat_database_conflicts", "depot")["counters"]["confl_lock"]["delta"], 9);
}

#[test]
fn the_server_with_a_slow_disk_waited_so_long() {
    let diff = diff("pg15-slow-disk/before", "pg15-slow-disk/after");
    let writer = row(&diff, "pg_stat_checkpointer", "");
    assert_eq!(writer["counters"]["num_requested"]["delta"], 4);
    assert_eq!(writer["counters"]["sync_time"]["delta"], 48_848);
    assert_eq!(row(&diff, TABLES, "entries")["counters"]["n_tup_upd"]["delta"], 874);
}
