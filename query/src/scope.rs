//! The columns that expressions are over, and what is known of each without a row: those of a dataset, or those of a table with
//! what was added up per unit.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use glovebox_catalog::{Days, KeyValue, Manifest};
use glovebox_policy::{Reason, Refusal};

use crate::canonical;
use crate::interval::Interval;
use crate::total::total;

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    /// What its numbers lie within.
    pub(crate) bounds: Option<Interval>,
    pub(crate) grid: Option<f64>,
    /// Its public list of values.
    pub(crate) keys: Option<Vec<KeyValue>>,
    /// Whether it may be grouped by without a list.
    pub(crate) thresholded: bool,
    pub(crate) days: Option<Days>,
    /// A direct identifier: not usable.
    pub(crate) identifier: bool,
    /// Whether rows hold it. A unit is known by its hash once rows are gone.
    pub(crate) stored: bool,
    /// The columns of the dataset, or of the one that is joined to it, that it is made of.
    pub(crate) behind: Vec<String>,
}

/// The columns of one table.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) columns: Vec<Known>,
    /// The columns that name the unit.
    pub(crate) unit: Vec<String>,
    /// The most rows of one unit.
    pub(crate) rows: u32,
    /// Of a table with one row for each unit and each value of some keys: these keys, each with how many values it has.
    pub(crate) one_row_for: Option<Vec<(String, u64)>>,
}

impl Scope {
    /// The columns of a dataset.
    pub(crate) fn of_table(manifest: &Manifest) -> Self {
        let columns = manifest.columns().iter().map(|column| Known {
            name: column.name.as_str().to_owned(),
            data_type: column.kind.arrow_type(),
            bounds: column.bounds.as_ref().and_then(|bounds| Interval::new(bounds.lower, bounds.upper)),
            grid: column.grid,
            keys: column.keys.as_ref().map(|keys| keys.values.clone()),
            thresholded: column.thresholded.is_some(),
            days: column.days.clone(),
            identifier: column.identifier,
            stored: !column.identifier,
            behind: vec![column.name.as_str().to_owned()],
        });
        let unit = manifest.unit().iter().map(|name| name.as_str().to_owned()).collect();
        Self { columns: columns.collect(), unit, rows: manifest.max_rows_per_unit(), one_row_for: None }
    }

    /// The most rows of one unit within one group.
    ///
    /// # Privacy obligation
    /// A unit has no more rows in a group than it has at all. Where there is one row for each of its keys' values, and a
    /// group fixes some of the keys, no more than the values of the others multiply to; NULL, which stands for all values
    /// that are not listed, counts as one of them here and as one group there.
    pub(crate) fn rows_in_group(&self, group: &[Expr]) -> u32 {
        let Some(keys) = &self.one_row_for else {
            return self.rows;
        };
        let is_fixed =
            |name: &str| group.iter().any(|expr| matches!(expr, Expr::Column(column) if column.name == name));
        let free = keys.iter().filter(|(name, _)| !is_fixed(name)).map(|(_, width)| *width);
        free.fold(1_u64, u64::saturating_mul).min(u64::from(self.rows)) as u32
    }

    /// The column of this name.
    pub(crate) fn column(&self, name: &str) -> Option<&Known> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Refuses identifiers before anything else is said about an expression.
    ///
    /// # Errors
    /// [`Reason::ColumnUnknown`], [`Reason::ColumnIsIdentifier`].
    pub(crate) fn check_columns(&self, expr: &Expr) -> Result<(), Refusal> {
        let mut names: Vec<String> = expr.column_refs().into_iter().map(|c| c.name.clone()).collect();
        names.sort();
        for name in names {
            match self.column(&name) {
                None => return Err(Refusal::about(Reason::ColumnUnknown, &name)),
                Some(column) if column.identifier => return Err(Refusal::about(Reason::ColumnIsIdentifier, &name)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The expression, made total over the columns that rows hold; `schema` is [`Scope::schema`].
    ///
    /// # Errors
    /// What of it is not accepted.
    pub(crate) fn total_over(&self, expr: &Expr, schema: &DFSchema) -> Result<Expr, Refusal> {
        self.check_columns(expr)?;
        let are_stored =
            expr.column_refs().iter().all(|column| self.column(&column.name).is_some_and(|known| known.stored));
        if !are_stored {
            return Err(Refusal::about(Reason::ExpressionRefused, &canonical::text(expr)));
        }
        total(expr, schema)
    }

    /// The dataset's columns that an expression is made of.
    pub(crate) fn behind(&self, expr: &Expr) -> Vec<String> {
        let known = expr.column_refs().into_iter().filter_map(|column| self.column(&column.name));
        known.flat_map(|known| known.behind.iter().cloned()).collect()
    }

    /// The columns that rows hold.
    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        let stored = self.columns.iter().filter(|column| column.stored);
        let fields = stored.map(|column| Field::new(&column.name, column.data_type.clone(), true));
        Schema::new(fields.collect::<Vec<_>>()).into()
    }

    /// The same for the planner.
    pub(crate) fn schema(&self) -> Result<DFSchema, Refusal> {
        DFSchema::try_from(self.arrow_schema().as_ref().clone()).map_err(|_| Reason::Internal.into())
    }
}
