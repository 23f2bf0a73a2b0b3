//! Functions of numbers, total by construction: floats give NULL where a result is no finite number, whole numbers are
//! checked. Beside each function stands how an interval passes through it.

use crate::calls::{Class, Form, Gives, Kernel};
use crate::interval::Interval;

/// How the values of a function lie, given where those of its arguments do.
#[derive(Clone, Copy)]
pub(crate) enum Within {
    /// It rises with its only argument, on this domain; its values at the ends are exact.
    Rises(f64, f64),
    /// It rises, and is computed to within some last places.
    RisesNearly(f64, f64),
    /// Always between two numbers.
    Between(f64, f64),
    /// Something else: a rule of its own.
    Rule(fn(&[Interval]) -> Interval),
}

const INF: f64 = f64::INFINITY;
/// Above π by more than any rounding.
const ABOVE_PI: f64 = std::f64::consts::PI * (1.0 + 1e-13);

const fn float(name: &'static str, kernel: fn(f64) -> f64, within: Within) -> Form {
    Form {
        name,
        params: &[Class::Float],
        needed: 1,
        more: false,
        gives: Gives::Float,
        kernel: Kernel::Float(kernel),
        within,
    }
}

const fn floats(name: &'static str, kernel: fn(f64, f64) -> f64, within: Within) -> Form {
    let params = &[Class::Float, Class::Float];
    Form { name, params, needed: 2, more: false, gives: Gives::Float, kernel: Kernel::Floats(kernel), within }
}

const fn wholes(name: &'static str, kernel: fn(i64, i64) -> Option<i64>, within: Within) -> Form {
    let params = &[Class::Whole, Class::Whole];
    Form { name, params, needed: 2, more: false, gives: Gives::Whole, kernel: Kernel::Wholes(kernel), within }
}

const fn digits(
    name: &'static str,
    of_float: fn(f64, i64) -> f64,
    of_whole: fn(i64, i64) -> Option<i64>,
    within: Within,
) -> Form {
    let kernel = Kernel::Digits(of_float, of_whole);
    let params = &[Class::Number, Class::Whole];
    Form { name, params, needed: 1, more: false, gives: Gives::Same, kernel, within }
}

const fn test(name: &'static str, kernel: fn(f64) -> bool) -> Form {
    let within = Within::Between(0.0, 1.0);
    Form {
        name,
        params: &[Class::Float],
        needed: 1,
        more: false,
        gives: Gives::Truth,
        kernel: Kernel::Test(kernel),
        within,
    }
}

/// The functions of numbers.
pub(crate) static FORMS: &[Form] = &[
    digits("abs", |x, _| x.abs(), |x, _| x.checked_abs(), Within::Rule(absolute)),
    digits(
        "signum",
        sign,
        |x, _| Some(x.signum()),
        Within::Rule(|args| match args {
            [x] => Interval::between(sign(x.lower, 0), sign(x.upper, 0)),
            _ => Interval::LINE,
        }),
    ),
    digits("round", round, |x, n| shortened(x, n, true), Within::Rule(rounded)),
    digits("trunc", trunc, |x, n| shortened(x, n, false), Within::Rule(truncated)),
    wholes("gcd", gcd, Within::Rule(divisor)),
    wholes("lcm", lcm, Within::Between(0.0, INF)),
    Form {
        name: "factorial",
        params: &[Class::Whole],
        needed: 1,
        more: false,
        gives: Gives::Whole,
        kernel: Kernel::Wholes(|n, _| factorial(n)),
        within: Within::Between(1.0, 2_432_902_008_176_640_000.0),
    },
    float("sqrt", f64::sqrt, Within::Rises(0.0, INF)),
    float("cbrt", f64::cbrt, Within::RisesNearly(-INF, INF)),
    float("exp", f64::exp, Within::RisesNearly(-INF, INF)),
    float("ln", f64::ln, Within::RisesNearly(LEAST, INF)),
    float("log2", f64::log2, Within::RisesNearly(LEAST, INF)),
    float("log10", f64::log10, Within::RisesNearly(LEAST, INF)),
    floats("log", |base, x| x.ln() / base.ln(), Within::Rule(logarithm)),
    floats("power", f64::powf, Within::Rule(power)),
    float("degrees", f64::to_degrees, Within::RisesNearly(-INF, INF)),
    float("radians", f64::to_radians, Within::RisesNearly(-INF, INF)),
    float("sin", f64::sin, Within::Between(-1.0, 1.0)),
    float("cos", f64::cos, Within::Between(-1.0, 1.0)),
    float("tan", f64::tan, Within::Between(-INF, INF)),
    float("cot", |x| 1.0 / x.tan(), Within::Between(-INF, INF)),
    float("asin", f64::asin, Within::RisesNearly(-1.0, 1.0)),
    float("acos", f64::acos, Within::Between(0.0, ABOVE_PI)),
    float("atan", f64::atan, Within::RisesNearly(-INF, INF)),
    floats("atan2", f64::atan2, Within::Between(-ABOVE_PI, ABOVE_PI)),
    float("sinh", f64::sinh, Within::RisesNearly(-INF, INF)),
    float("cosh", f64::cosh, Within::Between(1.0, INF)),
    float("tanh", f64::tanh, Within::RisesNearly(-INF, INF)),
    float("asinh", f64::asinh, Within::Between(-INF, INF)),
    float("acosh", f64::acosh, Within::Between(0.0, INF)),
    float("atanh", f64::atanh, Within::Between(-INF, INF)),
    test("isnan", f64::is_nan),
    test("iszero", |x| x == 0.0),
    Form {
        name: "nanvl",
        params: &[Class::Float, Class::Float],
        needed: 2,
        more: false,
        gives: Gives::Float,
        kernel: Kernel::Floats(|x, y| if x.is_nan() { y } else { x }),
        within: Within::Rule(either),
    },
];

