//! What GoogleSQL adds to SELECT, lifted out of the tokens before parsing, because DataFusion's parser takes neither:
//!
//! ```sql
//! EXPLAIN PRIVACY SELECT …
//! SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9, max_groups_contributed = 3) …
//! SUM(x, contribution_bounds_per_row => (0, 100)), COUNT(*, contribution_bounds_per_group => (0, 1))
//! ```
//!
//! Contribution bounds leave a marker behind, a call of the reserved function [`MARKER`] around the aggregate's
//! argument, so that the analysis finds them again after planning. Placeholders become the literals bound to them here,
//! as tokens, so that nothing a parameter holds is ever parsed.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Word};
use glovebox_policy::{NanoEpsilon, Reason, Refusal};
use glovebox_privacy::{MechanismKind, Scalar};

use crate::guard::SQL_MAX_BYTES;

/// The reserved function that carries contribution bounds through the planner: `__gb_bounds(x, <index>)`.
pub(crate) const MARKER: &str = "__gb_bounds";

/// What an aggregate's contribution bounds bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BoundsOf {
    /// The value of each row.
    Row,
    /// A unit's whole contribution to a group.
    Group,
}

/// Contribution bounds as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WrittenBounds {
    pub(crate) of: BoundsOf,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// The options of `WITH DIFFERENTIAL_PRIVACY`, as far as they were written.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Options {
    /// ε of the whole query.
    pub epsilon: Option<NanoEpsilon>,
    /// δ of the whole query's (ε, δ) statement; 0 asks for pure ε.
    pub delta: Option<f64>,
    /// Most groups that one unit is counted in.
    pub max_groups_contributed: Option<u32>,
    /// The mechanism, where the default is not wanted.
    pub mechanism: Option<MechanismKind>,
}

/// A statement without the additions, and the additions.
#[derive(Debug)]
pub(crate) struct Lifted {
    pub(crate) tokens: Vec<Token>,
    pub(crate) preview: bool,
    pub(crate) options: Options,
    pub(crate) bounds: Vec<WrittenBounds>,
}

/// How many parameters a statement takes.
///
/// # Errors
/// As the guard refuses.
pub fn parameter_count(sql: &str) -> Result<usize, Refusal> {
    let tokens = crate::guard::tokens(sql)?;
    let mut question_marks = 0;
    let mut highest = 0;
    for token in &tokens {
        if let Token::Placeholder(name) = token {
            match name.strip_prefix('$').map(str::parse::<usize>) {
                Some(Ok(number)) if (1..=1000).contains(&number) => highest = highest.max(number),
                None if name == "?" => question_marks += 1,
                _ => return Err(Refusal::about(Reason::ParameterMissing, name)),
            }
        }
    }
    Ok(highest.max(question_marks))
}

/// Lifts the additions out of guarded tokens.
///
/// # Errors
/// A refusal about the statement's kind, an option, bounds or a parameter.
pub(crate) fn lift(tokens: Vec<Token>, parameters: &[Scalar]) -> Result<Lifted, Refusal> {
    let tokens = bind(tokens, parameters)?;
    let (tokens, preview) = lift_explain(tokens)?;
    let (tokens, options) = lift_options(tokens)?;
    let (tokens, bounds) = lift_bounds(tokens)?;
    Ok(Lifted { tokens, preview, options, bounds })
}

fn bind(tokens: Vec<Token>, parameters: &[Scalar]) -> Result<Vec<Token>, Refusal> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut next = 0;
    for token in tokens {
        let Token::Placeholder(name) = &token else {
            out.push(token);
            continue;
        };
        let index = match name.strip_prefix('$') {
            Some(number) => number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)),
            None if name == "?" => {
                next += 1;
                Some(next - 1)
            }
            None => None,
        };
        let value =
            index.and_then(|i| parameters.get(i)).ok_or_else(|| Refusal::about(Reason::ParameterMissing, name))?;
        out.extend(literal(value)?);
    }
    Ok(out)
}

fn literal(value: &Scalar) -> Result<Vec<Token>, Refusal> {
    let number = |text: String| match text.strip_prefix('-') {
        Some(positive) => {
            vec![Token::LParen, Token::Minus, Token::Number(positive.to_owned(), false), Token::RParen]
        }
        None => vec![Token::Number(text, false)],
    };
    match value {
        Scalar::Null => Ok(vec![Token::make_keyword("NULL")]),
        Scalar::Bool(true) => Ok(vec![Token::make_keyword("TRUE")]),
        Scalar::Bool(false) => Ok(vec![Token::make_keyword("FALSE")]),
        Scalar::Int(v) => Ok(number(v.to_string())),
        Scalar::Float(v) if v.is_finite() => Ok(number(format!("{v:e}"))),
        Scalar::Float(_) => Err(Refusal::about(Reason::ParameterMissing, "a parameter is not a finite number")),
        Scalar::Text(text) if text.len() > SQL_MAX_BYTES => Err(Reason::SqlTooLong.into()),
        Scalar::Text(text) => Ok(vec![Token::SingleQuotedString(text.clone())]),
    }
}

