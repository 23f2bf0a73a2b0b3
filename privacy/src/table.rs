//! What outside faces print: plain scalars, rebuilt one by one.
//!
//! A table of these owns nothing of the buffers, dictionaries, statistics or row groups of the engine that computed it.

use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A floating-point number of 64 bits.
    Float,
    /// Text.
    Text,
}

/// A column's name and kind; any value in it may also be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name, as the query gives it.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// One value. In JSON it is the plain value; a float that is not finite becomes `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Missing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(String),
}

impl Scalar {
    /// The kind, or `None` for a missing value.
    pub const fn kind(&self) -> Option<ColumnKind> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(ColumnKind::Bool),
            Self::Int(_) => Some(ColumnKind::Int),
            Self::Float(_) => Some(ColumnKind::Float),
            Self::Text(_) => Some(ColumnKind::Text),
        }
    }
}

/// Columns and rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows, in order; each with one value for each column.
    pub rows: Vec<Vec<Scalar>>,
}

impl Table {
    /// Whether every row has one value for each column, of the column's kind or missing.
    pub fn is_well_formed(&self) -> bool {
        let fits = |(column, value): (&Column, &Scalar)| value.kind().is_none_or(|kind| kind == column.kind);
        self.rows.iter().all(|row| row.len() == self.columns.len() && self.columns.iter().zip(row).all(fits))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn column(kind: ColumnKind) -> Column {
        Column { name: "c".to_owned(), kind }
    }

    #[test]
    fn scalars_come_back_from_json_as_they_went() {
        let row = vec![
            Scalar::Null,
            Scalar::Bool(true),
            Scalar::Int(i64::MIN),
            Scalar::Int(i64::MAX),
            Scalar::Float(1.0),
            Scalar::Float(-0.1),
            Scalar::Text("1".to_owned()),
        ];
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(text, "[null,true,-9223372036854775808,9223372036854775807,1.0,-0.1,\"1\"]");
        assert_eq!(serde_json::from_str::<Vec<Scalar>>(&text).unwrap(), row);
    }

    #[test]
    fn a_float_that_is_not_finite_becomes_null() {
        assert_eq!(serde_json::to_string(&Scalar::Float(f64::NAN)).unwrap(), "null");
    }

    #[test]
    fn well_formed_means_one_value_of_the_kind_for_each_column() {
        let columns = vec![column(ColumnKind::Int), column(ColumnKind::Text)];
        let table = |rows| Table { columns: columns.clone(), rows };
        let text = || Scalar::Text(String::new());
        assert!(table(vec![]).is_well_formed());
        assert!(table(vec![vec![Scalar::Int(1), text()], vec![Scalar::Null, Scalar::Null]]).is_well_formed());
        assert!(!table(vec![vec![Scalar::Int(1)]]).is_well_formed());
        assert!(!table(vec![vec![text(), text()]]).is_well_formed());
    }
}
