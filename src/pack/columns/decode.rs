//! A column of a row group, its values by table.

use super::broken;
use crate::catalog::Type;
use crate::snapshot::{Data, Ints, TextData};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::Result;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

/// Rows that are decoded at once where nobody asks for all.
const BATCH: usize = 8192;

/// Memory that one column after the other is decoded in: new memory costs as much as decoding.
#[derive(Default)]
pub(super) struct Room {
    levels: Vec<i16>,
    pub values: Vec<i64>,
    part: Vec<i64>,
}

/// Memory of columns that nobody needs any more, for those that are read next.
#[derive(Clone, Debug, Default)]
pub(in crate::pack) struct Spare(Arc<Mutex<Vec<Vec<i64>>>>);

impl Spare {
    /// About as many as a view of tables has columns.
    const MOST: usize = 32;

    fn take(&self) -> Vec<i64> {
        self.0.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }

    /// Takes a column's memory.
    pub fn give(&self, column: Column) {
        if let (Column::Int(values), Ok(mut spare)) = (column, self.0.lock())
            && spare.len() < Self::MOST
            && values.capacity() > BATCH
        {
            spare.push(values);
        }
    }
}

/// To which of several tables each row belongs.
pub(super) struct Slots {
    pub of: Vec<usize>,
    /// The rows of each table.
    rows: Vec<Vec<u32>>,
}

impl Slots {
    pub fn new(of: Vec<usize>, count: usize) -> Self {
        let mut rows = vec![Vec::with_capacity(of.len() / count.max(1)); count];
        for (row, slot) in of.iter().enumerate() {
            if let Some(rows) = rows.get_mut(*slot) {
                rows.push(row as u32);
            }
        }
        Self { of, rows }
    }
}

/// A column as it stands in a row group.
#[derive(Debug)]
pub(in crate::pack) enum Column {
    /// Whole numbers and times; NULL is [`Ints::NULL`].
    Int(Vec<i64>),
    /// Texts, those that repeat beside each other once, and for each row which of them is its own.
    Text { runs: Vec<Option<String>>, of: Vec<u32> },
    /// Any other.
    Other(Data),
}

impl Column {
    /// The values of some rows.
    pub fn pick(&self, ty: Type, rows: &[u32]) -> Data {
        let mut out = Data::for_type(ty);
        match (self, &mut out) {
            (Self::Int(values), Data::Int(ints)) => {
                for row in rows {
                    ints.push(values.get(*row as usize).copied().unwrap_or(Ints::NULL));
                }
            }
            (Self::Text { runs, of }, Data::Text(texts)) => {
                let run = |row: &u32| runs.get(*of.get(*row as usize)? as usize)?.as_deref();
                for row in rows {
                    texts.push(run(row));
                }
            }
            (Self::Other(data), out) => rows.iter().for_each(|row| out.push_from(data, *row as usize)),
            (_, out) => rows.iter().for_each(|_| out.push_null()),
        }
        out
    }

    /// The column of some rows.
    pub fn part(&self, ty: Type, rows: &[u32]) -> Self {
        match self {
            Self::Int(values) => {
                Self::Int(rows.iter().map(|row| values.get(*row as usize).copied().unwrap_or(Ints::NULL)).collect())
            }
            Self::Text { runs, of } => {
                let run = |row: &u32| runs.get(*of.get(*row as usize)? as usize)?.clone();
                Self::Text { runs: rows.iter().map(run).collect(), of: (0..rows.len() as u32).collect() }
            }
            Self::Other(_) => Self::Other(self.pick(ty, rows)),
        }
    }
}

/// Reads a column as it stands there.
pub(super) fn column(
    column: ColumnReader,
    ty: Type,
    rows: usize,
    (room, spare): (&mut Room, &Spare),
) -> Result<Column> {
    let slots = || Slots::new(vec![0; rows], 1);
    Ok(match (ty, column) {
        (Type::Int | Type::Interval | Type::Lsn | Type::Time, ColumnReader::Int64ColumnReader(reader)) => {
            room.values = spare.take();
            integers(reader, rows, room)?;
            Column::Int(std::mem::take(&mut room.values))
        }
        (Type::Text | Type::Array, ColumnReader::ByteArrayColumnReader(reader)) => {
            let (runs, of) = runs(reader, &slots())?;
            let text = |value: Option<ByteArray>| value.map(|text| String::from_utf8_lossy(text.data()).into_owned());
            Column::Text { runs: runs.into_iter().map(text).collect(), of }
        }
        (ty, other) => {
            let whole = decode(other, ty, &slots(), room)?.pop();
            Column::Other(whole.ok_or_else(|| broken("a column has no values"))?)
        }
    })
}

