//! The functions that the plan of plain nodes needs beside DataFusion's own: a cap on texts, and the rank of a group.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use glovebox_catalog::UNIT_BYTES;

use crate::choice::Ranks;
use crate::found::push_part;
use crate::plain::part;

/// A text, or NULL for one that has more bytes than a cap.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CapUdf {
    cap: usize,
    signature: Signature,
}

/// The text, or NULL where it has more than `cap` bytes.
pub(crate) fn capped(text: Expr, cap: usize) -> Expr {
    let function = CapUdf { cap, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::from(function).call(vec![text])
}

impl ScalarUDFImpl for CapUdf {
    fn name(&self) -> &'static str {
        "__gb_capped_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = arrays.first().and_then(|array| array.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| DataFusionError::Internal("a key of text is a text".to_owned()))?;
        let capped = texts.iter().map(|text| text.filter(|text| text.len() <= self.cap));
        Ok(ColumnarValue::Array(Arc::new(capped.collect::<StringArray>())))
    }
}

/// The rank of a group by [`Ranks`], or [`Ranks::of_key`] where there are keys beside the number of the group, as a function.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct RankUdf {
    pub(crate) ranks: Ranks,
    pub(crate) signature: Signature,
}

impl std::fmt::Debug for RankUdf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RankUdf(…)")
    }
}

impl ScalarUDFImpl for RankUdf {
    fn name(&self) -> &'static str {
        "__gb_rank"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let wrong = || DataFusionError::Internal("rank takes a unit and a group".to_owned());
        let [units, codes, keys @ ..] = arrays.as_slice() else {
            return Err(wrong());
        };
        let units = units.as_fixed_size_binary_opt().ok_or_else(wrong)?;
        let codes = codes.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
        let ranks = (0..units.len()).map(|row| {
            let unit: [u8; UNIT_BYTES] = units.value(row).try_into().ok()?;
            let code = u32::try_from(codes.value(row)).ok()?;
            if keys.is_empty() {
                return Some(self.ranks.of(&unit, code));
            }
            let mut bytes = code.to_be_bytes().to_vec();
            for column in keys {
                push_part(&mut bytes, &part(column, row).ok()?);
            }
            Some(self.ranks.of_key(&unit, &bytes))
        });
        Ok(ColumnarValue::Array(Arc::new(ranks.collect::<UInt64Array>())))
    }
}
