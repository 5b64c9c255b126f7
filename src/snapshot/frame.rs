//! Rankings and groupings over frames of at most a row per object. The only file that names polars.
//!
//! Below [`PLAIN`] rows the same is done with a sort and a map: starting polars' thread pool costs more than sorting a
//! few thousand rows, and most dumps are small.

use crate::error::{Error, Result};
use polars::prelude::{
    AnyValue, Column, DataFrame, IdxSize, IntoLazy, LazyFrame, NamedFrom, PolarsError, Series, SortMultipleOptions,
    col, len,
};
use std::collections::BTreeMap;

/// Up to this many rows no thread pool is started.
pub const PLAIN: usize = 20_000;

/// Positions of the rows with the largest values, largest first, at most `n`. Unknown values (`None`, not-a-number)
/// stand last; ties are ordered by name bytewise, then by position.
pub fn largest(values: &[Option<f64>], names: &[&str], n: usize) -> Result<Vec<usize>> {
    let rows = values.len().min(names.len());
    if rows <= PLAIN { Ok(largest_plain(values, names, rows, n)) } else { largest_frame(values, names, rows, n) }
}

/// One group of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What the rows have in common.
    pub key: String,
    /// How many rows.
    pub count: u64,
    /// The sum of each value column over the group; unknown values count as nothing.
    pub sums: Vec<f64>,
}

/// Rows with equal keys, counted and summed; the order is count descending, then key bytewise.
pub fn groups(keys: &[&str], values: &[Vec<Option<f64>>]) -> Result<Vec<Group>> {
    let mut out = if keys.len() <= PLAIN { groups_plain(keys, values) } else { groups_frame(keys, values)? };
    out.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
    Ok(out)
}

fn largest_plain(values: &[Option<f64>], names: &[&str], rows: usize, n: usize) -> Vec<usize> {
    let value = |i: usize| values[i].filter(|x| !x.is_nan());
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_unstable_by(|&a, &b| {
        let by_value = match (value(a), value(b)) {
            (Some(x), Some(y)) => y.partial_cmp(&x).unwrap_or(std::cmp::Ordering::Equal),
            (known, other) => other.is_some().cmp(&known.is_some()),
        };
        by_value.then_with(|| names[a].cmp(names[b])).then(a.cmp(&b))
    });
    order.truncate(n);
    order
}

fn largest_frame(values: &[Option<f64>], names: &[&str], rows: usize, n: usize) -> Result<Vec<usize>> {
    let known: Vec<Option<f64>> = values[..rows].iter().map(|v| v.filter(|x| !x.is_nan())).collect();
    let positions: Vec<u64> = (0..rows as u64).collect();
    let frame = frame(
        rows,
        vec![
            Series::new("value".into(), known),
            Series::new("name".into(), &names[..rows]),
            Series::new("row".into(), positions),
        ],
    )?;
    let options = SortMultipleOptions::default()
        .with_order_descending_multi([true, false, false])
        .with_nulls_last_multi([true, false, false]);
    let ordered = frame
        .sort_by_exprs([col("value"), col("name"), col("row")], options)
        .limit(IdxSize::try_from(n).unwrap_or(IdxSize::MAX))
        .select([col("row")])
        .collect()
        .map_err(broken)?;
    let rows = ordered.column("row").and_then(|c| c.u64().cloned()).map_err(broken)?;
    Ok(rows.iter().flatten().map(|row| row as usize).collect())
}

fn groups_plain(keys: &[&str], values: &[Vec<Option<f64>>]) -> Vec<Group> {
    let mut found: BTreeMap<&str, (u64, Vec<f64>)> = BTreeMap::new();
    for (row, key) in keys.iter().enumerate() {
        let group = found.entry(key).or_insert_with(|| (0, vec![0.0; values.len()]));
        group.0 += 1;
        for (sum, column) in group.1.iter_mut().zip(values) {
            *sum += column.get(row).copied().flatten().unwrap_or(0.0);
        }
    }
    found.into_iter().map(|(key, (count, sums))| Group { key: key.to_owned(), count, sums }).collect()
}

fn groups_frame(keys: &[&str], values: &[Vec<Option<f64>>]) -> Result<Vec<Group>> {
    let mut series = vec![Series::new("key".into(), keys)];
    let mut aggregates = vec![len().alias("count")];
    for (at, column) in values.iter().enumerate() {
        let name = format!("value {at}");
        let column: Vec<Option<f64>> = (0..keys.len()).map(|row| column.get(row).copied().flatten()).collect();
        series.push(Series::new(name.as_str().into(), column));
        aggregates.push(col(name.as_str()).sum());
    }
    let grouped = frame(keys.len(), series)?.group_by([col("key")]).agg(aggregates).collect().map_err(broken)?;
    let names = grouped.column("key").and_then(|c| c.str().cloned()).map_err(broken)?;
    let counts = grouped.column("count").map_err(broken)?;
    let sums = (0..values.len())
        .map(|at| grouped.column(&format!("value {at}")).and_then(|c| c.f64().cloned()))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(broken)?;
    Ok((0..grouped.height())
        .map(|row| Group {
            key: names.get(row).unwrap_or_default().to_owned(),
            count: counts.get(row).ok().as_ref().and_then(AnyValue::extract::<u64>).unwrap_or(0),
            sums: sums.iter().map(|column| column.get(row).unwrap_or(0.0)).collect(),
        })
        .collect())
}

fn frame(rows: usize, series: Vec<Series>) -> Result<LazyFrame> {
    let columns = series.into_iter().map(Column::from).collect();
    DataFrame::new(rows, columns).map(IntoLazy::lazy).map_err(broken)
}

/// Our own frames are well formed, so only memory or a defect ends here.
#[expect(clippy::needless_pass_by_value, reason = "a conversion for `map_err`")]
fn broken(error: PolarsError) -> Error {
    Error::input(format!("rank or group rows: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_by_value_then_name() {
        let values = [Some(1.0), None, Some(5.0), Some(5.0), Some(f64::NAN), Some(-0.0)];
        let names = ["a", "b", "z", "c", "d", "e"];
        assert_eq!(largest(&values, &names, 10).unwrap(), [3, 2, 0, 5, 1, 4]);
        assert_eq!(largest(&values, &names, 2).unwrap(), [3, 2]);
        assert_eq!(largest(&[], &[], 3).unwrap(), Vec::<usize>::new());
    }

    #[test]
    fn counts_and_sums() {
        let got = groups(&["b", "a", "b", "c"], &[vec![Some(1.0), None, Some(2.5), Some(4.0)]]).unwrap();
        let rows: Vec<_> = got.iter().map(|g| (g.key.as_str(), g.count, g.sums[0])).collect();
        assert_eq!(rows, [("b", 2, 3.5), ("a", 1, 0.0), ("c", 1, 4.0)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn frames_and_plain_agree(
            rows in prop::collection::vec((prop::option::of(-9_i32..9), "[a-cü]{0,2}"), 0..60), n in 0_usize..70,
        ) {
            let values: Vec<Option<f64>> = rows.iter().map(|(v, _)| v.map(f64::from)).collect();
            let names: Vec<&str> = rows.iter().map(|(_, name)| name.as_str()).collect();
            let plain = largest_plain(&values, &names, rows.len(), n);
            prop_assert_eq!(largest_frame(&values, &names, rows.len(), n).unwrap(), plain);

            let mut framed = groups_frame(&names, std::slice::from_ref(&values)).unwrap();
            framed.sort_by(|a, b| a.key.cmp(&b.key));
            prop_assert_eq!(framed, groups_plain(&names, &[values]));
        }
    }
}
