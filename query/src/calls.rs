//! Calls of functions of our own: what each takes and gives, how a written call becomes a total one, and how it runs.
//!
//! The planner knows these functions by name and type alone (`stubs`). The analysis replaces each call by one of a [`Function`],
//! whose arguments have exactly the types that it takes; nothing that reaches rows is coerced later.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use glovebox_policy::{Reason, Refusal};

use crate::canonical;
use crate::numbers::{self, Within};
use crate::patterns::Pattern;
use crate::texts::{self, Cell, Made, TEXT_MAX_BYTES, TextKernel};

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A float; whole numbers become one.
    Float,
    /// A whole number.
    Whole,
    /// Either; the result is of the same type.
    Number,
    /// A text.
    Text,
    /// A text, or what can be written as one without fail.
    Shown,
    /// A text that is a literal of few characters.
    Literal,
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Gives {
    Float,
    Whole,
    /// What its first argument is.
    Same,
    Text,
    Truth,
}

/// How it is computed. Every kernel is defined on all values of its types; all but the lenient give NULL for NULL.
#[derive(Clone, Copy)]
pub(crate) enum Kernel {
    /// NULL where the result is no finite number.
    Float(fn(f64) -> f64),
    Floats(fn(f64, f64) -> f64),
    Test(fn(f64) -> bool),
    /// One or two whole numbers, the second 0 where there is none.
    Wholes(fn(i64, i64) -> Option<i64>),
    /// A number with a number of places, for floats and for whole numbers.
    Digits(fn(f64, i64) -> f64, fn(i64, i64) -> Option<i64>),
    Text(TextKernel),
    /// As [`Kernel::Text`], and NULL is an argument as others are.
    Lenient(TextKernel),
    /// Whether the compiled pattern is in the first argument.
    Pattern,
}

/// One function of our own.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// What its arguments are; further ones are as the last.
    pub(crate) params: &'static [Class],
    /// How many it needs.
    pub(crate) needed: usize,
    /// Whether it takes any number of them.
    pub(crate) more: bool,
    pub(crate) gives: Gives,
    pub(crate) kernel: Kernel,
    /// How intervals pass through it.
    pub(crate) within: Within,
}

impl Form {
    /// Whether it reads texts, and whether it looks every character of one up in a literal.
    pub(crate) fn reads_text(&self) -> (bool, bool) {
        let has = |wanted: &[Class]| self.params.iter().any(|class| wanted.contains(class));
        (has(&[Class::Text, Class::Shown, Class::Literal]), has(&[Class::Literal]))
    }

    /// The function of one float, if it is one.
    pub(crate) fn of_float(&self) -> Option<fn(f64) -> f64> {
        match self.kernel {
            Kernel::Float(of) => Some(of),
            _ => None,
        }
    }
}

/// Most characters of a [`Class::Literal`] that is no pattern.
const LITERAL_MAX_CHARS: usize = 64;

pub(crate) fn form(name: &str) -> Option<&'static Form> {
    numbers::FORMS.iter().chain(texts::FORMS).find(|form| form.name == name)
}

/// A call's function, if it is one of ours.
pub(crate) fn form_of(call: &ScalarFunction) -> Option<&'static Form> {
    function_of(call).and_then(|function| form(function.name))
}

