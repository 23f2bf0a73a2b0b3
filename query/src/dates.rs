//! Parts of dates and beginnings of periods: total on every day and instant that a column can hold.
//!
//! What DataFusion offers fails, or gives no value, where its calendar library ends. Here a day is a number and the calendar is
//! arithmetic ([`glovebox_catalog::civil`]). Most parts have few values that anybody can name (twelve months, seven days of
//! the week), which makes them keys to group by without a list; the others need the column's declared days.

use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use glovebox_catalog::civil::Date;
use glovebox_policy::{Reason, Refusal};

/// Microseconds of a day.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// The instants that columns hold.
pub(crate) const INSTANT: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// A period of the calendar or of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Period {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    /// From 0 for Sunday.
    DayOfWeek,
    /// From 1 for Monday.
    IsoDayOfWeek,
    Hour,
    Minute,
    Second,
}

use Period::{Day, DayOfWeek, DayOfYear, Hour, IsoDayOfWeek, Minute, Month, Quarter, Second, Week, Year};

impl Period {
    const ALL: [Self; 11] = [Year, Quarter, Month, Week, Day, DayOfYear, DayOfWeek, IsoDayOfWeek, Hour, Minute, Second];

    /// The name in SQL.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Year => "YEAR",
            Quarter => "QUARTER",
            Month => "MONTH",
            Week => "WEEK",
            Day => "DAY",
            DayOfYear => "DOY",
            DayOfWeek => "DOW",
            IsoDayOfWeek => "ISODOW",
            Hour => "HOUR",
            Minute => "MINUTE",
            Second => "SECOND",
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name().eq_ignore_ascii_case(text))
    }

    /// Whether it is a part of a day, which a date does not have.
    const fn is_of_the_clock(self) -> bool {
        matches!(self, Hour | Minute | Second)
    }

    /// Whether instants can be cut off at its beginning.
    const fn has_beginning(self) -> bool {
        !matches!(self, DayOfYear | DayOfWeek | IsoDayOfWeek)
    }

    /// All values of the part, where they are the same for all dates.
    pub(crate) const fn values(self) -> Option<RangeInclusive<i64>> {
        match self {
            Year => None,
            Quarter => Some(1..=4),
            Month => Some(1..=12),
            Week => Some(1..=53),
            Day => Some(1..=31),
            DayOfYear => Some(1..=366),
            DayOfWeek => Some(0..=6),
            IsoDayOfWeek => Some(1..=7),
            Hour => Some(0..=23),
            Minute | Second => Some(0..=59),
        }
    }

    /// The part of an instant, given as its day and its microsecond within the day.
    fn part(self, day: i64, micros: i64) -> i64 {
        let date = Date::of(day);
        match self {
            Year => date.year,
            Quarter => (date.month - 1) / 3 + 1,
            Month => date.month,
            // ISO 8601: the week of a day is that of its Thursday, and the first week has the year's first one.
            Week => (Date::of(day - iso_day_of_week(day) + 4).of_year() - 1) / 7 + 1,
            Day => date.day,
            DayOfYear => date.of_year(),
            DayOfWeek => iso_day_of_week(day) % 7,
            IsoDayOfWeek => iso_day_of_week(day),
            Hour => micros / 3_600_000_000,
            Minute => micros / 60_000_000 % 60,
            Second => micros / 1_000_000 % 60,
        }
    }

    /// The first day of the period that a day is in.
    pub(crate) fn first_day(self, day: i64) -> i64 {
        let date = Date::of(day);
        match self {
            Year => Date { month: 1, day: 1, ..date }.number(),
            Quarter => Date { month: (date.month - 1) / 3 * 3 + 1, day: 1, ..date }.number(),
            Month => Date { day: 1, ..date }.number(),
            Week => day - iso_day_of_week(day) + 1,
            Day | DayOfYear | DayOfWeek | IsoDayOfWeek | Hour | Minute | Second => day,
        }
    }

    /// The instant at which the period of an instant begins; `None` where 64 bits cannot name it.
    fn beginning(self, instant: i64) -> Option<i64> {
        match self {
            Hour => instant.checked_sub(instant.rem_euclid(3_600_000_000)),
            Minute => instant.checked_sub(instant.rem_euclid(60_000_000)),
            Second => instant.checked_sub(instant.rem_euclid(1_000_000)),
            _ => self.first_day(instant.div_euclid(DAY_MICROS)).checked_mul(DAY_MICROS),
        }
    }
}

/// 1 for Monday to 7 for Sunday. Day 0 was a Thursday.
fn iso_day_of_week(day: i64) -> i64 {
    (day + 3).rem_euclid(7) + 1
}

/// What is taken of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Taken {
    /// A number: EXTRACT, date_part.
    Part(Period),
    /// The beginning of the period: date_trunc.
    Beginning(Period),
}

/// A function of dates that is defined everywhere.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DateFunction {
    taken: Taken,
    signature: Signature,
}

/// The name that every function of dates has; what it takes is in [`taken`].
const NAME: &str = "__gb_date";