fn is_word(token: Option<&Token>, text: &str) -> bool {
    matches!(token, Some(Token::Word(Word { value, quote_style: None, .. })) if value.eq_ignore_ascii_case(text))
}

fn lift_explain(mut tokens: Vec<Token>) -> Result<(Vec<Token>, bool), Refusal> {
    let first = tokens.first();
    if is_word(first, "EXPLAIN") || is_word(first, "DESCRIBE") || is_word(first, "DESC") {
        if !is_word(first, "EXPLAIN") || !is_word(tokens.get(1), "PRIVACY") {
            return Err(Reason::ExplainRefused.into());
        }
        tokens.drain(..2);
        return select_first(tokens).map(|tokens| (tokens, true));
    }
    select_first(tokens).map(|tokens| (tokens, false))
}

fn select_first(tokens: Vec<Token>) -> Result<Vec<Token>, Refusal> {
    match tokens.first() {
        Some(Token::Word(word)) if matches!(word.keyword, Keyword::SELECT | Keyword::WITH) => Ok(tokens),
        Some(token) => Err(Refusal::about(Reason::StatementRefused, &token.to_string())),
        None => Err(Reason::StatementRefused.into()),
    }
}

/// Where the statement's own SELECT is: the first one outside of parentheses, after those of WITH.
fn main_select(tokens: &[Token]) -> Option<usize> {
    let mut open = 0_usize;
    tokens.iter().position(|token| {
        match token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0 && matches!(token, Token::Word(word) if word.keyword == Keyword::SELECT)
    })
}

fn lift_options(mut tokens: Vec<Token>) -> Result<(Vec<Token>, Options), Refusal> {
    // A statement without a SELECT of its own is the parser's to refuse.
    let at = main_select(&tokens).unwrap_or(0);
    if !(is_word(tokens.get(at + 1), "WITH") && is_word(tokens.get(at + 2), "DIFFERENTIAL_PRIVACY")) {
        return Ok((tokens, Options::default()));
    }
    if !is_word(tokens.get(at + 3), "OPTIONS") {
        tokens.drain(at + 1..at + 3);
        return Ok((tokens, Options::default()));
    }
    if tokens.get(at + 4) != Some(&Token::LParen) {
        return Err(Refusal::about(Reason::SqlSyntax, "OPTIONS"));
    }
    let length = tokens.get(at + 4..).and_then(closing);
    let length = length.ok_or_else(|| Refusal::about(Reason::SqlSyntax, "OPTIONS"))?;
    // WITH DIFFERENTIAL_PRIVACY OPTIONS ( … ): four words and signs before what is inside, one after it.
    let inside: Vec<Token> = tokens.drain(at + 1..=at + 4 + length).skip(4).take(length.saturating_sub(1)).collect();
    let mut options = Options::default();
    let mut seen = Vec::new();
    for entry in inside.split(|token| *token == Token::Comma).filter(|entry| !entry.is_empty()) {
        // Which of two values was meant is not ours to guess: the one that is not meant may cost more.
        let name = entry.first().map(|name| name.to_string().to_ascii_lowercase());
        if seen.contains(&name) {
            return Err(Refusal::about(Reason::OptionInvalid, &format!("{} a second time", text_of(entry))));
        }
        seen.push(name);
        set_option(&mut options, entry)?;
    }
    Ok((tokens, options))
}

fn set_option(options: &mut Options, entry: &[Token]) -> Result<(), Refusal> {
    let [Token::Word(name), Token::Eq, value @ ..] = entry else {
        return Err(Refusal::about(Reason::OptionInvalid, &text_of(entry)));
    };
    let invalid = || Refusal::about(Reason::OptionInvalid, &text_of(entry));
    match name.value.to_ascii_lowercase().as_str() {
        "epsilon" => {
            let epsilon = number(value).and_then(NanoEpsilon::from_epsilon).ok_or_else(invalid)?;
            options.epsilon = Some(epsilon);
        }
        "delta" => {
            let delta = number(value).filter(|d| (0.0..=glovebox_policy::contract::MAX_DELTA).contains(d));
            options.delta = Some(delta.ok_or_else(invalid)?);
        }
        "max_groups_contributed" => {
            let groups = number(value).filter(|g| g.fract() == 0.0 && (1.0..=65_536.0).contains(g));
            options.max_groups_contributed = Some(groups.ok_or_else(invalid)? as u32);
        }
        "mechanism" => {
            options.mechanism = Some(match value {
                [Token::SingleQuotedString(text)] if text.eq_ignore_ascii_case("gaussian") => MechanismKind::Gaussian,
                [Token::SingleQuotedString(text)] if text.eq_ignore_ascii_case("laplace") => MechanismKind::Laplace,
                _ => return Err(invalid()),
            });
        }
        _ => return Err(Refusal::about(Reason::OptionUnknown, &name.value)),
    }
    Ok(())
}

