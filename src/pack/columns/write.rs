//! Columns to Parquet.

use super::super::manifest::Layout;
use super::OWN;
use crate::catalog::{self, Type};
use crate::snapshot::{Data, Table};
use crate::time::Timestamp;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type as SchemaType};
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

/// Denser than the default of 1 at little more time.
const LEVEL: i32 = 6;
/// Digits of Parquet's widest decimal.
const DIGITS: i32 = 38;

/// Rows of a table that go into a row group.
#[derive(Clone, Debug)]
pub(in crate::pack) struct Piece {
    /// The snapshot's number in its group.
    pub snapshot: u32,
    pub taken_at: Option<Timestamp>,
    pub table: Arc<Table>,
    pub rows: Range<usize>,
}

/// A Parquet file being written.
pub(in crate::pack) struct FileWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    layout: Layout,
}

impl<W: Write + Send> FileWriter<W> {
    pub fn new(out: W, layout: &Layout) -> io::Result<Self> {
        Self::begin(out, layout).map_err(io::Error::other)
    }

    fn begin(out: W, layout: &Layout) -> Result<Self> {
        let schema = schema(layout)?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(None)
            .set_created_by(format!("pgretro {}", env!("CARGO_PKG_VERSION")));
        for field in schema.get_fields() {
            let column = ColumnPath::from(field.name());
            // Counters of one object stand beside each other and differ little. zstd alone makes them a quarter smaller, but
            // has eight bytes to put out for each then, which took an eighth of the time of a trend.
            if field.get_physical_type() == Physical::INT64 {
                properties = properties
                    .set_column_dictionary_enabled(column.clone(), false)
                    .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
            }
        }
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        Ok(Self { writer, layout: layout.clone() })
    }

    /// Writes pieces as one row group: the first row of each, then the second of each, and so on, so that rows of one
    /// object, which is at the same place in most snapshots, stand beside each other.
    pub fn write(&mut self, pieces: &[Piece]) -> io::Result<()> {
        self.write_group(pieces).map_err(io::Error::other)
    }

    fn write_group(&mut self, pieces: &[Piece]) -> Result<()> {
        let most = pieces.iter().map(|p| p.rows.len()).max().unwrap_or(0);
        let order: Vec<(&Piece, usize)> = (0..most)
            .flat_map(|at| pieces.iter().filter(move |p| at < p.rows.len()).map(move |p| (p, p.rows.start + at)))
            .collect();
        let mut group = self.writer.next_row_group()?;
        integers_of(&mut group, &order, |p, _| Some(i64::from(p.snapshot)))?;
        integers_of(&mut group, &order, |p, _| p.taken_at.map(|t| t.0))?;
        let origin = |p: &Piece, row: usize| {
            p.table.origin.get(row).map_or((0, row), |(source, at)| (usize::from(*source), *at as usize))
        };
        integers_of(&mut group, &order, |p, row| Some(origin(p, row).0 as i64))?;
        integers_of(&mut group, &order, |p, row| {
            let (source, at) = origin(p, row);
            i64::try_from(p.table.sources.get(source)?.places.get(at)?).ok()
        })?;
        for name in &self.layout.columns {
            let Some((at, column)) = catalog::view(&self.layout.name).and_then(|v| v.column(name)) else { continue };
            write_column(&mut group, &order, column.ty, at)?;
        }
        for at in 0..self.layout.extra.len() {
            column_of::<ByteArrayType>(&mut group, &order, |p, row| {
                p.table.extra.get(at)?.1.get(row).map(ByteArray::from)
            })?;
        }
        group.close()?;
        self.writer.flush()?;
        Ok(())
    }

    /// Ends the file.
    pub fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(io::Error::other)
    }
}

fn schema(layout: &Layout) -> Result<Arc<SchemaType>> {
    let time = || LogicalType::timestamp(true, TimeUnit::MICROS);
    let mut fields = Vec::new();
    let mut add = |name: &str, physical: Physical, logical: Option<LogicalType>, decimal: bool| -> Result<()> {
        let mut field = SchemaType::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        if decimal {
            field = field.with_length(16).with_precision(DIGITS).with_scale(0);
        }
        fields.push(Arc::new(field.build()?));
        Ok(())
    };
    for name in OWN {
        add(name, Physical::INT64, (name == "_taken_at").then(time), false)?;
    }
    for name in &layout.columns {
        let Some((_, column)) = catalog::view(&layout.name).and_then(|v| v.column(name)) else { continue };
        match column.ty {
            Type::Int | Type::Interval => add(name, Physical::INT64, None, false)?,
            Type::Lsn => add(name, Physical::INT64, Some(LogicalType::integer(64, false)), false)?,
            Type::Time => add(name, Physical::INT64, Some(time()), false)?,
            Type::Numeric => {
                add(name, Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(0, DIGITS)), true)?;
            }
            Type::Float => add(name, Physical::DOUBLE, None, false)?,
            Type::Bool => add(name, Physical::BOOLEAN, None, false)?,
            Type::Text | Type::Array => add(name, Physical::BYTE_ARRAY, Some(LogicalType::String), false)?,
        }
    }
    for (_, name) in &layout.extra {
        add(name, Physical::BYTE_ARRAY, Some(LogicalType::String), false)?;
    }
    Ok(Arc::new(SchemaType::group_type_builder("snapshot").with_fields(fields).build()?))
}

type Rows<'a> = [(&'a Piece, usize)];

fn write_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    order: &Rows<'_>,
    ty: Type,
    at: usize,
) -> Result<()> {
    match ty {
        Type::Int | Type::Interval | Type::Lsn | Type::Time => {
            integers_of(group, order, |p, row| match p.data(at)? {
                Data::Int(values) => values.get(row),
                _ => None,
            })
        }
        Type::Numeric => column_of::<FixedLenByteArrayType>(group, order, |p, row| match p.data(at)? {
            Data::Numeric(values) => {
                values.get(row).copied().flatten().map(|n| FixedLenByteArray::from(n.to_be_bytes().to_vec()))
            }
            _ => None,
        }),
        Type::Float => column_of::<DoubleType>(group, order, |p, row| match p.data(at)? {
            Data::Float(values) => values.get(row).copied().filter(|x| !x.is_nan()),
            _ => None,
        }),
        Type::Bool => column_of::<BoolType>(group, order, |p, row| match p.data(at)? {
            Data::Bool(values) => values.get(row).filter(|b| **b < 2).map(|b| *b == 1),
            _ => None,
        }),
        Type::Text | Type::Array => column_of::<ByteArrayType>(group, order, |p, row| match p.data(at)? {
            Data::Text(values) => values.get(row).map(ByteArray::from),
            _ => None,
        }),
    }
}

impl Piece {
    fn data(&self, at: usize) -> Option<&Data> {
        self.table.columns.get(at)?.as_ref()
    }
}

fn integers_of<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    order: &Rows<'_>,
    value: impl Fn(&Piece, usize) -> Option<i64>,
) -> Result<()> {
    column_of::<Int64Type>(group, order, value)
}

/// Writes the row group's next column; `None` is NULL.
fn column_of<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    order: &Rows<'_>,
    value: impl Fn(&Piece, usize) -> Option<T::T>,
) -> Result<()> {
    let mut values = Vec::with_capacity(order.len());
    let mut levels: Vec<i16> = Vec::with_capacity(order.len());
    for (piece, row) in order {
        let value = value(piece, *row);
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let missing = || ParquetError::General("more columns than the file has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}