/// A call that takes something of a date or an instant. The caller has checked the argument's type.
fn call(taken: Taken, date: Expr) -> Expr {
    let function = DateFunction { taken, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::from(function).call(vec![date])
}

/// What a call takes, and of what; `None` when it is another function.
pub(crate) fn taken(call: &ScalarFunction) -> Option<(Taken, &Expr)> {
    let function = (call.func.inner().as_ref() as &dyn std::any::Any).downcast_ref::<DateFunction>()?;
    Some((function.taken, call.args.first()?))
}

/// The total form of `date_part('month', x)` or `date_trunc('month', x)`, or `None` when it is another function.
///
/// # Errors
/// [`Reason::FunctionRefused`] for another period, [`Reason::TypeRefused`] when `x` has no such part.
pub(crate) fn total(function: &str, args: &[Expr], types: &[DataType]) -> Result<Option<Expr>, Refusal> {
    let part = match function {
        PART => true,
        TRUNC => false,
        _ => return Ok(None),
    };
    let ([Expr::Literal(ScalarValue::Utf8(Some(name)), _), date], [_, data_type]) = (args, types) else {
        return Err(Refusal::about(Reason::FunctionRefused, function));
    };
    let period = Period::named(name).filter(|period| part || period.has_beginning());
    let period = period.ok_or_else(|| Refusal::about(Reason::FunctionRefused, &format!("{function} of {name}")))?;
    let fits = *data_type == INSTANT || *data_type == DataType::Date32 && !period.is_of_the_clock();
    if !fits {
        return Err(Refusal::about(Reason::TypeRefused, &format!("{} of {data_type}", period.name())));
    }
    let taken = if part { Taken::Part(period) } else { Taken::Beginning(period) };
    Ok(Some(call(taken, date.clone())))
}

impl ScalarUDFImpl for DateFunction {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DfResult<DataType> {
        match (self.taken, args) {
            (Taken::Part(_), _) => Ok(DataType::Int64),
            (Taken::Beginning(_), [of]) => Ok(of.clone()),
            (Taken::Beginning(_), _) => plan_err!("one argument is needed"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let dates = arrays.first().and_then(|array| self.take(array));
        dates.map(ColumnarValue::Array).ok_or_else(|| DataFusionError::Internal("not a date".to_owned()))
    }
}

impl DateFunction {
    fn take(&self, dates: &ArrayRef) -> Option<ArrayRef> {
        let days = || Some(dates.as_primitive_opt::<Date32Type>()?.iter().map(|day| day.map(i64::from)));
        let instants = || Some(dates.as_primitive_opt::<TimestampMicrosecondType>()?.iter());
        Some(match (self.taken, dates.data_type()) {
            (Taken::Part(period), DataType::Date32) => {
                Arc::new(days()?.map(|day| Some(period.part(day?, 0))).collect::<Int64Array>())
            }
            (Taken::Part(period), _) => {
                let part = |micros: i64| period.part(micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
                Arc::new(instants()?.map(|micros| micros.map(part)).collect::<Int64Array>())
            }
            (Taken::Beginning(period), DataType::Date32) => {
                let first = days()?.map(|day| i32::try_from(period.first_day(day?)).ok());
                Arc::new(first.collect::<Date32Array>())
            }
            (Taken::Beginning(period), _) => {
                let beginnings = instants()?.map(|micros| period.beginning(micros?));
                Arc::new(beginnings.collect::<TimestampMicrosecondArray>())
            }
        })
    }
}

/// The function as the planner knows it: two arguments, the period as a text.
const PART: &str = "date_part";
/// As [`PART`].
const TRUNC: &str = "date_trunc";

static PART_PLANNED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Planned::new(PART))));
static TRUNC_PLANNED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Planned::new(TRUNC))));

/// The functions of dates that a statement may name.
pub(crate) fn planned(name: &str) -> Option<Arc<ScalarUDF>> {
    match name {
        PART | "datepart" => Some(Arc::clone(&PART_PLANNED)),
        TRUNC | "datetrunc" => Some(Arc::clone(&TRUNC_PLANNED)),
        _ => None,
    }
}

/// Exists for the planner only; [`total`] takes every call out again.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Planned {
    name: &'static str,
    signature: Signature,
}

impl Planned {
    fn new(name: &'static str) -> Self {
        Self { name, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Planned {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DfResult<DataType> {
        match args {
            [_, _] if self.name == PART => Ok(DataType::Int64),
            [_, of] => Ok(of.clone()),
            _ => plan_err!("two arguments are needed"),
        }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        plan_err!("not for running")
    }
}

/// Makes `EXTRACT(x FROM y)` a call of `date_part`.
#[derive(Debug)]
pub(crate) struct ExtractPlanner;

impl ExprPlanner for ExtractPlanner {
    fn plan_extract(&self, args: Vec<Expr>) -> DfResult<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(PART_PLANNED.call(args)))
    }
}

/// The instant that a literal writes in ISO 8601, in microseconds; `None` when it writes none, or one with a zone.
pub(crate) fn instant_of(text: &str) -> Option<i64> {
    let nanos = arrow::compute::kernels::cast_utils::string_to_timestamp_nanos(text).ok()?;
    let has_zone = text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|clock| clock.contains(['+', '-']));
    (nanos % 1_000 == 0 && !has_zone).then_some(nanos / 1_000)
}

/// A day as ISO 8601 writes it.
pub(crate) fn day_text(day: i32) -> String {
    Date::of(i64::from(day)).to_string()
}

/// An instant as ISO 8601 writes it, without a zone; fractions of a second where there are any.
pub(crate) fn instant_text(micros: i64) -> String {
    let (day, of_day) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
    let (second, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    let date = Date::of(day);
    if fraction == 0 { format!("{date}T{clock}") } else { format!("{date}T{clock}.{fraction:06}") }
}

#[cfg(test)]
#[path = "dates_tests.rs"]
mod tests;
