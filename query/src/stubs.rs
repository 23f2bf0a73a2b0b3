//! Functions as the planner knows them: a name and a type. The analysis takes every call out again; none can be run.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result as DfResult;
use datafusion::functions::{core, math};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::calls::{Gives, form, given};
use crate::{dates, functions};

/// The function that a statement means by a name; `None` when it may not call it.
pub(crate) fn planned(name: &str) -> Option<Arc<ScalarUDF>> {
    let name = functions::callable(name)?;
    let gives = match name {
        // The planner makes the arguments of these of one type.
        "coalesce" | "nvl" => return Some(core::coalesce()),
        "greatest" => return Some(core::greatest()),
        "least" => return Some(core::least()),
        "nullif" => return Some(core::nullif()),
        "ceil" => return Some(math::ceil()),
        "floor" => return Some(math::floor()),
        "date_part" | "date_trunc" => return dates::planned(name),
        "nvl2" => Type::OfSecond,
        "mod" => Type::OfNumbers,
        "pi" => Type::Given(Gives::Float),
        _ => Type::Given(form(name)?.gives),
    };
    let signature = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::VariadicAny], Volatility::Immutable);
    Some(Arc::new(ScalarUDF::from(Stub { name, gives, signature })))
}

/// The type that the planner takes a call to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Type {
    Given(Gives),
    OfSecond,
    /// Whole when all arguments are.
    OfNumbers,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Stub {
    name: &'static str,
    gives: Type,
    signature: Signature,
}

impl ScalarUDFImpl for Stub {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DfResult<DataType> {
        Ok(match (self.gives, args) {
            (Type::Given(gives), _) => given(gives, args),
            (Type::OfSecond, [_, second, ..]) => second.clone(),
            (Type::OfSecond, _) => return plan_err!("three arguments are needed"),
            (Type::OfNumbers, _) if args.iter().all(DataType::is_integer) => DataType::Int64,
            (Type::OfNumbers, _) => DataType::Float64,
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        plan_err!("not for running")
    }
}

/// Makes calls of the forms that SQL writes with words: `SUBSTRING(t FROM 1 FOR 2)`, `POSITION(part IN t)`.
#[derive(Debug)]
pub(crate) struct WordedPlanner;

impl ExprPlanner for WordedPlanner {
    fn plan_substring(&self, args: Vec<Expr>) -> DfResult<PlannerResult<Vec<Expr>>> {
        called("substr", args)
    }

    fn plan_position(&self, args: Vec<Expr>) -> DfResult<PlannerResult<Vec<Expr>>> {
        called("strpos", args)
    }
}

fn called(name: &str, args: Vec<Expr>) -> DfResult<PlannerResult<Vec<Expr>>> {
    match planned(name) {
        Some(function) => Ok(PlannerResult::Planned(function.call(args))),
        None => plan_err!("no such function"),
    }
}
