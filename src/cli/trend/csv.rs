//! `trend --format csv`: a row for each object and column.

use super::order::Order;
use crate::cli::diff::cell::{exact, float};
use crate::cli::diff::csv::quoted;
use crate::time::Timestamp;
use crate::trend::{Follow, Measure, Object, Objects, Series, Summary};
use rayon::prelude::*;
use std::io::{Result, Write};

const HEADER: &str = "history,view,key,object,column,measure,points,first_at,last_at,first,last,min,max,total,exact,class,\
covered_s,per_s,gaps,trend_points,span_s,slope_per_s,slope_low,slope_high,p,confidence,least_squares_per_s,\
change_after,change_before,change_from,change_to,thinned";

/// Writes all histories; they are numbered from 1.
pub(super) fn write(histories: &[Follow], order: &Order, out: &mut dyn Write) -> Result<()> {
    out.write_all(HEADER.as_bytes())?;
    out.write_all(b"\n")?;
    for (number, history) in histories.iter().enumerate() {
        for view in history.views() {
            for (at, (column, _)) in view.followed.columns.iter().enumerate() {
                if !view.exported.get(*column).copied().unwrap_or(false) {
                    continue;
                }
                let rows: Vec<Vec<u8>> = order
                    .objects(view, at)
                    .into_par_iter()
                    .filter_map(|object| Some(row(number + 1, view, *column, object, object.series.get(at)?)))
                    .collect();
                for row in rows {
                    out.write_all(&row)?;
                }
            }
        }
    }
    Ok(())
}

fn row(history: usize, view: &Objects, column: usize, object: &Object, series: &Series) -> Vec<u8> {
    let summary = Summary::of(series);
    let rate = series.measure == Measure::Rate;
    let mut line = Line(Vec::with_capacity(320));
    line.number(Some(history as f64));
    line.text(view.followed.view.name);
    line.text(&object.key_text());
    line.text(&object.name(view.followed.view));
    line.text(view.followed.view.columns.get(column).map_or("", |c| c.name));
    line.text(if rate { "rate" } else { "level" });
    line.number(Some(series.seen as f64));
    let (first, last) = (series.first(), series.last());
    line.time(first.map(|p| p.0));
    line.time(last.map(|p| p.0));
    for value in [first.map(|p| p.1), last.map(|p| p.1), series.min, series.max] {
        line.number(value);
    }
    line.cell(|out| series.total.filter(|_| rate).iter().for_each(|total| exact(out, *total)));
    line.text(if !rate {
        ""
    } else if series.exact {
        "t"
    } else {
        "f"
    });
    line.text(if rate { series.class.word() } else { "" });
    line.number(rate.then_some(series.covered_s));
    line.number(series.per_second());
    line.number(Some(series.gap_count as f64));
    let fit = summary.trend;
    line.number(Some(fit.map_or(summary.points, |f| f.points) as f64));
    for value in
        [fit.map(|f| f.span_s), fit.map(|f| f.slope), fit.map(|f| f.low), fit.map(|f| f.high), fit.map(|f| f.p)]
    {
        line.number(value);
    }
    line.text(fit.map_or("insufficient", |f| f.confidence.word()));
    line.number(summary.least_squares);
    let change = summary.change;
    line.time(change.map(|c| c.after));
    line.time(change.map(|c| c.before));
    line.number(change.map(|c| c.from));
    line.number(change.map(|c| c.to));
    line.text(if series.is_thinned() { "t" } else { "f" });
    line.end()
}

/// A line of cells.
struct Line(Vec<u8>);

impl Line {
    fn cell(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.0);
        self.0.push(b',');
    }

    /// An empty cell for what is not known.
    fn number(&mut self, x: Option<f64>) {
        self.cell(|out| x.filter(|x| x.is_finite()).iter().for_each(|x| float(out, *x)));
    }

    fn time(&mut self, at: Option<Timestamp>) {
        self.cell(|out| at.iter().for_each(|t| out.extend_from_slice(t.to_string().as_bytes())));
    }

    fn text(&mut self, text: &str) {
        self.cell(|out| {
            if !text.is_empty() {
                quoted(text, out);
            }
        });
    }

    fn end(mut self) -> Vec<u8> {
        self.0.pop();
        self.0.push(b'\n');
        self.0
    }
}