/// Reads a column; its values by table.
pub(super) fn decode(column: ColumnReader, ty: Type, slots: &Slots, room: &mut Room) -> Result<Vec<Data>> {
    let mut parts: Vec<Data> = slots.rows.iter().map(|_| Data::for_type(ty)).collect();
    match (ty, column) {
        (Type::Int | Type::Interval | Type::Lsn | Type::Time, ColumnReader::Int64ColumnReader(reader)) => {
            integers(reader, slots.of.len(), room)?;
            let Room { values, part, .. } = room;
            for (data, rows) in parts.iter_mut().zip(&slots.rows) {
                part.clear();
                part.extend(rows.iter().map(|row| values.get(*row as usize).copied().unwrap_or(Ints::NULL)));
                if let Data::Int(ints) = data {
                    ints.extend(part);
                }
            }
        }
        (Type::Numeric, ColumnReader::FixedLenByteArrayColumnReader(reader)) => each(reader, slots, |slot, value| {
            if let Some(Data::Numeric(values)) = parts.get_mut(slot) {
                values.push(value.and_then(|v| Some(i128::from_be_bytes(v.data().try_into().ok()?))));
            }
        })?,
        (Type::Float, ColumnReader::DoubleColumnReader(reader)) => each(reader, slots, |slot, value| {
            if let Some(Data::Float(values)) = parts.get_mut(slot) {
                values.push(value.unwrap_or(f64::NAN));
            }
        })?,
        (Type::Bool, ColumnReader::BoolColumnReader(reader)) => each(reader, slots, |slot, value| {
            if let Some(Data::Bool(values)) = parts.get_mut(slot) {
                values.push(value.map_or(2, u8::from));
            }
        })?,
        (Type::Text | Type::Array, ColumnReader::ByteArrayColumnReader(reader)) => {
            let texts = texts(reader, slots)?;
            for (data, part) in parts.iter_mut().zip(texts) {
                *data = Data::Text(part);
            }
        }
        _ => return Err(broken("a column is of another type than its view's")),
    }
    Ok(parts)
}

/// A column of texts by table. Names stay from snapshot to snapshot, and an object's rows stand beside each other: a table
/// whose texts are those of the one before is one with it in memory.
fn texts(reader: ColumnReaderImpl<ByteArrayType>, slots: &Slots) -> Result<Vec<TextData>> {
    let (runs, rows) = runs(reader, slots)?;
    let runs: Vec<Option<Cow<'_, str>>> =
        runs.iter().map(|text| text.as_ref().map(|text| String::from_utf8_lossy(text.data()))).collect();
    let mut out: Vec<TextData> = Vec::with_capacity(slots.rows.len());
    let (mut before, mut part): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for of in &slots.rows {
        part.clear();
        part.extend(of.iter().filter_map(|row| rows.get(*row as usize)));
        let data = if let Some(last) = out.last_mut().filter(|_| part == before) {
            last.share()
        } else {
            let mut data = TextData::new();
            for run in &part {
                data.push(runs.get(*run as usize).and_then(Option::as_deref));
            }
            data
        };
        out.push(data);
        std::mem::swap(&mut before, &mut part);
    }
    Ok(out)
}

/// The texts of a column, those that repeat beside each other once, and for each row which of them is its own.
fn runs(reader: ColumnReaderImpl<ByteArrayType>, slots: &Slots) -> Result<(Vec<Option<ByteArray>>, Vec<u32>)> {
    let mut runs: Vec<Option<ByteArray>> = Vec::new();
    let mut rows: Vec<u32> = Vec::with_capacity(slots.of.len());
    each(reader, slots, |_, value| {
        if runs.last() != Some(&value) {
            runs.push(value);
        }
        rows.push(runs.len() as u32 - 1);
    })?;
    Ok((runs, rows))
}

/// All values of a column of whole numbers; NULL is [`Ints::NULL`].
pub(super) fn integers(mut reader: ColumnReaderImpl<Int64Type>, rows: usize, room: &mut Room) -> Result<()> {
    let Room { levels, values, .. } = room;
    levels.clear();
    values.clear();
    levels.reserve(rows);
    values.reserve(rows);
    while levels.len() <= rows && reader.read_records(rows.max(1), Some(levels), None, values)?.0 > 0 {}
    if levels.len() != rows {
        return Err(broken("a column has other rows than its row group"));
    }
    if values.len() < rows {
        // From the last one on: none is written over before it was moved.
        let mut known = values.len();
        values.resize(rows, Ints::NULL);
        for (row, level) in levels.iter().enumerate().rev() {
            let from = if *level > 0 { known.checked_sub(1) } else { None };
            let value = from.and_then(|from| values.get(from)).copied().unwrap_or(Ints::NULL);
            known = from.unwrap_or(known);
            if let Some(place) = values.get_mut(row) {
                *place = value;
            }
        }
    }
    Ok(())
}

/// Calls `take` with the table and value of each row, in order.
fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    slots: &Slots,
    mut take: impl FnMut(usize, Option<T::T>),
) -> Result<()> {
    let (mut levels, mut values) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    let mut rows = slots.of.iter();
    loop {
        levels.clear();
        values.clear();
        let (records, _, _) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            break;
        }
        if levels.len() != records {
            return Err(broken("a column does not say which values are NULL"));
        }
        let mut values = values.drain(..);
        for level in &levels {
            let slot = rows.next().ok_or_else(|| broken("a column has more rows than its row group"))?;
            take(*slot, if *level > 0 { values.next() } else { None });
        }
    }
    if rows.next().is_some() {
        return Err(broken("a column has fewer rows than its row group"));
    }
    Ok(())
}
