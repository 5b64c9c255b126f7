//! Checkpoints of the window: what the `ckpt-` rules share.

use super::cure::{Effect, set_system};
use super::statement::{self, Family};
use super::{Context, Skip, checkpoint, show};
use crate::diff::Change;
use crate::finding::{Doubt, Fix, Measure};
use crate::text::counted;
use crate::unit::{Quantity, Unit};

/// The checkpoints of the window and what they rest on.
#[derive(Debug)]
pub struct Checkpoints<'a> {
    /// The row of `pg_stat_checkpointer`.
    pub change: Change<'a>,
    /// Due by time, skipped idle ones included.
    pub timed: f64,
    /// Requested, for whatever reason.
    pub requested: f64,
    /// Of those, asked for by commands that pg_stat_statements saw.
    pub by_commands: f64,
    /// Seconds the counters cover.
    pub window_s: f64,
    /// WAL written in that time, in bytes.
    pub wal_bytes: f64,
    /// Bytes of whole page images in it, at most; `None` before 14.
    pub image_bytes: Option<f64>,
    /// `max_wal_size`, bytes.
    pub max_wal_size: f64,
    /// `checkpoint_timeout`, seconds.
    pub timeout_s: f64,
    /// `checkpoint_completion_target`.
    pub target: f64,
    /// Reasons for doubt.
    pub doubts: Vec<Option<Doubt>>,
}

impl<'a> Checkpoints<'a> {
    /// Reads them; skips below the rule's `min_checkpoints`, or where WAL volume or settings are not known.
    pub fn read(ctx: &Context<'a>) -> Result<Self, Skip> {
        let change = ctx.changes("pg_stat_checkpointer").and_then(|v| v.present().next());
        let change = change.ok_or_else(|| Skip("the last snapshot has no checkpoint counters".to_owned()))?;
        let timed = change.delta("num_timed").unwrap_or(0.0);
        let requested = change.delta("num_requested").unwrap_or(0.0);
        enough(ctx, timed + requested)?;
        let window_s = change
            .covered_s()
            .or(ctx.chain.elapsed_s)
            .filter(|w| *w > 0.0)
            .ok_or_else(|| Skip("the time that the checkpoint counters cover is not known".to_owned()))?;
        let (wal_bytes, image_bytes) =
            wal(ctx, window_s).ok_or_else(|| Skip("the WAL volume of the window is not known".to_owned()))?;
        let setting = |name: &str| ctx.setting(name).and_then(|s| Some((s.value?, s.doubt())));
        let (Some(size), Some(timeout), Some(target)) =
            (setting("max_wal_size"), setting("checkpoint_timeout"), setting("checkpoint_completion_target"))
        else {
            return Err(Skip("max_wal_size or the checkpoint settings are not known".to_owned()));
        };
        let commands = commands(ctx);
        Ok(Self {
            change,
            timed,
            requested,
            by_commands: commands.unwrap_or(0.0).min(requested),
            window_s,
            wal_bytes,
            image_bytes,
            max_wal_size: size.0,
            timeout_s: timeout.0 / 1e3,
            target: target.0,
            doubts: vec![
                ctx.single_doubt(),
                ctx.class_doubt(change),
                size.1.or(timeout.1).or(target.1).or(commands.is_none().then_some(Doubt::C4)),
            ],
        })
    }

    /// All checkpoints less those that commands asked for.
    pub fn own(&self) -> f64 {
        self.timed + self.requested - self.by_commands
    }

    /// WAL between two checkpoints, bytes.
    pub fn wal_each(&self) -> f64 {
        self.wal_bytes / self.own().max(1.0)
    }

    /// WAL at which volume requests the next one, bytes.
    pub fn trigger(&self) -> f64 {
        checkpoint::trigger_distance(self.max_wal_size, self.target)
    }

    /// Seconds between two checkpoints.
    pub fn distance_s(&self) -> f64 {
        self.window_s / self.own().max(1.0)
    }

