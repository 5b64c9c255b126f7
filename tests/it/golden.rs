//! A report with every block and every kind of cell, for the renderers: `fixtures/report/golden.json`.
//!
//! Built here so that a change of the model cannot leave the fixture behind. `PGRETRO_BLESS=1` writes it anew.

use pgretro::finding::{
    Confidence, Doubt, Effort, Evidence, Finding, Fix, Locator, Measure, Risk, Severity, Subject, SubjectKind, Verb,
};
use pgretro::report::{
    Action, Against, AreaState, Bar, Block, Bound, Card, Category, Cell, Chart, CheckLine, ChecklistGroup, Column,
    ColumnKind, CoverageItem, CoverageState, Deduction, EvidenceEntry, Fact, Horizon, Line, Mark, MarkKind, Meaning,
    NoteKind, Order, Panel, Part, Report, ReportFinding, Row, SCHEMA, Section, Since, Spark, SqlBlock, Standing, Table,
    Verdict, Window,
};
use pgretro::text::Text;
use pgretro::time::Timestamp;
use pgretro::unit::{Quantity, Unit};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/report/golden.json");

/// Names that would break HTML, Markdown, SQL, terminals or layouts.
const HOSTILE: [&str; 6] = [
    "public.</script><script>alert(1)</script>",
    "public.a|b`c``d",
    "public.\"><img src=x onerror=alert(1)>",
    "sales.=cmd|' /C calc'!A0\nnext line",
    "public.\u{202e}txt.exe\u{1b}[31m\u{7}",
    "größe.🐘🐘_table_with_a_name_of_sixty_three_bytes_0123456789_abcdefghij",
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("literal time").0
}

fn int(value: i64, unit: Unit) -> Quantity {
    Quantity::int(value, unit)
}

fn float(value: f64, unit: Unit) -> Quantity {
    Quantity::float(value, unit).expect("finite literal")
}

fn changed(value: Quantity, change: Quantity) -> Cell {
    Cell::Number { value, change: Some(change), bound: None }
}

fn bound(value: Quantity, bound: Bound) -> Cell {
    Cell::Number { value, change: None, bound: Some(bound) }
}

fn column(label: &str, kind: ColumnKind) -> Column {
    Column { label: label.to_owned(), kind, order: None }
}

fn row(cells: Vec<Cell>) -> Row {
    Row { cells, detail: vec![] }
}

fn section(id: &str, title: &str, count: Option<u64>, blocks: Vec<Block>) -> Section {
    Section { id: id.to_owned(), title: title.to_owned(), filled: true, count, blocks }
}

fn missing(id: &str, title: &str, why: &str) -> Section {
    Section {
        id: id.to_owned(),
        title: title.to_owned(),
        filled: false,
        count: None,
        blocks: vec![Block::Note { kind: NoteKind::Missing, text: Text::from(why) }],
    }
}

