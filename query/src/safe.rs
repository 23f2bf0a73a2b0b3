//! Functions of our own that are defined everywhere, for operations that DataFusion defines only almost everywhere.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Date32Array, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::dates::{DAY_MICROS, INSTANT};

/// The name of [`SAFE_DIV`].
pub(crate) const SAFE_DIV_NAME: &str = "__gb_div";
/// The name of [`SAFE_MOD`].
pub(crate) const SAFE_MOD_NAME: &str = "__gb_mod";

/// `a / b`, NULL where `b` is zero, wrapping at the one overflow.
pub(crate) static SAFE_DIV: LazyLock<ScalarUDF> = LazyLock::new(|| ScalarUDF::from(SafeArithmetic::new(SAFE_DIV_NAME)));
/// `a % b`, NULL where `b` is zero.
pub(crate) static SAFE_MOD: LazyLock<ScalarUDF> = LazyLock::new(|| ScalarUDF::from(SafeArithmetic::new(SAFE_MOD_NAME)));

/// Division and remainder that are defined everywhere.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SafeArithmetic {
    name: &'static str,
    signature: Signature,
}

impl SafeArithmetic {
    fn new(name: &'static str) -> Self {
        Self { name, signature: Signature::any(2, Volatility::Immutable) }
    }

    fn of_ints(&self, a: i64, b: i64) -> Option<i64> {
        match (b, self.name) {
            (0, _) => None,
            (_, SAFE_DIV_NAME) => Some(a.wrapping_div(b)),
            _ => Some(a.wrapping_rem(b)),
        }
    }

    fn of_floats(&self, a: f64, b: f64) -> Option<f64> {
        match self.name {
            _ if b == 0.0 => None,
            SAFE_DIV_NAME => Some(a / b),
            _ => Some(a % b),
        }
    }
}

impl ScalarUDFImpl for SafeArithmetic {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DfResult<DataType> {
        let ints = args.iter().all(|t| matches!(t, DataType::Int64 | DataType::Null));
        Ok(if ints { DataType::Int64 } else { DataType::Float64 })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let to = args.return_type().clone();
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let cast = arrays.iter().map(|a| arrow::compute::cast(a, &to)).collect::<Result<Vec<_>, _>>()?;
        let [left, right] = cast.as_slice() else {
            return Err(DataFusionError::Internal("safe arithmetic takes two arguments".to_owned()));
        };
        let out: ArrayRef = if to == DataType::Int64 {
            let pairs = left.as_primitive::<Int64Type>().iter().zip(right.as_primitive::<Int64Type>());
            Arc::new(pairs.map(|(a, b)| self.of_ints(a?, b?)).collect::<Int64Array>())
        } else {
            let pairs = left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>());
            Arc::new(pairs.map(|(a, b)| self.of_floats(a?, b?)).collect::<Float64Array>())
        };
        Ok(ColumnarValue::Array(out))
    }
}

/// The name of [`SAFE_DAY`].
pub(crate) const SAFE_DAY_NAME: &str = "__gb_day";

/// The day of an instant. Arrow's cast fails, also where it should give NULL, on instants whose year its calendar cannot
/// name; counting days needs no calendar.
pub(crate) static SAFE_DAY: LazyLock<ScalarUDF> = LazyLock::new(|| {
    ScalarUDF::from(SafeDay { signature: Signature::new(TypeSignature::Exact(vec![INSTANT]), Volatility::Immutable) })
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct SafeDay {
    signature: Signature,
}

impl ScalarUDFImpl for SafeDay {
    fn name(&self) -> &str {
        SAFE_DAY_NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let instants = arrays
            .first()
            .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| DataFusionError::Internal("a day is taken of an instant".to_owned()))?;
        // All days of 64-bit microseconds fit 32 bits.
        let day = |micros: i64| i32::try_from(micros.div_euclid(DAY_MICROS)).ok();
        let days: Date32Array = instants.iter().map(|micros| micros.and_then(day)).collect();
        Ok(ColumnarValue::Array(Arc::new(days)))
    }
}