/// The least number above zero.
const LEAST: f64 = 5e-324;

/// Whole numbers of floats are exact up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn sign(x: f64, _: i64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

/// Rounded to so many decimal places, halves away from zero. With more than 15 places, and from 2⁵³ on, a float is itself.
fn round(x: f64, places: i64) -> f64 {
    shortened_float(x, places, f64::round)
}

fn trunc(x: f64, places: i64) -> f64 {
    shortened_float(x, places, f64::trunc)
}

/// Rises with `x` for every number of places: each step does, and where the number is itself it is not below what
/// smaller numbers become.
fn shortened_float(x: f64, places: i64, cut: fn(f64) -> f64) -> f64 {
    match places {
        0 => cut(x),
        1..=15 if x.abs() < EXACT => {
            let scale = 10_f64.powi(places as i32);
            cut(x * scale) / scale
        }
        1.. => x,
        _ => {
            let scale = 10_f64.powi(places.unsigned_abs().min(300) as i32);
            cut(x / scale) * scale
        }
    }
}

/// A whole number to so many places before the point.
fn shortened(x: i64, places: i64, nearest: bool) -> Option<i64> {
    if places >= 0 {
        return Some(x);
    }
    let Some(scale) = u32::try_from(places.unsigned_abs()).ok().and_then(|n| 10_i128.checked_pow(n)) else {
        return Some(0);
    };
    let x = i128::from(x);
    let half = if nearest { scale / 2 * x.signum() } else { 0 };
    i64::try_from((x + half) / scale * scale).ok()
}

fn gcd(a: i64, b: i64) -> Option<i64> {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).ok()
}

fn lcm(a: i64, b: i64) -> Option<i64> {
    if a == 0 || b == 0 {
        return Some(0);
    }
    let common = i128::from(gcd(a, b)?);
    i64::try_from((i128::from(a) / common * i128::from(b)).abs()).ok()
}

fn factorial(n: i64) -> Option<i64> {
    (0..=20).contains(&n).then(|| (1..=n).product())
}

fn absolute(args: &[Interval]) -> Interval {
    args.first().map_or(Interval::LINE, |x| x.absolute())
}

/// The number of places is known where it is a literal.
fn places(args: &[Interval]) -> Option<i64> {
    match args.get(1) {
        None => Some(0),
        Some(n) if n.lower == n.upper => Some(n.lower as i64),
        Some(_) => None,
    }
}

fn rounded(args: &[Interval]) -> Interval {
    shortened_interval(args, f64::round)
}

fn truncated(args: &[Interval]) -> Interval {
    shortened_interval(args, f64::trunc)
}

/// Floats are rounded as the ends are. Whole numbers are rounded exactly, which is the same up to 2⁵³; beyond, one step more is taken.
fn shortened_interval(args: &[Interval], cut: fn(f64) -> f64) -> Interval {
    let (Some(x), Some(n)) = (args.first(), places(args)) else {
        return Interval::LINE;
    };
    let ends = Interval::between(shortened_float(x.lower, n, cut), shortened_float(x.upper, n, cut));
    if n >= 0 {
        return ends.hull(*x);
    }
    let step = 10_f64.powi(n.unsigned_abs().min(300) as i32);
    if x.absolute().upper < EXACT { ends } else { Interval::between(ends.lower - step, ends.upper + step) }
}

/// A common divisor is at most each number that is not zero; of zero and a number it is the number.
fn divisor(args: &[Interval]) -> Interval {
    let most = args.iter().map(|x| x.absolute().upper).fold(0.0, f64::max);
    let nonzero = args.iter().map(|x| x.absolute()).filter(|x| x.lower > 0.0);
    Interval::between(0.0, nonzero.map(|x| x.upper).fold(most, f64::min))
}

fn either(args: &[Interval]) -> Interval {
    args.iter().copied().reduce(Interval::hull).unwrap_or(Interval::LINE)
}

/// Both logarithm and power rise or fall in each argument while the other stands: the extremes are at corners.
fn corners(x: Interval, y: Interval, of: fn(f64, f64) -> f64) -> Interval {
    let ends = [of(x.lower, y.lower), of(x.lower, y.upper), of(x.upper, y.lower), of(x.upper, y.upper)];
    if ends.iter().any(|end| end.is_nan()) {
        return Interval::LINE;
    }
    let (lower, upper) = ends.iter().fold((INF, -INF), |(lo, hi), end| (lo.min(*end), hi.max(*end)));
    Interval::between(lower, upper).loosened()
}

fn logarithm(args: &[Interval]) -> Interval {
    match args {
        [base, x] if base.lower > 1.0 && x.lower > 0.0 => corners(*base, *x, |base, x| x.ln() / base.ln()),
        _ => Interval::LINE,
    }
}

fn power(args: &[Interval]) -> Interval {
    match args {
        [x, y] if x.lower > 0.0 => corners(*x, *y, f64::powf),
        // A whole power from 0 on is smooth at zero: rising, or falling and then rising.
        [x, y] if y.lower == y.upper && y.lower >= 0.0 && y.lower.fract() == 0.0 => {
            let ends = corners(*x, *y, f64::powf);
            if x.lower <= 0.0 && x.upper >= 0.0 && y.lower > 0.0 {
                ends.hull(Interval::between(0.0, 0.0))
            } else {
                ends
            }
        }
        [x, y] if x.lower >= 0.0 && y.lower >= 0.0 => corners(*x, *y, f64::powf).hull(Interval::between(0.0, 1.0)),
        _ => Interval::LINE,
    }
}
