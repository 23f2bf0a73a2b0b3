//! Rows of a dataset with what they meet in public tables, batch by batch: no row more, none less, none in another place.
//!
//! The privacy obligation is that of [`crate::join`]. A public table is indexed once for all walks of a question; it has at
//! most as many rows, and each text as many bytes, as ingest allowed, so that memory is bounded by public sizes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::row::{RowConverter, SortField};
use datafusion::physical_expr::PhysicalExpr;

use glovebox_catalog::PUBLIC_TEXT_MAX_BYTES;

use crate::inner::Inner;
use crate::join::Lookup;
use crate::rows::{InnerFault, compiled, evaluate};

/// Looks up what the rows of one dataset meet.
pub(crate) struct Joiner {
    steps: Vec<Step>,
    schema: SchemaRef,
}

/// One public table, indexed.
struct Step {
    on: Vec<Arc<dyn PhysicalExpr>>,
    converter: RowConverter,
    /// The row that has these values.
    index: HashMap<Box<[u8]>, u32>,
    /// The columns that are used.
    taken: Vec<ArrayRef>,
    /// The schema with them.
    schema: SchemaRef,
}

const FAULT: InnerFault = InnerFault::at("a join");

impl Joiner {
    /// Gets ready for batches of `schema`.
    pub(crate) fn new(inner: &Inner, schema: SchemaRef) -> Result<Self, InnerFault> {
        let mut joiner = Self { steps: Vec::new(), schema };
        for lookup in &inner.lookups {
            let step = Step::new(lookup, inner, &joiner.schema)?;
            joiner.schema = Arc::clone(&step.schema);
            joiner.steps.push(step);
        }
        Ok(joiner)
    }

    /// The schema of what comes out.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The same rows with more columns.
    pub(crate) fn extend(&self, batch: RecordBatch) -> Result<RecordBatch, InnerFault> {
        self.steps.iter().try_fold(batch, |batch, step| step.extend(&batch))
    }
}

impl Step {
    fn new(lookup: &Lookup, inner: &Inner, schema: &SchemaRef) -> Result<Self, InnerFault> {
        let on = lookup.on.iter().map(|(_, expr)| compiled(expr, schema)).collect::<Result<Vec<_>, _>>()?;
        let rows = lookup.table.rows().map_err(|_| FAULT)?;
        let column = |name: &str| rows.column_by_name(name).cloned().ok_or(FAULT);
        let keys = lookup.on.iter().map(|(name, _)| column(name)).collect::<Result<Vec<_>, _>>()?;
        let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(|_| FAULT)?;
        let mut index = HashMap::new();
        for (row, key) in present(&converter, &keys)?.into_iter().enumerate() {
            if let Some(key) = key {
                index.insert(key, u32::try_from(row).map_err(|_| FAULT)?);
            }
        }
        let used = lookup.used(inner);
        let taken = used.iter().map(|(name, _)| column(name)).collect::<Result<Vec<_>, _>>()?;
        let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.extend(
            used.iter().zip(&taken).map(|((_, name), array)| Field::new(name, array.data_type().clone(), true)),
        );
        fields.push(Field::new(&lookup.label, DataType::Boolean, true));
        Ok(Self { on, converter, index, taken, schema: Arc::new(Schema::new(fields)) })
    }

    fn extend(&self, batch: &RecordBatch) -> Result<RecordBatch, InnerFault> {
        let keys = self.on.iter().map(|expr| evaluate(expr.as_ref(), batch)).collect::<Result<Vec<_>, _>>()?;
        let keys = present(&self.converter, &keys)?;
        let met: UInt32Array = keys.into_iter().map(|key| self.index.get(&key?).copied()).collect();
        let mut columns = batch.columns().to_vec();
        for column in &self.taken {
            columns.push(take(column, &met, None).map_err(|_| FAULT)?);
        }
        columns.push(Arc::new((0..met.len()).map(|row| Some(met.is_valid(row))).collect::<BooleanArray>()));
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| FAULT)
    }
}

/// Texts that are longer than any of a public table are NULL: they meet nothing, and take no time.
pub(crate) fn no_longer(key: &ArrayRef) -> ArrayRef {
    match key.as_string_opt::<i32>() {
        Some(texts) => {
            let short = texts.iter().map(|text| text.filter(|text| text.len() <= PUBLIC_TEXT_MAX_BYTES));
            Arc::new(short.collect::<StringArray>())
        }
        None => Arc::clone(key),
    }
}

/// The values of each row as bytes; `None` where one of them is NULL, which equals nothing.
fn present(converter: &RowConverter, keys: &[ArrayRef]) -> Result<Vec<Option<Box<[u8]>>>, InnerFault> {
    let keys: Vec<ArrayRef> = keys.iter().map(no_longer).collect();
    let rows = converter.convert_columns(&keys).map_err(|_| FAULT)?;
    let is_there = |row: usize| keys.iter().all(|key| key.is_valid(row));
    Ok(rows.iter().enumerate().map(|(row, bytes)| is_there(row).then(|| bytes.as_ref().into())).collect())
}