/// How many calls in an expression make texts.
pub(crate) fn count_texts_made(expr: &Expr) -> usize {
    let mut made = 0;
    // The closure never fails, so neither does the walk.
    let _ = expr.apply(|node| {
        if let Expr::ScalarFunction(call) = node {
            made += usize::from(form_of(call).is_some_and(|form| form.gives == Gives::Text));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    made
}

/// How many times as much work as with the smallest pattern a call is; `None` when it has none.
pub(crate) fn pattern_weight(call: &ScalarFunction) -> Option<u64> {
    function_of(call)?.pattern.as_ref().map(Pattern::weight)
}

fn function_of(call: &ScalarFunction) -> Option<&Function> {
    (call.func.inner().as_ref() as &dyn std::any::Any).downcast_ref()
}

/// The total form of a call, with arguments that are total already, of these types; `None` when the function is not one of these.
///
/// # Errors
/// [`Reason::TypeRefused`] for arguments that it does not take, [`Reason::ExpressionRefused`] for a pattern that cannot be used.
pub(crate) fn total(name: &str, args: Vec<Expr>, types: &[DataType]) -> Result<Option<Expr>, Refusal> {
    let one_argument = |name| if name == "log" && args.len() == 1 { "log10" } else { name };
    let Some(form) = form(one_argument(name)) else {
        return Ok(None);
    };
    let most = if form.more { usize::MAX } else { form.params.len() };
    // The names of operators are not for refusals.
    let shown = || format!("{}({})", form.name, args.iter().map(canonical::text).collect::<Vec<_>>().join(", "));
    let refused = || Refusal::about(Reason::TypeRefused, &shown());
    if !(form.needed..=most).contains(&args.len()) || types.len() != args.len() {
        return Err(refused());
    }
    let is_pattern = matches!(form.kernel, Kernel::Pattern);
    let classes = form.params.iter().chain(std::iter::repeat(form.params.last().unwrap_or(&Class::Text)));
    let mut taken = Vec::with_capacity(args.len());
    for ((arg, data_type), class) in args.iter().zip(types).zip(classes) {
        if *class == Class::Literal && !is_literal(arg, is_pattern) {
            let text =
                if is_pattern { "a pattern that is not a literal" } else { "characters that are not a short literal" };
            return Err(Refusal::about(Reason::ExpressionRefused, text));
        }
        taken.push(coerced(arg.clone(), data_type, *class).ok_or_else(refused)?);
    }
    let pattern = if is_pattern {
        let literals: Vec<Option<&str>> = taken.iter().skip(1).map(literal_text).collect();
        Some(Pattern::new(form.name, &literals)?)
    } else {
        None
    };
    Ok(Some(ScalarUDF::from(Function::new(form.name, pattern)).call(taken)))
}

fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        _ => None,
    }
}

fn is_literal(expr: &Expr, is_pattern: bool) -> bool {
    literal_text(expr).is_some_and(|text| is_pattern || text.chars().count() <= LITERAL_MAX_CHARS)
}

/// The argument as the kernel takes it.
fn coerced(arg: Expr, data_type: &DataType, class: Class) -> Option<Expr> {
    let null = |value| Some(lit(value));
    match (class, data_type) {
        (Class::Float, DataType::Float64)
        | (Class::Whole, DataType::Int64)
        | (Class::Number, DataType::Float64 | DataType::Int64)
        | (Class::Text | Class::Shown | Class::Literal, DataType::Utf8) => Some(arg),
        (Class::Float, DataType::Int64) => Some(match arg {
            Expr::Literal(ScalarValue::Int64(Some(value)), _) => lit(value as f64),
            other => datafusion::logical_expr::try_cast(other, DataType::Float64),
        }),
        (Class::Shown, DataType::Int64 | DataType::Float64 | DataType::Boolean) => {
            Some(datafusion::logical_expr::try_cast(arg, DataType::Utf8))
        }
        (Class::Float | Class::Number, DataType::Null) => null(ScalarValue::Float64(None)),
        (Class::Whole, DataType::Null) => null(ScalarValue::Int64(None)),
        (Class::Text | Class::Shown, DataType::Null) => null(ScalarValue::Utf8(None)),
        _ => None,
    }
}

/// A function of our own on rows.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    name: &'static str,
    pattern: Option<Pattern>,
    signature: Signature,
}