fn text_of(tokens: &[Token]) -> String {
    tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Where the parenthesis closes that is the first of the tokens. A bound negative number has parentheses of its own.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut open = 0_usize;
    tokens.iter().position(|token| {
        match token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0
    })
}

/// A signed finite number.
fn number(tokens: &[Token]) -> Option<f64> {
    let (sign, token) = match tokens {
        [Token::Minus, token] => (-1.0, token),
        [Token::LParen, Token::Minus, token, Token::RParen] => (-1.0, token),
        [Token::Plus, token] | [token] => (1.0, token),
        _ => return None,
    };
    let Token::Number(text, _) = token else { return None };
    text.parse::<f64>().ok().map(|v| sign * v).filter(|v| v.is_finite())
}

/// `, contribution_bounds_per_x => ( a , b )` at `at`: the bounds and how many tokens they take.
fn bounds_at(tokens: &[Token], at: usize) -> Result<Option<(WrittenBounds, usize)>, Refusal> {
    let rest = tokens.get(at..).unwrap_or_default();
    let [Token::Comma, Token::Word(name), Token::RArrow, tail @ ..] = rest else {
        return Ok(None);
    };
    let of = match name.value.to_ascii_lowercase().as_str() {
        "contribution_bounds_per_group" => BoundsOf::Group,
        "contribution_bounds_per_row" => BoundsOf::Row,
        _ => return Err(Refusal::about(Reason::OptionUnknown, &name.value)),
    };
    let invalid = || Refusal::from(Reason::BoundsInvalid);
    let close = closing(tail).ok_or_else(invalid)?;
    let Some([Token::LParen, inside @ ..]) = tail.get(..close) else {
        return Err(invalid());
    };
    let (lower, upper) = match inside.split(|token| *token == Token::Comma).collect::<Vec<_>>().as_slice() {
        [lower, upper] => (number(lower).ok_or_else(invalid)?, number(upper).ok_or_else(invalid)?),
        _ => return Err(invalid()),
    };
    if lower >= upper {
        return Err(invalid());
    }
    Ok(Some((WrittenBounds { of, lower, upper }, 3 + close + 1)))
}

fn lift_bounds(tokens: Vec<Token>) -> Result<(Vec<Token>, Vec<WrittenBounds>), Refusal> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut bounds: Vec<WrittenBounds> = Vec::new();
    // Where in `out` the argument list of each open parenthesis begins.
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some((written, length)) = bounds_at(&tokens, at)? {
            let start = open.last().copied().ok_or(Reason::BoundsInvalid)?;
            let index = bounds.iter().position(|known| *known == written).unwrap_or_else(|| {
                bounds.push(written);
                bounds.len() - 1
            });
            wrap_argument(&mut out, start, index);
            at += length;
            if bounds_at(&tokens, at)?.is_some() {
                return Err(Reason::BoundsInvalid.into());
            }
            continue;
        }
        out.push(token.clone());
        match token {
            Token::LParen => open.push(out.len()),
            Token::RParen => {
                open.pop();
            }
            _ => {}
        }
        at += 1;
    }
    Ok((out, bounds))
}

/// Turns the argument that begins at `start` into `__gb_bounds(argument, index)`; `*` counts as the literal 1.
fn wrap_argument(out: &mut Vec<Token>, start: usize, index: usize) {
    // DISTINCT belongs to the aggregate. Inside of the marker the planner would drop it without a word.
    let quantifier = out.get(start).is_some_and(|token| {
        is_word(Some(token), "DISTINCT") || (is_word(Some(token), "ALL") && out.len() > start + 1)
    });
    let mut argument = out.split_off(start + usize::from(quantifier));
    if argument == [Token::Mul] {
        argument = vec![Token::Number("1".to_owned(), false)];
    }
    out.extend([Token::make_word(MARKER, None), Token::LParen]);
    out.append(&mut argument);
    out.extend([Token::Comma, Token::Number(index.to_string(), false), Token::RParen]);
}

/// Which written bounds a marker stands for.
pub(crate) fn marker_index(expr: &datafusion::logical_expr::Expr) -> Option<usize> {
    use datafusion::logical_expr::Expr;
    match crate::flatten::unaliased(expr.clone()) {
        Expr::Literal(datafusion::common::ScalarValue::Int64(Some(index)), _) => usize::try_from(index).ok(),
        _ => None,
    }
}
