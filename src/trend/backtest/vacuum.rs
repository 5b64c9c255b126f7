//! A simulated autovacuum against the verdict on it.

use super::random::Random;
use crate::diff::Options;
use crate::snapshot::literal::literal;
use crate::time::Timestamp;
use crate::trend::outlook::{Given, Outlook};
use crate::trend::sawtooth::Verdict;
use crate::trend::{Follow, Plan, choose};

const LIVE: f64 = 100_000.0;
const TRIGGER: f64 = 50.0 + 0.2 * LIVE;
const HOURS: u32 = 72;

/// How a table's vacuum behaves.
#[derive(Clone, Copy)]
struct Life {
    /// Dead rows made in an hour.
    per_hour: f64,
    /// Minutes that a due table waits for a worker.
    waits: u32,
    /// Dead rows that a vacuum cannot remove, more with each hour.
    held_per_hour: f64,
    /// Hours between resets of the statistics; 0: none.
    resets: u32,
    /// Whether autovacuum is off for the table.
    off: bool,
}

const WELL: Life = Life { per_hour: 1_500.0, waits: 1, held_per_hour: 0.0, resets: 0, off: false };

/// The table minute by minute.
struct Table {
    dead: f64,
    due_for: u32,
    updates: u64,
    vacuums: u32,
    over: u32,
    minutes: u32,
}

impl Table {
    fn minute(&mut self, life: Life, r: &mut Random, hour: u32) {
        let made = life.per_hour / 60.0 * (0.5 + r.share());
        self.dead += made;
        self.updates += made as u64;
        self.minutes += 1;
        self.over += u32::from(self.dead > TRIGGER);
        self.due_for = if self.dead > TRIGGER && !life.off { self.due_for + 1 } else { 0 };
        if self.due_for > life.waits {
            self.vacuums += 1;
            self.due_for = 0;
            self.dead = self.dead.min(life.held_per_hour * f64::from(hour));
        }
    }
}

/// Follows a table's life hour by hour; gives what is said of it, and the share of minutes above the trigger.
fn lived(life: Life, seed: u64) -> (Outlook, f64) {
    let mut r = Random(seed);
    let plan = Plan { followed: choose(&[], &[]).unwrap(), objects: Vec::new(), watched: true };
    let mut follow = Follow::new(plan, Options::default());
    let mut table = Table { dead: TRIGGER * r.share(), due_for: 0, updates: 0, vacuums: 0, over: 0, minutes: 0 };
    let options = if life.off { "{autovacuum_enabled=false}" } else { "" };
    for hour in 0..HOURS {
        for _ in 0..60 {
            table.minute(life, &mut r, hour);
        }
        if life.resets > 0 && hour % life.resets == life.resets - 1 {
            (table.updates, table.vacuums) = (0, 0);
        }
        let at = Timestamp::from_seconds(1_790_000_000 + i64::from(hour) * 3_600);
        // Once vacuumed, a table says so until the next reset.
        let vacuumed = if table.vacuums > 0 { at.plus_seconds(-60.0).to_string() } else { String::new() };
        let row = format!(
            "1 | public | t | {} | {LIVE} | {} | 0 | {} | 0 | 0 | {vacuumed}",
            table.updates, table.dead as i64, table.vacuums
        );
        let snapshot = literal(&at.to_string())
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_tup_upd | n_live_tup | n_dead_tup | n_tup_del | autovacuum_count | \
                 vacuum_count | analyze_count | last_autovacuum",
                &[&row],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | reltuples | reloptions",
                &[&format!("1 | public | t | {LIVE} | {options}")],
            )
            .build();
        follow.push(snapshot, false).unwrap();
    }
    (Outlook::of(&follow, Given::default()), f64::from(table.over) / f64::from(table.minutes))
}

#[test]
fn the_verdict_is_what_the_simulated_vacuum_did() {
    let behind = Life { per_hour: 6_000.0, waits: 180, ..WELL };
    let cases = [
        ("well", WELL, Verdict::KeepsUp),
        ("busy and well", Life { per_hour: 9_000.0, ..WELL }, Verdict::KeepsUp),
        ("behind", behind, Verdict::Lags),
        ("off", Life { off: true, ..WELL }, Verdict::Lags),
        ("held", Life { per_hour: 4_000.0, held_per_hour: 260.0, ..WELL }, Verdict::CannotClean),
        ("too fast to see", Life { per_hour: 90_000.0, ..WELL }, Verdict::CannotTell),
        ("well, with resets", Life { resets: 20, ..WELL }, Verdict::KeepsUp),
        ("behind, with resets", Life { resets: 20, ..behind }, Verdict::Lags),
    ];
    for (name, life, want) in cases {
        for seed in 0..12 {
            let (outlook, over) = lived(life, seed);
            let told = &outlook.dead_rows[0];
            assert_eq!(told.verdict, want, "{name}, seed {seed}: {}; {over:.2} of all minutes over", told.why);
            match want {
                Verdict::KeepsUp => assert!(over < 0.1, "{name}: {over}"),
                Verdict::Lags => assert!(over > 0.25, "{name}: {over}"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_pace_is_the_simulated_one() {
    for seed in 0..20 {
        let (outlook, _) = lived(Life { resets: 25, ..WELL }, seed);
        let pace = outlook.dead_rows[0].pace.unwrap();
        let truth = WELL.per_hour / 3_600.0;
        assert!((pace.median / truth - 1.0).abs() < 0.03, "{pace:?} {truth}");
        assert!(pace.low <= truth * 1.02 && pace.high >= truth * 0.98, "{pace:?} {truth}");
    }
}
