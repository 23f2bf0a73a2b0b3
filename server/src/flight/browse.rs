//! What clients browse: catalogs, schemas, tables, types and abilities, from manifests and constants alone.
//!
//! [`Browse`] is the one Arrow batch that leaves without having been a table of scalars; every constructor here takes
//! public metadata only, and its field is private.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{
    GetCatalogsBuilder, SqlInfoData, SqlInfoDataBuilder, XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder,
};
use arrow_flight::sql::{
    CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo, Nullable,
    Searchable, SqlInfo, SqlNullOrdering, SqlSupportedCaseSensitivity, SqlSupportedTransaction, XdbcDataType,
};
use glovebox_engine::DatasetCard;
use glovebox_policy::{Reason, Refusal};

/// The only catalog; schemas in it are the part of a dataset's name before the dot.
pub(crate) const CATALOG: &str = "glovebox";

/// The only kind of table.
pub(crate) const TABLE_TYPE: &str = "TABLE";

/// One answer to a metadata call.
pub(crate) struct Browse(RecordBatch);

fn refused(_: impl std::error::Error) -> Refusal {
    Reason::Internal.into()
}

impl Browse {
    /// The batch.
    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.0
    }

    /// The only catalog.
    pub(crate) fn catalogs() -> Result<Self, Refusal> {
        let mut builder = GetCatalogsBuilder::new();
        builder.append(CATALOG);
        builder.build().map(Self).map_err(refused)
    }

    /// The schemas that a pattern matches.
    pub(crate) fn schemas(query: CommandGetDbSchemas, datasets: &[DatasetCard]) -> Result<Self, Refusal> {
        let mut names: Vec<_> = datasets.iter().map(|card| card.name.schema()).collect();
        names.sort_unstable();
        names.dedup();
        let mut builder = query.into_builder();
        for name in names {
            builder.append(CATALOG, name);
        }
        builder.build().map(Self).map_err(refused)
    }

    /// The tables that the patterns match, with their declared schemas if asked for. Footage is none: no SQL reads it.
    pub(crate) fn tables(query: CommandGetTables, datasets: &[DatasetCard]) -> Result<Self, Refusal> {
        let mut builder = query.into_builder();
        for card in datasets.iter().filter(|card| card.footage.is_none()) {
            let schema = schema_of(card);
            builder.append(CATALOG, card.name.schema(), card.name.table(), TABLE_TYPE, &schema).map_err(refused)?;
        }
        builder.build().map(Self).map_err(refused)
    }

    /// The only kind of table.
    pub(crate) fn table_types() -> Result<Self, Refusal> {
        let mut builder = CommandGetTableTypes {}.into_builder();
        builder.append(TABLE_TYPE);
        builder.build().map(Self).map_err(refused)
    }

    /// What the server can do.
    pub(crate) fn abilities(query: CommandGetSqlInfo) -> Result<Self, Refusal> {
        let infos = abilities().map_err(refused)?;
        query.into_builder(&infos).build().map(Self).map_err(refused)
    }

    /// The types that answers have.
    pub(crate) fn types(query: CommandGetXdbcTypeInfo) -> Result<Self, Refusal> {
        let infos = types().map_err(refused)?;
        query.into_builder(&infos).build().map(Self).map_err(refused)
    }

    /// Primary keys: none is declared, since a key would promise that an identifier can be read.
    pub(crate) fn no_primary_keys() -> Self {
        Self(RecordBatch::new_empty(text_and_int_schema(&[
            ("catalog_name", DataType::Utf8, true),
            ("db_schema_name", DataType::Utf8, true),
            ("table_name", DataType::Utf8, false),
            ("column_name", DataType::Utf8, false),
            ("key_name", DataType::Utf8, true),
            ("key_sequence", DataType::Int32, false),
        ])))
    }

    /// Foreign keys in any direction: none.
    pub(crate) fn no_foreign_keys() -> Self {
        Self(RecordBatch::new_empty(text_and_int_schema(&[
            ("pk_catalog_name", DataType::Utf8, true),
            ("pk_db_schema_name", DataType::Utf8, true),
            ("pk_table_name", DataType::Utf8, false),
            ("pk_column_name", DataType::Utf8, false),
            ("fk_catalog_name", DataType::Utf8, true),
            ("fk_db_schema_name", DataType::Utf8, true),
            ("fk_table_name", DataType::Utf8, false),
            ("fk_column_name", DataType::Utf8, false),
            ("key_sequence", DataType::Int32, false),
            ("fk_key_name", DataType::Utf8, true),
            ("pk_key_name", DataType::Utf8, true),
            ("update_rule", DataType::UInt8, false),
            ("delete_rule", DataType::UInt8, false),
        ])))
    }
}

