//! From lifted tokens to a checked syntax tree: one SELECT over one dataset, and nothing else.
//!
//! The analysis of the plan is what protects; this pass exists so that a refusal can name the clause.

use datafusion::sql::sqlparser::ast::{
    Distinct, GroupByExpr, Query, Select, SelectItem, SetExpr, Statement, TableFactor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use glovebox_policy::{Reason, Refusal};

/// How deep subqueries in FROM may nest.
const FROM_MAX_DEPTH: usize = 4;

/// The parser's own bound on recursion; the guard's caps are narrower.
const PARSER_MAX_DEPTH: usize = 128;

/// Parses one SELECT and checks its clauses.
///
/// # Errors
/// [`Reason::SqlSyntax`], or the clause that is not accepted.
pub(crate) fn parse(tokens: Vec<Token>) -> Result<Statement, Refusal> {
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).with_recursion_limit(PARSER_MAX_DEPTH).with_tokens(tokens);
    let syntax = |error: &dyn std::fmt::Display| {
        Refusal::about(Reason::SqlSyntax, error.to_string().trim_start_matches("sql parser error: "))
    };
    let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
    let rest = parser.peek_token().token;
    if rest != Token::EOF {
        return Err(syntax(&rest));
    }
    match statement {
        Statement::Query(mut query) => {
            check_query(&query, 0)?;
            name_marked_items(&mut query);
            Ok(Statement::Query(query))
        }
        _ => Err(Reason::StatementRefused.into()),
    }
}

fn refuse_if(present: bool, clause: &str) -> Result<(), Refusal> {
    if present { Err(Refusal::about(Reason::ClauseRefused, clause)) } else { Ok(()) }
}

fn check_query(query: &Query, depth: usize) -> Result<(), Refusal> {
    refuse_if(depth > FROM_MAX_DEPTH, "nested subqueries")?;
    refuse_if(query.with.is_some(), "WITH")?;
    refuse_if(!query.locks.is_empty() || query.for_clause.is_some(), "FOR")?;
    refuse_if(query.settings.is_some() || query.format_clause.is_some(), "SETTINGS, FORMAT")?;
    refuse_if(!query.pipe_operators.is_empty(), "|>")?;
    match query.body.as_ref() {
        SetExpr::Select(select) => check_select(select, depth),
        SetExpr::Query(inner) => check_query(inner, depth + 1),
        SetExpr::SetOperation { op, .. } => Err(Refusal::about(Reason::ClauseRefused, &op.to_string())),
        SetExpr::Values(_) => Err(Refusal::about(Reason::ClauseRefused, "VALUES")),
        _ => Err(Reason::StatementRefused.into()),
    }
}

fn check_select(select: &Select, depth: usize) -> Result<(), Refusal> {
    refuse_if(!select.optimizer_hints.is_empty() || select.select_modifiers.is_some(), "hints")?;
    refuse_if(select.top.is_some(), "TOP")?;
    refuse_if(select.into.is_some(), "INTO")?;
    refuse_if(select.exclude.is_some(), "EXCLUDE")?;
    refuse_if(!select.lateral_views.is_empty(), "LATERAL VIEW")?;
    refuse_if(select.prewhere.is_some(), "PREWHERE")?;
    refuse_if(!select.connect_by.is_empty(), "CONNECT BY")?;
    refuse_if(!select.cluster_by.is_empty() || !select.distribute_by.is_empty(), "CLUSTER BY, DISTRIBUTE BY")?;
    refuse_if(!select.sort_by.is_empty(), "SORT BY")?;
    refuse_if(select.qualify.is_some() || !select.named_window.is_empty(), "QUALIFY, WINDOW")?;
    refuse_if(matches!(select.distinct, Some(Distinct::On(_))), "DISTINCT ON")?;
    match &select.group_by {
        GroupByExpr::All(_) => return Err(Refusal::about(Reason::ClauseRefused, "GROUP BY ALL")),
        GroupByExpr::Expressions(_, modifiers) => refuse_if(!modifiers.is_empty(), "ROLLUP, CUBE, TOTALS")?,
    }
    for item in &select.projection {
        if matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)) {
            return Err(Refusal::about(Reason::NotAggregated, "*"));
        }
    }
    let [from] = select.from.as_slice() else {
        refuse_if(!select.from.is_empty(), "FROM with several datasets")?;
        return Err(Refusal::about(Reason::ClauseRefused, "SELECT without FROM"));
    };
    refuse_if(!from.joins.is_empty(), "JOIN")?;
    match &from.relation {
        TableFactor::Table { name, args, with_hints, version, partitions, sample, json_path, index_hints, .. } => {
            let plain = args.is_none()
                && with_hints.is_empty()
                && version.is_none()
                && partitions.is_empty()
                && sample.is_none()
                && json_path.is_none()
                && index_hints.is_empty();
            if name.0.len() > 3 {
                return Err(Refusal::about(Reason::TableUnknown, &name.to_string()));
            }
            refuse_if(!plain, "a table function, TABLESAMPLE or a version after FROM")
        }
        TableFactor::Derived { lateral, subquery, sample, .. } => {
            refuse_if(*lateral || sample.is_some(), "LATERAL, TABLESAMPLE")?;
            check_query(subquery, depth + 1)
        }
        _ => Err(Refusal::about(Reason::ClauseRefused, "FROM")),
    }
}

/// Gives select items that hold a bounds marker the name they would have without it.
fn name_marked_items(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item {
            let text = expr.to_string();
            if text.contains(crate::lift::MARKER) {
                // The star stood for the literal 1 while it was marked.
                let name = without_markers(&text).replace("count(1)", "count(*)");
                let alias = datafusion::sql::sqlparser::ast::Ident::with_quote('"', name);
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
    }
}

fn without_markers(text: &str) -> String {
    let mut out = text.to_ascii_lowercase();
    while let Some(start) = out.find(crate::lift::MARKER) {
        let inner_start = start + crate::lift::MARKER.len() + 1;
        let end = closing(&out, inner_start);
        let inner = out.get(inner_start..end).unwrap_or_default();
        let argument = inner.rsplit_once(',').map_or(inner, |(argument, _)| argument).to_owned();
        out = format!("{}{argument}{}", out.get(..start).unwrap_or_default(), out.get(end + 1..).unwrap_or_default());
    }
    out
}

/// Where the parenthesis that was open at `from` closes.
fn closing(text: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in text.char_indices().skip_while(|(offset, _)| *offset < from) {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return offset,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}
