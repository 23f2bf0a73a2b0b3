//! Caps on the text of a statement, checked by the tokenizer alone, before any parser or planner sees it.
//!
//! Recursive code downstream (the parser, the planner, expression walkers) uses stack in proportion to operators and
//! nesting; DataFusion 55 ends the process on some thousands of chained operators. The tokenizer is a loop, so counting
//! here costs nothing and cannot overflow.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use glovebox_policy::{Reason, Refusal};

/// Longest statement, in bytes.
pub const SQL_MAX_BYTES: usize = 16 * 1024;
/// Most tokens, white space and comments not counted.
pub const SQL_MAX_TOKENS: usize = 1_000;
/// Most operators, keyword operators such as AND and WHEN counted.
pub const SQL_MAX_OPERATORS: usize = 128;
/// Deepest nesting of parentheses and CASE.
pub const SQL_MAX_DEPTH: usize = 32;

/// Names that begin so are ours; nobody may write them.
pub(crate) const RESERVED_PREFIX: &str = "__gb_";

/// Cuts a statement into tokens, without white space, within the caps.
///
/// # Errors
/// The cap that was exceeded, or [`Reason::SqlSyntax`].
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token>, Refusal> {
    if sql.len() > SQL_MAX_BYTES {
        return Err(Reason::SqlTooLong.into());
    }
    let all = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| Refusal::about(Reason::SqlSyntax, &error.message))?;
    let mut tokens: Vec<Token> = all.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    while tokens.last() == Some(&Token::SemiColon) {
        tokens.pop();
    }
    if tokens.len() > SQL_MAX_TOKENS {
        return Err(Reason::SqlTooManyTokens.into());
    }
    check_shape(&tokens)?;
    Ok(tokens)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Parenthesis,
    Case,
}

fn check_shape(tokens: &[Token]) -> Result<(), Refusal> {
    let mut operators = 0;
    // What is open, innermost last. An END closes a CASE and never a parenthesis, so that a column of that name cannot
    // hide how deep a statement nests.
    let mut open: Vec<Opened> = Vec::new();
    for token in tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => open.push(Opened::Parenthesis),
            Token::RParen | Token::RBracket | Token::RBrace => while open.pop() == Some(Opened::Case) {},
            Token::SemiColon => return Err(Refusal::about(Reason::StatementRefused, ";")),
            Token::Word(word) => {
                if word.value.to_ascii_lowercase().starts_with(RESERVED_PREFIX) {
                    return Err(Refusal::about(Reason::ColumnUnknown, &word.value));
                }
                match word.keyword {
                    Keyword::CASE => open.push(Opened::Case),
                    Keyword::END if open.last() == Some(&Opened::Case) => drop(open.pop()),
                    _ => {}
                }
                operators += usize::from(is_operator_word(word.keyword));
            }
            Token::Comma
            | Token::Period
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::Placeholder(_)
            | Token::RArrow => {}
            _ => operators += 1,
        }
        if operators > SQL_MAX_OPERATORS || open.len() > SQL_MAX_DEPTH {
            return Err(Reason::SqlTooManyOperators.into());
        }
    }
    Ok(())
}

fn is_operator_word(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AND
            | Keyword::OR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::BETWEEN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::WHEN
            | Keyword::CASE
            | Keyword::SELECT
            | Keyword::UNION
            | Keyword::JOIN
            | Keyword::XOR
            | Keyword::DIV
    )
}
