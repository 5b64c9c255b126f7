//! Sequences: how many numbers are left, and for how long.

use super::{place, present, view};
use crate::snapshot::Row;
use crate::trend::forecast::{Forecast, Kind, Speed, when};
use crate::trend::pace::pace;
use crate::trend::watch::Watch;
use crate::trend::{Follow, Part};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

pub(super) fn forecasts(history: &Follow, watch: &Watch) -> Vec<Forecast> {
    let (Some(view), Some(table)) = (view(history, "pg_sequences"), watch.sequences.as_deref()) else {
        return Vec::new();
    };
    let Some(column) = place(view, "last_value") else { return Vec::new() };
    let rows: BTreeMap<(&str, &str), Row<'_>> = table.iter().filter_map(|r| Some((name(r)?, r))).collect();
    let types: BTreeMap<(&str, &str), &str> = watch
        .sequence_columns
        .as_deref()
        .map(|t| t.iter().filter_map(|r| Some((name(r)?, r.text("column_type")?))).collect())
        .unwrap_or_default();
    let at = history.last().and_then(|s| s.meta.taken_at);
    present(view)
        .into_iter()
        .filter_map(|object| {
            let subject = object.name(view.followed.view);
            let [(_, Part::Text(schema)), (_, Part::Text(sequence))] = object.key.as_slice() else { return None };
            let key = (&**schema, &**sequence);
            let left = Left::of(*rows.get(&key)?, types.get(&key).copied())?;
            let series = object.series.get(column)?;
            // Numbers drawn, whatever the direction.
            let speed = pace(series.for_trend().map(|(t, v)| (t, v / left.step as f64))).map(Speed::from);
            let remaining = left.remaining() as f64;
            Some(Forecast {
                kind: Kind::Sequence,
                subject,
                milestone: format!("ends at {}: {}", left.end(), left.why),
                now: left.used(),
                limit: Some(1.0),
                remaining: Some(remaining),
                unit: Unit::Count,
                speed,
                answer: when(Some(remaining), speed.as_ref(), at, true),
                note: left.note,
            })
        })
        .collect()
}

fn name(row: Row<'_>) -> Option<(&str, &str)> {
    Some((row.text("schemaname")?, row.text("sequencename")?))
}

/// What is left of a sequence. Wide integers: differences of bigint overflow 64 bits.
struct Left {
    first: i128,
    last: i128,
    limit: i128,
    step: i128,
    why: String,
    note: Option<String>,
}

impl Left {
    /// `None` where it was never used, cycles or has no limits.
    fn of(row: Row<'_>, column_type: Option<&str>) -> Option<Self> {
        let number = |name| row.int(name).map(i128::from);
        // The smallest bigint stands for NULL in a snapshot, and no sequence is without a smallest value.
        let min = number("min_value").unwrap_or_else(|| i128::from(i64::MIN));
        let (max, last) = (number("max_value")?, number("last_value")?);
        let step = number("increment_by").filter(|n| *n != 0)?;
        if row.bool("cycle") == Some(true) {
            return None;
        }
        let bound = column_type.and_then(|t| match t {
            "smallint" => Some(i128::from(i16::MAX)),
            "integer" => Some(i128::from(i32::MAX)),
            _ => None,
        });
        let up = step > 0;
        let (first, own) = if up { (min, max) } else { (max, min) };
        let limit = match bound {
            Some(b) if up => max.min(b),
            Some(b) => min.max(-b - 1),
            None => own,
        };
        let own_type = row.text("data_type").unwrap_or("sequence");
        let why = match column_type {
            Some(of) if limit != own => format!("its column is {of}"),
            _ => format!("its own limit as {own_type}"),
        };
        let note = (column_type.is_none() && own_type == "bigint")
            .then(|| "the type of its column is not exported: it may end earlier".to_owned());
        (first != limit).then_some(Self { first, last, limit, step, why, note })
    }

    /// The last number there is.
    fn end(&self) -> String {
        i64::try_from(self.limit).map_or_else(|_| self.limit.to_string(), |n| Quantity::int(n, Unit::Count).human())
    }

    fn remaining(&self) -> i128 {
        ((self.limit - self.last) / self.step).max(0)
    }

    fn used(&self) -> f64 {
        ((self.last - self.first) as f64 / (self.limit - self.first) as f64).clamp(0.0, 1.0)
    }
}