impl Function {
    fn new(name: &'static str, pattern: Option<Pattern>) -> Self {
        Self { name, pattern, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DfResult<DataType> {
        match form(self.name) {
            Some(form) => Ok(given(form.gives, args)),
            None => plan_err!("no such function"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let out = form(self.name).and_then(|form| run(form, self.pattern.as_ref(), &arrays));
        out.map(ColumnarValue::Array).ok_or_else(|| DataFusionError::Internal("a wrong argument".to_owned()))
    }
}

pub(crate) fn given(gives: Gives, args: &[DataType]) -> DataType {
    match gives {
        Gives::Float => DataType::Float64,
        Gives::Whole => DataType::Int64,
        Gives::Text => DataType::Utf8,
        Gives::Truth => DataType::Boolean,
        Gives::Same => match args.first() {
            Some(data_type) if data_type.is_integer() => DataType::Int64,
            _ => DataType::Float64,
        },
    }
}

/// Runs a function on columns of the types that it takes; `None` when they are of others.
fn run(form: &Form, pattern: Option<&Pattern>, args: &[ArrayRef]) -> Option<ArrayRef> {
    let floats = |place: usize| args.get(place)?.as_primitive_opt::<Float64Type>();
    let wholes = |place: usize| args.get(place)?.as_primitive_opt::<Int64Type>();
    let finite = |x: f64| Some(x).filter(|x| x.is_finite());
    // A second whole number, or 0 for each row.
    let second = || match args.get(1) {
        None => Some(Int64Array::from(vec![0; args.first()?.len()])),
        Some(array) => array.as_primitive_opt::<Int64Type>().cloned(),
    };
    Some(match form.kernel {
        Kernel::Float(of) => Arc::new(floats(0)?.iter().map(|x| finite(of(x?))).collect::<Float64Array>()),
        Kernel::Floats(of) => {
            let pairs = floats(0)?.iter().zip(floats(1)?);
            Arc::new(pairs.map(|(x, y)| finite(of(x?, y?))).collect::<Float64Array>())
        }
        Kernel::Test(of) => Arc::new(floats(0)?.iter().map(|x| x.map(of)).collect::<BooleanArray>()),
        Kernel::Wholes(of) => {
            let second = second()?;
            let pairs = wholes(0)?.iter().zip(&second);
            Arc::new(pairs.map(|(x, y)| of(x?, y?)).collect::<Int64Array>())
        }
        Kernel::Digits(of_float, of_whole) => {
            let places = second()?;
            match wholes(0) {
                Some(wholes) => {
                    let pairs = wholes.iter().zip(&places);
                    Arc::new(pairs.map(|(x, n)| of_whole(x?, n?)).collect::<Int64Array>())
                }
                None => {
                    let pairs = floats(0)?.iter().zip(&places);
                    Arc::new(pairs.map(|(x, n)| finite(of_float(x?, n?))).collect::<Float64Array>())
                }
            }
        }
        Kernel::Text(of) => {
            texts_made(
                form.gives,
                &columns(args)?,
                |cells| {
                    if cells.iter().all(Option::is_some) { of(cells) } else { None }
                },
            )?
        }
        Kernel::Lenient(of) => texts_made(form.gives, &columns(args)?, of)?,
        Kernel::Pattern => {
            let texts = args.first()?.as_string_opt::<i32>()?;
            let found = texts.iter().map(|text| Some(pattern?.is_in(short(text?)?)));
            Arc::new(found.collect::<BooleanArray>())
        }
    })
}

/// A text that functions see.
fn short(text: &str) -> Option<&str> {
    Some(text).filter(|text| text.len() <= TEXT_MAX_BYTES)
}

/// A column of arguments of a function of text.
enum ArgumentColumn<'a> {
    Texts(&'a StringArray),
    Wholes(&'a Int64Array),
}

impl<'a> ArgumentColumn<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        match array.as_string_opt::<i32>() {
            Some(texts) => Some(Self::Texts(texts)),
            None => array.as_primitive_opt::<Int64Type>().map(Self::Wholes),
        }
    }

    fn cell(&self, row: usize) -> Option<Cell<'a>> {
        use arrow::array::Array as _;
        match self {
            Self::Texts(texts) if texts.is_valid(row) => short(texts.value(row)).map(Cell::Text),
            Self::Wholes(wholes) if wholes.is_valid(row) => Some(Cell::Whole(wholes.value(row))),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        use arrow::array::Array as _;
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Wholes(wholes) => wholes.len(),
        }
    }
}

fn columns(args: &[ArrayRef]) -> Option<Vec<ArgumentColumn<'_>>> {
    args.iter().map(ArgumentColumn::of).collect()
}

/// The results, row by row; one that is too long is NULL.
fn texts_made(
    gives: Gives,
    columns: &[ArgumentColumn<'_>],
    of: impl for<'a, 'b> Fn(&'b [Option<Cell<'a>>]) -> Option<Made<'a>>,
) -> Option<ArrayRef> {
    let rows = columns.first()?.len();
    let mut cells: Vec<Option<Cell<'_>>> = Vec::with_capacity(columns.len());
    let mut made = |row: usize| {
        cells.clear();
        cells.extend(columns.iter().map(|column| column.cell(row)));
        of(&cells)
    };
    Some(match gives {
        Gives::Text => Arc::new(
            (0..rows)
                .map(|row| match made(row) {
                    Some(Made::Text(text)) if text.len() <= TEXT_MAX_BYTES => Some(text),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
        Gives::Whole => Arc::new(
            (0..rows)
                .map(|row| match made(row) {
                    Some(Made::Whole(n)) => Some(n),
                    _ => None,
                })
                .collect::<Int64Array>(),
        ),
        _ => Arc::new(
            (0..rows)
                .map(|row| match made(row) {
                    Some(Made::Truth(truth)) => Some(truth),
                    _ => None,
                })
                .collect::<BooleanArray>(),
        ),
    })
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