fn text_and_int_schema(fields: &[(&str, DataType, bool)]) -> SchemaRef {
    let fields = fields.iter().map(|(name, kind, nullable)| Field::new(*name, kind.clone(), *nullable));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A dataset's declared columns as Arrow fields, each with its meaning in both languages. Identifiers are left out,
/// since no statement may name them, not even one that names the unit.
fn schema_of(card: &DatasetCard) -> Schema {
    let usable = card.columns.iter().filter(|column| !column.identifier);
    let fields = usable.map(|column| {
        let metadata = HashMap::from([
            ("glovebox:meaning".to_owned(), column.meaning_en.clone()),
            ("glovebox:meaning_zh".to_owned(), column.meaning_zh.clone()),
        ]);
        Field::new(column.name.as_str(), column.kind.arrow_type(), true).with_metadata(metadata)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn abilities() -> Result<SqlInfoData, FlightError> {
    let mut info = SqlInfoDataBuilder::new();
    info.append(SqlInfo::FlightSqlServerName, "Glovebox");
    info.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    info.append(SqlInfo::FlightSqlServerArrowVersion, arrow::ARROW_VERSION);
    info.append(SqlInfo::FlightSqlServerReadOnly, true);
    info.append(SqlInfo::FlightSqlServerSql, true);
    info.append(SqlInfo::FlightSqlServerSubstrait, false);
    info.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    info.append(SqlInfo::FlightSqlServerCancel, false);
    info.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    info.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    info.append(SqlInfo::SqlDdlCatalog, false);
    info.append(SqlInfo::SqlDdlSchema, false);
    info.append(SqlInfo::SqlDdlTable, false);
    info.append(SqlInfo::SqlIdentifierCase, SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i32);
    info.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    info.append(
        SqlInfo::SqlQuotedIdentifierCase,
        SqlSupportedCaseSensitivity::SqlCaseSensitivityCaseInsensitive as i32,
    );
    info.append(SqlInfo::SqlAllTablesAreSelectable, true);
    info.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedAtEnd as i32);
    for list in [
        SqlInfo::SqlKeywords,
        SqlInfo::SqlNumericFunctions,
        SqlInfo::SqlStringFunctions,
        SqlInfo::SqlSystemFunctions,
        SqlInfo::SqlDatetimeFunctions,
    ] {
        info.append(list, Vec::<String>::new());
    }
    info.append(SqlInfo::SqlSearchStringEscape, "\\");
    info.append(SqlInfo::SqlExtraNameCharacters, "");
    info.append(SqlInfo::SqlSupportsColumnAliasing, true);
    info.append(SqlInfo::SqlNullPlusNullIsNull, true);
    info.append(SqlInfo::SqlSupportsConvert, BTreeMap::<i32, Vec<i32>>::new());
    info.append(SqlInfo::SqlSupportsTableCorrelationNames, true);
    info.append(SqlInfo::SqlSupportsExpressionsInOrderBy, true);
    info.append(SqlInfo::SqlSchemaTerm, "schema");
    info.append(SqlInfo::SqlCatalogTerm, "catalog");
    info.append(SqlInfo::SqlProcedureTerm, "");
    info.append(SqlInfo::SqlCatalogAtStart, true);
    info.append(SqlInfo::SqlSelectForUpdateSupported, false);
    info.append(SqlInfo::SqlStoredProceduresSupported, false);
    info.append(SqlInfo::SqlCorrelatedSubqueriesSupported, false);
    info.build()
}

fn types() -> Result<XdbcTypeInfoData, FlightError> {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    for (name, kind, size) in [
        ("BIGINT", XdbcDataType::XdbcBigint, Some(64)),
        ("DOUBLE", XdbcDataType::XdbcDouble, Some(53)),
        ("VARCHAR", XdbcDataType::XdbcVarchar, None),
        ("BOOLEAN", XdbcDataType::XdbcBit, Some(1)),
    ] {
        let text = kind == XdbcDataType::XdbcVarchar;
        let number = matches!(kind, XdbcDataType::XdbcBigint | XdbcDataType::XdbcDouble);
        builder.append(XdbcTypeInfo {
            type_name: name.to_owned(),
            data_type: kind,
            column_size: size,
            literal_prefix: text.then(|| "'".to_owned()),
            literal_suffix: text.then(|| "'".to_owned()),
            create_params: None,
            nullable: Nullable::NullabilityNullable,
            case_sensitive: text,
            searchable: Searchable::Full,
            unsigned_attribute: number.then_some(false),
            fixed_prec_scale: false,
            auto_increment: number.then_some(false),
            local_type_name: Some(name.to_owned()),
            minimum_scale: None,
            maximum_scale: None,
            sql_data_type: kind,
            datetime_subcode: None,
            num_prec_radix: number.then_some(2),
            interval_precision: None,
        });
    }
    builder.build()
}
