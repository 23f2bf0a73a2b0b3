//! The functions that may be called, and why each is total.

use super::{Entry, total};

const FLOAT: &str = "our own: one operation on a 64-bit float; NULL where the result is no finite number";
const DOMAIN: &str =
    "our own: one operation on a 64-bit float; NULL outside the domain and where the result is no finite number";
const WHOLE: &str = "our own: checked 64-bit arithmetic; NULL where the result does not fit";
const SHORTER: &str = "our own: one pass over the text; never longer than its argument";
const CAPPED: &str = "our own: builds at most 1,024 bytes, NULL beyond";
const MEASURED: &str = "our own: one pass over the text; a whole number";
const SEARCHED: &str = "our own: one linear search (two-way), no pattern";
const PATTERN: &str = "our own: the literal pattern is compiled at analysis within a fixed size; linear in the text";
const CALENDAR: &str =
    "our own: calendar arithmetic on 64-bit days, defined on every day and instant that a column holds";
const CHOICE: &str = "chooses among its arguments";
const REWRITTEN: &str = "rewritten to CASE";

pub(super) const TABLE: &[Entry] = &[
    // Choice among values.
    total("coalesce", &[], "COALESCE(x, y, …)", REWRITTEN),
    total("nvl", &["ifnull"], "NVL(x, y)", REWRITTEN),
    total("nvl2", &[], "NVL2(x, if_not_null, if_null)", REWRITTEN),
    total("nullif", &[], "NULLIF(x, y)", CHOICE),
    total("greatest", &[], "GREATEST(x, y, …)", CHOICE),
    total("least", &[], "LEAST(x, y, …)", CHOICE),
    // Numbers.
    total("abs", &[], "ABS(x)", WHOLE),
    total("signum", &["sign"], "SIGN(x)", "our own: -1, 0 or 1, of the type of its argument"),
    total("ceil", &["ceiling"], "CEIL(x)", "one operation on a 64-bit float"),
    total("floor", &[], "FLOOR(x)", "one operation on a 64-bit float"),
    total("round", &[], "ROUND(x [, digits])", WHOLE),
    total("trunc", &[], "TRUNC(x [, digits])", WHOLE),
    total("mod", &[], "MOD(x, y)", "ours, as `%`: NULL where the divisor is zero"),
    total("gcd", &[], "GCD(a, b)", WHOLE),
    total("lcm", &[], "LCM(a, b)", WHOLE),
    total("factorial", &[], "FACTORIAL(n)", "our own: a whole number for 0 to 20, else NULL"),
    total("sqrt", &[], "SQRT(x)", DOMAIN),
    total("cbrt", &[], "CBRT(x)", FLOAT),
    total("exp", &[], "EXP(x)", FLOAT),
    total("ln", &[], "LN(x)", DOMAIN),
    total("log", &[], "LOG([base,] x)", DOMAIN),
    total("log2", &[], "LOG2(x)", DOMAIN),
    total("log10", &[], "LOG10(x)", DOMAIN),
    total("power", &["pow"], "POWER(x, y)", DOMAIN),
    total("pi", &[], "PI()", "a constant"),
    total("degrees", &[], "DEGREES(x)", FLOAT),
    total("radians", &[], "RADIANS(x)", FLOAT),
    total("sin", &[], "SIN(x)", FLOAT),
    total("cos", &[], "COS(x)", FLOAT),
    total("tan", &[], "TAN(x)", FLOAT),
    total("cot", &[], "COT(x)", DOMAIN),
    total("asin", &[], "ASIN(x)", DOMAIN),
    total("acos", &[], "ACOS(x)", DOMAIN),
    total("atan", &[], "ATAN(x)", FLOAT),
    total("atan2", &[], "ATAN2(y, x)", FLOAT),
    total("sinh", &[], "SINH(x)", FLOAT),
    total("cosh", &[], "COSH(x)", FLOAT),
    total("tanh", &[], "TANH(x)", FLOAT),
    total("asinh", &[], "ASINH(x)", FLOAT),
    total("acosh", &[], "ACOSH(x)", DOMAIN),
    total("atanh", &[], "ATANH(x)", DOMAIN),
    total("isnan", &[], "ISNAN(x)", "our own: a comparison"),
    total("iszero", &[], "ISZERO(x)", "our own: a comparison"),
    total("nanvl", &[], "NANVL(x, y)", CHOICE),
    // Dates.
    total("date_part", &["datepart"], "EXTRACT(part FROM x)", CALENDAR),
    total("date_trunc", &["datetrunc"], "DATE_TRUNC('part', x)", CALENDAR),
    // Text.
    total("lower", &[], "LOWER(t)", CAPPED),
    total("upper", &[], "UPPER(t)", CAPPED),
    total("initcap", &[], "INITCAP(t)", CAPPED),
    total("btrim", &["trim"], "TRIM(t [, 'characters'])", SHORTER),
    total("ltrim", &[], "LTRIM(t [, 'characters'])", SHORTER),
    total("rtrim", &[], "RTRIM(t [, 'characters'])", SHORTER),
    total("left", &[], "LEFT(t, n)", SHORTER),
    total("right", &[], "RIGHT(t, n)", SHORTER),
    total("substr", &["substring"], "SUBSTR(t, start [, length])", SHORTER),
    total("split_part", &[], "SPLIT_PART(t, delimiter, n)", SHORTER),
    total("reverse", &[], "REVERSE(t)", SHORTER),
    total("replace", &[], "REPLACE(t, from, to)", CAPPED),
    total("translate", &[], "TRANSLATE(t, 'from', 'to')", CAPPED),
    total("lpad", &[], "LPAD(t, n [, fill])", CAPPED),
    total("rpad", &[], "RPAD(t, n [, fill])", CAPPED),
    total("concat", &[], "CONCAT(x, y, …)", CAPPED),
    total("concat_ws", &[], "CONCAT_WS(separator, x, y, …)", CAPPED),
    total("character_length", &["length", "char_length"], "CHAR_LENGTH(t)", MEASURED),
    total("octet_length", &[], "OCTET_LENGTH(t)", MEASURED),
    total("bit_length", &[], "BIT_LENGTH(t)", MEASURED),
    total("ascii", &[], "ASCII(t)", MEASURED),
    total("strpos", &["instr", "position"], "STRPOS(t, part)", SEARCHED),
    total("starts_with", &[], "STARTS_WITH(t, part)", SEARCHED),
    total("ends_with", &[], "ENDS_WITH(t, part)", SEARCHED),
    total("contains", &[], "CONTAINS(t, part)", SEARCHED),
    total("regexp_like", &[], "REGEXP_LIKE(t, 'pattern' [, 'flags'])", PATTERN),
];