    /// The distance as a line of evidence.
    pub fn distance(&self, ctx: &Context<'a>) -> Measure {
        ctx.over_window(
            "Distance of checkpoints",
            Quantity::float(self.distance_s(), Unit::Seconds),
            format!("{} ÷ {} checkpoints", show(self.window_s, Unit::Seconds), show(self.own(), Unit::Count)),
            &ctx.ends(self.change, &["num_timed", "num_requested"]),
        )
    }

    /// The `max_wal_size` at which the timeout starts checkpoints at this rate of WAL; `None` where it is as large.
    pub fn larger_max_wal_size(&self) -> Option<Fix> {
        let wanted = checkpoint::size_for_timeout(self.wal_bytes / self.window_s, self.timeout_s, self.target);
        (wanted > self.max_wal_size).then(|| {
            set_system(
                "max_wal_size",
                &format!("{:.0}GB", wanted / 1_073_741_824.0),
                Effect::Reload,
                Some(&format!("{:.0}MB", self.max_wal_size / 1_048_576.0)),
                "The disk of pg_wal has no room for it, or recovery after a crash must stay as short as it is.".into(),
            )
        })
    }
}

/// WAL bytes and page images of a time that ends with the last snapshot.
fn wal(ctx: &Context<'_>, window_s: f64) -> Option<(f64, Option<f64>)> {
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let counted = ctx.changes("pg_stat_wal").and_then(|v| v.present().next()).and_then(|c| {
        let bytes = c.delta("wal_bytes").filter(|b| *b > 0.0)?;
        let images = c.delta("wal_fpi").map(|n| (n * block).min(bytes));
        // The two views can be reset apart: only the same time may be divided by the same checkpoints.
        let same = c.covered_s().is_some_and(|w| (w - window_s).abs() <= 0.02 * window_s);
        same.then_some((bytes, images))
    });
    counted.or_else(|| {
        let (first, last) = (&ctx.chain.first().meta, &ctx.chain.last().meta);
        let whole = ctx.chain.elapsed_s.is_some_and(|w| (w - window_s).abs() <= 0.02 * window_s);
        let bytes = last.wal_lsn?.checked_sub(first.wal_lsn?)? as f64;
        (whole && !ctx.chain.is_single() && bytes > 0.0).then_some((bytes, None))
    })
}

/// Checkpoints that commands asked for; `None` where statements were not recorded.
fn commands(ctx: &Context<'_>) -> Option<f64> {
    let view = ctx.changes("pg_stat_statements").filter(|v| v.last.is_some())?;
    let (mut checkpoint, mut drop, mut create) = (0.0, 0.0, 0.0);
    for change in view.iter() {
        let (Some(text), Some(calls)) = (change.latest().and_then(|r| r.text("query")), change.delta("calls")) else {
            continue;
        };
        if !matches!(statement::family(text), Family::Maintenance | Family::Definition) {
            continue;
        }
        let mut words = statement::words(text);
        match (words.next().as_deref(), words.next().as_deref()) {
            (Some("CHECKPOINT"), _) => checkpoint += calls,
            (Some("DROP"), Some("DATABASE")) => drop += calls,
            (Some("CREATE"), Some("DATABASE")) => create += calls,
            _ => {}
        }
    }
    Some(checkpoint::requested_by_commands(ctx.major(), checkpoint, drop, create))
}

/// Skips where there were fewer checkpoints than the rule's `min_checkpoints`.
pub fn enough(ctx: &Context<'_>, checkpoints: f64) -> Result<(), Skip> {
    let wanted = ctx.threshold("min_checkpoints");
    if checkpoints >= wanted {
        return Ok(());
    }
    Err(Skip(format!(
        "{} in the window, this check needs {}",
        counted(checkpoints as usize, "checkpoint", "checkpoints"),
        show(wanted, Unit::Count)
    )))
}