fn evidence(view: &str, columns: &[&str], object: &str, formula: Option<&str>) -> Evidence {
    let place = |snapshot: &str, line: u32| Locator {
        snapshot: snapshot.to_owned(),
        file: format!("shop-{snapshot}/{view}.csv"),
        place: format!("line {line}"),
    };
    Evidence {
        view: view.to_owned(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        object: object.to_owned(),
        locators: vec![place("A", 17), place("B", 18)],
        formula: formula.map(str::to_owned),
    }
}

fn measures() -> Vec<Measure> {
    vec![
        Measure {
            label: "Dead rows".to_owned(),
            before: Some(int(1_204, Unit::Rows)),
            after: Some(int(48_200, Unit::Rows)),
            window: Some(int(46_996, Unit::Rows)),
            at_least: false,
            evidence: evidence("pg_stat_user_tables", &["n_dead_tup"], "public.orders", None),
        },
        Measure {
            label: "× of its autovacuum trigger".to_owned(),
            before: None,
            after: Some(float(4.017, Unit::Times)),
            window: None,
            at_least: false,
            evidence: evidence(
                "pg_stat_user_tables",
                &["n_dead_tup"],
                "public.orders",
                Some("48,200 ÷ (50 + 0.2 × 59,750) = 4.017"),
            ),
        },
    ]
}

fn finding(rule: &str, severity: Severity, subject: Subject, title: Text, fixes: Vec<Fix>) -> Finding {
    Finding {
        rule: rule.to_owned(),
        subject,
        members: vec![],
        severity,
        doubts: vec![],
        at_most: None,
        title,
        why: Text::new()
            .t("A sequential scan reads ")
            .n(int(9_126_805_504, Unit::Bytes))
            .t(" in place of ")
            .strong("half of it")
            .t(", ")
            .n(float(0.447, Unit::Share))
            .t(" of the rows are dead (see ")
            .link("vacuum", "Vacuum")
            .t(")."),
        not: Some(Text::new().t("Not a long transaction: the oldest is ").n(float(12.5, Unit::Seconds)).t(" old.")),
        measures: measures(),
        fixes,
        verify: Text::new().t("Dead rows under the trigger of ").n(int(12_000, Unit::Rows)).t(" in the next snapshot."),
        deadline: None,
        effort: Effort::S,
        share: Some(0.62),
        of_one_execution: false,
        nodes: vec![],
    }
}

fn findings() -> Vec<ReportFinding> {
    let table = |name: &str| Subject::new(SubjectKind::Table, name);
    let vacuum = Fix {
        verb: Verb::Maintain,
        object: "public.orders".to_owned(),
        sql: "VACUUM (ANALYZE) \"public\".\"orders\";".to_owned(),
        risk: Risk::R1,
        lock: "SHARE UPDATE EXCLUSIVE".to_owned(),
        when_not: Some(Text::from("In a peak hour without vacuum_cost_delay: it reads the whole table.")),
        undo: None,
        keeps: Vec::new(),
        instead: false,
        leads: None,
        role_setting: None,
    };
    let drop = Fix {
        verb: Verb::Drop,
        object: HOSTILE[0].to_owned(),
        sql: "-- undo: CREATE INDEX \"</script>\" ON \"public\".\"orders\" USING btree (\"a\"\"b\")\n\
              DROP INDEX CONCURRENTLY \"public\".\"</script><script>alert(1)</script>\";"
            .to_owned(),
        risk: Risk::R3,
        lock: "SHARE UPDATE EXCLUSIVE, not inside a transaction".to_owned(),
        when_not: Some(Text::new().t("A standby may read it: check ").code("pg_stat_user_indexes").t(" there first.")),
        undo: Some(
            "CREATE INDEX CONCURRENTLY \"</script>\" ON \"public\".\"orders\" USING btree (\"a\"\"b\");".to_owned(),
        ),
        keeps: Vec::new(),
        instead: false,
        leads: None,
        role_setting: None,
    };
    let look = Fix {
        verb: Verb::Diagnose,
        object: "server".to_owned(),
        sql: "SELECT pid, state, xact_start FROM pg_stat_activity ORDER BY xact_start NULLS LAST LIMIT 5;".to_owned(),
        risk: Risk::R0,
        lock: "no lock".to_owned(),
        when_not: None,
        undo: None,
        keeps: Vec::new(),
        instead: false,
        leads: None,
        role_setting: None,
    };
    let mut critical = finding(
        "wrap-xid-age",
        Severity::Critical,
        Subject::new(SubjectKind::Database, "shop"),
        Text::new()
            .t("Transaction ids of ")
            .name("shop")
            .t(" are ")
            .n(int(1_930_000_000, Unit::Xids))
            .t(" old; writes stop at ")
            .n(int(2_146_483_648, Unit::Xids)),
        vec![look],
    );
    critical.deadline = Some(at("2026-11-27 00:00:00+00"));
    critical.effort = Effort::M;
    let dead = finding(
        "vacuum-dead-tuples",
        Severity::High,
        table("public.orders"),
        Text::new()
            .t("Dead rows of ")
            .name("public.orders")
            .t(" stand at ")
            .n(float(4.017, Unit::Times))
            .t(" of the autovacuum trigger"),
        vec![vacuum],
    );
    let mut unused = finding(
        "index-unused",
        Severity::Low,
        table("public.orders"),
        Text::new().n(int(12, Unit::Count)).t(" indexes were never scanned in ").n(float(3_456_000.0, Unit::Seconds)),
        vec![drop],
    );
    unused.members = HOSTILE.iter().chain(&HOSTILE).map(|name| Subject::new(SubjectKind::Index, *name)).collect();
    unused.doubts = vec![Doubt::C3, Doubt::C8];
    unused.not = None;
    let mut info = finding(
        "hyg-window-short",
        Severity::Info,
        Subject::new(SubjectKind::Data, "dump"),
        Text::new().t("The window of ").n(float(300.0, Unit::Seconds)).t(" is too short for 9 checks"),
        vec![],
    );
    info.doubts = vec![Doubt::C2];
    info.share = None;
    let medium = finding(
        "table-seq-scan-heavy",
        Severity::Medium,
        table(HOSTILE[1]),
        Text::new().name(HOSTILE[1]).t(" is read completely ").n(float(31.4, Unit::PerDay)),
        vec![],
    );
    [critical, dead, medium, unused, info]
        .into_iter()
        .enumerate()
        .map(|(i, finding)| ReportFinding {
            number: format!("F-{:02}", i + 1),
            id: format!("{:016x}", 0x1234_5678_9abc_def0_u64 + i as u64),
            confidence: finding.confidence(),
            evidence: vec![format!("E{}", 2 * i + 1), format!("E{}", 2 * i + 2)],
            since: Some(if i == 1 { "new" } else { "unchanged" }.to_owned()),
            baseline: (i == 1).then(|| Against {
                standing: Standing::Worse,
                was: Some(Severity::Medium),
                remark: "was medium".to_owned(),
            }),
            withdrawn: if i == 3 { vec!["public.orders_pkey serves it: it stays".to_owned()] } else { vec![] },
            finding,
        })
        .collect()
}

fn verdict() -> Verdict {
    let category = |name: &str, score: Option<f64>, deductions: Vec<Deduction>, remark: Option<&str>| Category {
        name: name.to_owned(),
        score,
        at_most: name == "Queries",
        evaluated: 4,
        applicable: if name == "Queries" { 9 } else { 4 },
        deductions,
        remark: remark.map(str::to_owned),
    };
    let deduction = |finding: &str, rule: &str, points: f64, formula: &str| Deduction {
        findings: vec![finding.to_owned()],
        rule: rule.to_owned(),
        points,
        formula: formula.to_owned(),
    };
    Verdict {
        headline: Text::from("Act now: writes stop within days at the measured rate."),
        reason: Text::new()
            .t("Transaction ids of ")
            .name("shop")
            .t(" are ")
            .n(int(1_930_000_000, Unit::Xids))
            .t(" old ")
            .link("e1", "E1")
            .t("."),
        basis: Text::from("Based on 24 of 29 expected sources. Replication was not assessed."),
        score: Some(6.1),
        score_at_most: false,
        score_formula: "(1.5 × 4 + 1.2 × 7.5) ÷ 2.7".to_owned(),
        score_evidence: Some("E1".to_owned()),
        categories: vec![
            category(
                "Wraparound",
                Some(4.0),
                vec![deduction("F-01", "wrap-xid-age", 5.0, "5 × 1 × 1")],
                Some("capped at 4.0: a critical finding of high confidence"),
            ),
            category(
                "Vacuum",
                Some(7.5),
                vec![deduction("F-02", "vacuum-dead-tuples", 2.43, "3 × 1 × 0.81")],
                Some("capped at 7.5: a high finding of high confidence"),
            ),
            category("Queries", Some(9.2), vec![], None),
            category("Locks", Some(10.0), vec![], None),
            category("Replication", None, vec![], Some("pg_replication_slots not in the dump")),
        ],
        counts: Severity::WORST_FIRST.iter().map(|s| (*s, 1)).collect(),
        since: Some(Since { new: 1, unchanged: 4, fixed: 2 }),
    }
}

fn tables_section() -> Section {
    let spark = |points: Vec<Option<f64>>| {
        Cell::Spark(Spark {
            points,
            resets: vec![3],
            restarts: vec![5],
            label: "2, 3, 5, reset, 1, 4 scans".to_owned(),
        })
    };
    let rows = HOSTILE
        .iter()
        .chain(&["public.orders"])
        .enumerate()
        .map(|(i, name)| {
            let i = i as i64;
            Row {
                cells: vec![
                    Cell::name(*name),
                    changed(int(81_920 << i, Unit::Bytes), int(8_192 * (i - 2), Unit::Bytes)),
                    changed(int(1_000 - i, Unit::Rows), int(0, Unit::Rows)),
                    Cell::Bar(Bar {
                        value: float(0.1 * i as f64, Unit::Share),
                        fraction: 0.1 * i as f64,
                        mark: Some(0.5),
                    }),
                    if i == 3 {
                        Cell::NotAvailable("counters were reset in the window".to_owned())
                    } else {
                        bound(int(412 + i, Unit::Count), if i == 2 { Bound::AtLeast } else { Bound::AtMost })
                    },
                    if i == 4 { Cell::None } else { Cell::number(float(3.25, Unit::PerSecond)) },
                    spark(vec![Some(2.0), Some(3.0), Some(5.0), None, Some(1.0), Some(4.0)]),
                ],
                detail: vec![
                    Block::Prose {
                        text: Text::new().t("Autovacuum ran ").n(Quantity::time(at("2026-11-22 14:22:11+00"))).t("."),
                    },
                    Block::Facts {
                        title: "Place in the files".to_owned(),
                        items: vec![Fact {
                            label: "A".to_owned(),
                            value: Cell::code("shop-A/pg_stat_user_tables.csv line 17"),
                        }],
                    },
                ],
            }
        })
        .collect();
    section(
        "tables",
        "Tables",
        Some(1_207),
        vec![
            Block::Chart(Chart::Strip {
                title: "Where the 8.5 GB are".to_owned(),
                source: Text::new(),
                parts: vec![
                    Part { label: "tables".to_owned(), value: int(6_442_450_944, Unit::Bytes) },
                    Part { label: "indexes".to_owned(), value: int(2_147_483_648, Unit::Bytes) },
                    Part { label: "TOAST".to_owned(), value: int(536_870_912, Unit::Bytes) },
                ],
            }),
            Block::Table(Table {
                id: "tables".to_owned(),
                title: "Tables at snapshot B".to_owned(),
                about: Text::new()
                    .t("Change since A beside each value. From ")
                    .code("pg_stat_user_tables")
                    .t(" ")
                    .link("e3", "E3"),
                columns: vec![
                    column("Table", ColumnKind::Name),
                    column("Size", ColumnKind::Number),
                    column("Live rows", ColumnKind::Number),
                    column("Dead share", ColumnKind::Graphic),
                    column("Seq scans", ColumnKind::Number),
                    column("Scans/s", ColumnKind::Number),
                    column("History", ColumnKind::Graphic),
                ],
                rows,
                rows_in_all: 1_207,
                totals: vec![
                    Cell::text("1,207 tables"),
                    Cell::number(int(9_126_805_504, Unit::Bytes)),
                    Cell::number(int(6_979, Unit::Rows)),
                    Cell::None,
                    Cell::None,
                    Cell::None,
                    Cell::None,
                ],
                empty: "None found".to_owned(),
            }),
            Block::Note {
                kind: NoteKind::Info,
                text: Text::new().t("All rows: ").code("pgretro diff A B --view pg_stat_user_tables --format csv"),
            },
        ],
    )
}

fn queries_section() -> Section {
    section(
        "queries",
        "Queries and functions",
        Some(1),
        vec![
            Block::Table(Table {
                id: "statements".to_owned(),
                title: "Top statements in the window".to_owned(),
                about: Text::from("Differences of pg_stat_statements, by execution time."),
                columns: vec![
                    column("Statement", ColumnKind::Name),
                    column("Calls", ColumnKind::Number),
                    column("Share", ColumnKind::Graphic),
                    column("P95", ColumnKind::Number),
                    column("Severity", ColumnKind::Text),
                    column("How sure", ColumnKind::Text),
                ],
                rows: vec![Row {
                    cells: vec![
                        Cell::code("SELECT * FROM \"</script>\" WHERE a = $1 /* ``` */"),
                        Cell::number(int(9_007_199_254_740_993, Unit::Count)),
                        Cell::Bar(Bar { value: float(0.999_99, Unit::Share), fraction: 1.0, mark: None }),
                        bound(float(10.83, Unit::Ms), Bound::AtMost),
                        Cell::Severity(Severity::High),
                        Cell::Confidence(Confidence::Medium),
                    ],
                    detail: vec![Block::Code {
                        language: "sql".to_owned(),
                        text: "SELECT *\n  FROM \"</script>\"\n WHERE a = $1 /* ``` ```` @user #12 */".to_owned(),
                    }],
                }],
                rows_in_all: 1,
                totals: vec![],
                empty: "No statement ran in the window".to_owned(),
            }),
            Block::Details {
                summary: Text::new().n(int(2, Unit::Count)).t(" functions"),
                blocks: vec![Block::Table(Table {
                    id: "functions".to_owned(),
                    title: "Functions".to_owned(),
                    about: Text::from("pg_stat_user_functions"),
                    columns: vec![column("Function", ColumnKind::Name), column("Calls", ColumnKind::Number)],
                    rows: vec![],
                    rows_in_all: 0,
                    totals: vec![],
                    empty: "No function was called; track_functions is none".to_owned(),
                })],
            },
        ],
    )
}

fn changed_and_trends() -> [Section; 2] {
    let line = |name: &str, before, after, emphasised| Line {
        name: name.to_owned(),
        before: int(before, Unit::Rows),
        after: int(after, Unit::Rows),
        change: Some(int(after - before, Unit::Rows)),
        emphasised,
    };
    let day = |n: i64| at("2026-11-15 09:00:00+00").plus_seconds(86_400.0 * n as f64);
    let panel = |title: &str, value: Quantity, points: Vec<Option<f64>>| Panel {
        title: title.to_owned(),
        value,
        change: Some(int(81_920, Unit::Bytes)),
        known_up_to: points.last().is_some_and(Option::is_none).then_some(7),
        points: points.into_iter().enumerate().map(|(i, p)| (day(i as i64), p)).collect(),
        marks: vec![
            Mark { at: day(2), kind: MarkKind::Reset, label: "statistics reset 17 Nov 2026 09:00 UTC".to_owned() },
            Mark { at: day(4), kind: MarkKind::Restart, label: "restart 19 Nov 2026 09:00 UTC".to_owned() },
        ],
    };
    [
        section(
            "changed",
            "What changed from A to B",
            Some(3),
            vec![
                Block::Heading { text: "Dead rows".to_owned() },
                Block::Chart(Chart::Slope {
                    title: "Dead rows from A to B".to_owned(),
                    source: Text::new().link("e1", "E1"),
                    lines: vec![
                        line("public.orders", 1_204, 48_200, true),
                        line(HOSTILE[2], 48, 55, false),
                        line(HOSTILE[4], 32, 9, false),
                    ],
                }),
                Block::Prose { text: Text::from("71 measures did not change; no setting changed.") },
            ],
        ),
        section(
            "trends",
            "Trends and forecasts",
            None,
            vec![Block::Chart(Chart::Multiples {
                title: "Eight snapshots".to_owned(),
                source: Text::new().link("e2", "E2"),
                panels: vec![
                    panel(
                        "Database size",
                        int(9_126_805_504, Unit::Bytes),
                        [9.0e9, 9.01e9, 9.03e9, 9.06e9, 9.08e9, 9.1e9, 9.11e9, 9_126_805_504.0].map(Some).to_vec(),
                    ),
                    panel(
                        "Transactions per second",
                        float(132.0, Unit::PerSecond),
                        vec![Some(100.0), Some(110.0), None, Some(90.0), Some(95.0), Some(99.0), Some(120.0), None],
                    ),
                ],
            })],
        ),
    ]
}

fn lookup_sections() -> Vec<Section> {
    vec![
        section(
            "indexes",
            "Indexes",
            Some(1),
            vec![Block::Table(Table {
                id: "indexes".to_owned(),
                title: "Indexes".to_owned(),
                about: Text::from("pg_stat_user_indexes, index_definitions"),
                columns: vec![
                    column("Index", ColumnKind::Name),
                    Column { order: Some(Order::Descending), ..column("Scans", ColumnKind::Number) },
                    column("Mean time", ColumnKind::Number),
                    column("State", ColumnKind::Text),
                ],
                rows: vec![row(vec![
                    Cell::name(HOSTILE[3]),
                    changed(int(0, Unit::Count), int(0, Unit::Count)),
                    Cell::Change { change: float(-0.25, Unit::Ms), meaning: Some(Meaning::Better) },
                    Cell::Text(Text::new().t("too early to judge: ").n(float(432_000.0, Unit::Seconds))),
                ])],
                rows_in_all: 1,
                totals: vec![],
                empty: "None found".to_owned(),
            })],
        ),
        queries_section(),
        section("vacuum", "Vacuum", None, vec![Block::Prose { text: Text::from("One table is over its trigger.") }]),
        section(
            "connections",
            "Connections",
            Some(8),
            vec![Block::Facts {
                title: "At the last capture".to_owned(),
                items: vec![
                    Fact { label: "Sessions".to_owned(), value: Cell::number(int(8, Unit::Count)) },
                    Fact { label: "Longest transaction".to_owned(), value: Cell::number(float(12.5, Unit::Seconds)) },
                    Fact { label: "Peak".to_owned(), value: Cell::NotAvailable("two instants only".to_owned()) },
                ],
            }],
        ),
        section(
            "locks",
            "Locks",
            Some(0),
            vec![Block::Prose {
                text: Text::from("No session waited at either capture. Two instants cannot exclude short waits."),
            }],
        ),
        missing("io", "I/O, WAL, checkpoints, replication", "Not captured: pg_stat_wal, pg_stat_checkpointer."),
        section(
            "settings",
            "Settings",
            Some(352),
            vec![Block::Note {
                kind: NoteKind::Warning,
                text: Text::new()
                    .t("Settings are from ")
                    .n(Quantity::time(at("2026-11-21 09:00:00+00")))
                    .t(", not from the last snapshot."),
            }],
        ),
    ]
}

fn act_sections() -> Vec<Section> {
    vec![
        section(
            "plan",
            "Recommendations",
            Some(2),
            vec![Block::Table(Table {
                id: "plan".to_owned(),
                title: "Recommendations by horizon".to_owned(),
                about: Text::from("Order: deadline, impact × confidence ÷ effort, risk."),
                columns: vec![
                    column("Action", ColumnKind::Name),
                    column("Horizon", ColumnKind::Text),
                    column("Priority", ColumnKind::Number),
                    column("Finding", ColumnKind::Text),
                ],
                rows: vec![row(vec![
                    Cell::Text(Text::new().t("Vacuum ").name("public.orders")),
                    Cell::text("immediate"),
                    Cell::number(int(1, Unit::Plain)),
                    Cell::Text(Text::new().link("f-02", "F-02")),
                ])],
                rows_in_all: 1,
                totals: vec![],
                empty: "No action needed".to_owned(),
            })],
        ),
        missing("bench", "Benchmarks", "Not captured: pg_stat_statements."),
        section(
            "pre",
            "Before a stress test",
            Some(3),
            vec![Block::Checklist {
                groups: vec![
                    ChecklistGroup {
                        title: "Before".to_owned(),
                        items: vec![
                            Text::new().t("Vacuum ").name("public.orders").t(" (").link("f-02", "F-02").t(")"),
                            Text::from("Take a dump right before the test; do not reset statistics."),
                        ],
                    },
                    ChecklistGroup {
                        title: "After".to_owned(),
                        items: vec![Text::new().t("Compare: ").code("pgretro report BEFORE AFTER")],
                    },
                ],
            }],
        ),
        section(
            "sql",
            "SQL in run order",
            Some(1),
            vec![Block::Sql(SqlBlock {
                title: "Vacuum".to_owned(),
                sql: "VACUUM (ANALYZE) \"public\".\"orders\";".to_owned(),
                lock: "SHARE UPDATE EXCLUSIVE".to_owned(),
                findings: vec!["F-02".to_owned()],
                when_not: Some(Text::from("In a peak hour.")),
                undo: None,
                nodes: vec!["depot".to_owned()],
            })],
        ),
        section("evidence", "Evidence", Some(10), vec![Block::Evidence]),
        section(
            "glossary",
            "Glossary",
            None,
            vec![Block::Facts {
                title: "Terms of this report".to_owned(),
                items: vec![Fact {
                    label: "Dead row".to_owned(),
                    value: Cell::text("An old row version that vacuum has not removed yet."),
                }],
            }],
        ),
    ]
}

fn coverage_section() -> Section {
    let item = |name: &str, state, remark: &str, how: &str| CoverageItem {
        name: name.to_owned(),
        state,
        remark: remark.to_owned(),
        in_short: String::new(),
        how_to_get: how.to_owned(),
    };
    section(
        "coverage",
        "Provenance and coverage",
        None,
        vec![
            Block::Facts {
                title: "Window".to_owned(),
                items: vec![
                    Fact { label: "Length".to_owned(), value: Cell::number(float(86_400.0, Unit::Seconds)) },
                    Fact {
                        label: "SHA-256".to_owned(),
                        value: Cell::code("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
                    },
                ],
            },
            Block::Coverage {
                items: vec![
                    item("pg_stat_user_tables", CoverageState::Captured, "1,207 rows", ""),
                    item("pg_prepared_xacts", CoverageState::Empty, "no rows", ""),
                    item("pg_stat_wal", CoverageState::Missing, "disables section io, 3 checks", "pgretro export-sql"),
                    item("pg_stat_checkpointer", CoverageState::NotApplicable, "PostgreSQL 17 and later", ""),
                ],
            },
        ],
    )
}

fn sections() -> Vec<Section> {
    let mut out = vec![
        section("verdict", "shop", None, vec![Block::Verdict, Block::Scores]),
        section(
            "actions",
            "Top 3 actions",
            Some(1),
            vec![Block::Cards {
                cards: vec![Card {
                    title: Text::new().t("Vacuum ").name("public.orders"),
                    why: Text::new().n(int(48_200, Unit::Rows)).t(" dead rows, over the trigger."),
                    severity: Severity::High,
                    confidence: Confidence::High,
                    effort: "minutes".to_owned(),
                    findings: vec!["F-02".to_owned()],
                }],
            }],
        ),
        section(
            "overview",
            "Overview",
            None,
            vec![Block::Table(Table {
                id: "health".to_owned(),
                title: "Health overview".to_owned(),
                about: Text::from("By area."),
                columns: vec![column("Area", ColumnKind::Name), column("State", ColumnKind::Text)],
                rows: vec![
                    row(vec![Cell::text("Vacuum"), Cell::Severity(Severity::High)]),
                    row(vec![Cell::text("Locks"), Cell::State(AreaState::Good)]),
                    row(vec![Cell::text("Security"), Cell::State(AreaState::PartlyAssessed)]),
                    row(vec![Cell::text("Replication"), Cell::State(AreaState::NotAssessed)]),
                ],
                rows_in_all: 4,
                totals: vec![],
                empty: "Nothing was assessed".to_owned(),
            })],
        ),
        coverage_section(),
        section(
            "findings",
            "Findings",
            Some(5),
            vec![
                Block::Findings,
                Block::Checks { states: vec!["passed".to_owned()] },
                Block::Checks { states: vec!["skipped".to_owned(), "failed".to_owned()] },
            ],
        ),
    ];
    out.extend(changed_and_trends());
    out.push(tables_section());
    out.extend(lookup_sections());
    out.extend(act_sections());
    out
}

/// The report.
pub fn golden() -> Report {
    let findings = findings();
    let register = findings
        .iter()
        .flat_map(|f| f.finding.measures.iter().zip(&f.evidence))
        .map(|(measure, id)| EvidenceEntry {
            id: id.clone(),
            label: format!("{} of {}", measure.label, measure.evidence.object),
            values: [("A", measure.before), ("B", measure.after), ("window", measure.window)]
                .into_iter()
                .filter_map(|(label, value)| value.map(|v| (label.to_owned(), v)))
                .collect(),
            evidence: measure.evidence.clone(),
        })
        .collect();
    let actions = vec![Action {
        rank: 1,
        title: Text::new().t("Vacuum ").name("public.orders"),
        findings: vec!["F-02".to_owned()],
        horizon: Horizon::Immediate,
        severity: Severity::High,
        impact: 4,
        confidence: Confidence::High,
        effort: Effort::S,
        deadline: Some(at("2026-11-27 00:00:00+00")),
        fixes: findings[1].finding.fixes.clone(),
        verify: findings[1].finding.verify.clone(),
        remarks: vec!["the index of F-04 stays: it replaces another".to_owned()],
    }];
    let check = |rule: &str, title: &str, state: &str, remark: &str| CheckLine {
        rule: rule.to_owned(),
        title: title.to_owned(),
        state: state.to_owned(),
        remark: remark.to_owned(),
        evidence: vec!["E1".to_owned(), "E3".to_owned()],
    };
    Report {
        schema: SCHEMA,
        id: "7f3a91c2d4e5f607".to_owned(),
        generator: "pgretro 0.1.0".to_owned(),
        rules: "30 rules, defaults".to_owned(),
        redacted: Vec::new(),
        title: "shop".to_owned(),
        window: Window {
            from: Some(at("2026-11-21 14:22:11.592820+00")),
            to: Some(at("2026-11-22 14:22:11.592820+00")),
            elapsed_s: Some(86_400.0),
            snapshots: 2,
            server: "PostgreSQL 15.18".to_owned(),
            sources: 24,
            sources_expected: 29,
        },
        verdict: verdict(),
        servers: vec![],
        exceptions: None,
        baseline: None,
        findings,
        checks: vec![
            check("wrap-xid-age", "Transaction ids old", "found", "2 databases"),
            check("index-invalid", "Invalid index", "passed", "0 of 16 indexes are invalid"),
            check("query-top-time", "Statement takes most time", "skipped", "pg_stat_statements was not captured"),
            check("seq-exhaustion", "Sequence runs out", "failed", "a bug: please report it"),
        ],
        actions,
        sections: sections(),
        evidence: register,
    }
}

#[test]
fn fixture_is_the_golden_report() {
    let json = serde_json::to_string_pretty(&golden()).expect("a report is JSON") + "\n";
    if std::env::var_os("PGRETRO_BLESS").is_some() {
        std::fs::write(PATH, &json).expect("write the fixture");
    }
    let stored = std::fs::read_to_string(PATH).expect("read the fixture");
    assert!(stored == json, "fixtures/report/golden.json is not the golden report; run with PGRETRO_BLESS=1");
    let read: Report = serde_json::from_str(&stored).expect("the fixture is a report");
    assert!(read == golden(), "a report does not survive JSON");
}
