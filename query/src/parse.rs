//! From lifted tokens to a checked syntax tree: one SELECT over one dataset, by way of subqueries and WITH if wanted, and
//! nothing else.
//!
//! The analysis of the plan is what protects; this pass exists so that a refusal can name the clause, and so that the planner,
//! which copies a WITH query to every place that names it, has little to copy.

use datafusion::sql::sqlparser::ast::{
    Cte, Distinct, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectNamePart, Query, Select, SelectItem,
    SetExpr, Statement, TableFactor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use glovebox_policy::{Reason, Refusal};

use crate::join::LOOKUPS_MAX;

/// How deep subqueries in FROM may nest.
const FROM_MAX_DEPTH: usize = 4;

/// How many queries may stand on one another, WITH queries counted where they are named.
const LEVELS_MAX: usize = 8;

/// What a refusal calls more of either.
const NESTED: &str = "nested subqueries";

/// The parser's own bound on recursion; the guard's caps are narrower.
const PARSER_MAX_DEPTH: usize = 128;

/// Parses one SELECT and checks its clauses.
///
/// # Errors
/// [`Reason::SqlSyntax`], or the clause that is not accepted.
pub(crate) fn parse(tokens: Vec<Token>) -> Result<Parsed, Refusal> {
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
            let mut names = Names::default();
            names.check_query(&query, 0)?;
            name_marked_items(&mut query);
            let with = names.with.into_iter().map(|(name, _)| name).collect();
            Ok(Parsed { statement: Statement::Query(query), datasets: names.datasets, with })
        }
        _ => Err(Reason::StatementRefused.into()),
    }
}

fn refuse_if(present: bool, clause: &str) -> Result<(), Refusal> {
    if present { Err(Refusal::about(Reason::ClauseRefused, clause)) } else { Ok(()) }
}

/// A checked statement.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) statement: Statement,
    /// How often a dataset is named after FROM. Any more that the planner asks for are in expressions.
    pub(crate) datasets: usize,
    /// The names of WITH queries.
    pub(crate) with: Vec<String>,
}

/// What has a name so far.
#[derive(Default)]
struct Names {
    /// WITH queries, each with how many queries it stands on.
    with: Vec<(String, usize)>,
    datasets: usize,
}

impl Names {
    /// Checks a query; how many queries it stands on, itself counted.
    fn check_query(&mut self, query: &Query, depth: usize) -> Result<usize, Refusal> {
        refuse_if(depth > FROM_MAX_DEPTH, NESTED)?;
        if let Some(with) = &query.with {
            refuse_if(depth > 0, "WITH in a subquery")?;
            refuse_if(with.recursive, "WITH RECURSIVE")?;
            for named in &with.cte_tables {
                self.check_with(named)?;
            }
        }
        refuse_if(!query.locks.is_empty() || query.for_clause.is_some(), "FOR")?;
        refuse_if(query.settings.is_some() || query.format_clause.is_some(), "SETTINGS, FORMAT")?;
        refuse_if(!query.pipe_operators.is_empty(), "|>")?;
        let levels = match query.body.as_ref() {
            SetExpr::Select(select) => {
                check_select(select)?;
                self.check_from(select, depth)? + 1
            }
            SetExpr::Query(inner) => self.check_query(inner, depth + 1)?,
            SetExpr::SetOperation { op, .. } => return Err(Refusal::about(Reason::ClauseRefused, &op.to_string())),
            SetExpr::Values(_) => return Err(Refusal::about(Reason::ClauseRefused, "VALUES")),
            _ => return Err(Reason::StatementRefused.into()),
        };
        refuse_if(levels > LEVELS_MAX, NESTED)?;
        Ok(levels)
    }

    fn check_with(&mut self, named: &Cte) -> Result<(), Refusal> {
        refuse_if(named.from.is_some() || named.materialized.is_some(), "MATERIALIZED")?;
        let name = spelled(&named.alias.name);
        // Datasets have a dot in their names, so no WITH query can be taken for one.
        if name.contains('.') {
            return Err(Refusal::about(Reason::SqlSyntax, &name));
        }
        if self.with.iter().any(|(known, _)| *known == name) {
            return Err(Refusal::about(Reason::SqlSyntax, &format!("two WITH queries named {name}")));
        }
        let levels = self.check_query(&named.query, 1)?;
        self.with.push((name, levels));
        Ok(())
    }

    /// Checks what is after FROM; how many queries that stands on.
    fn check_from(&mut self, select: &Select, depth: usize) -> Result<usize, Refusal> {
        let [from] = select.from.as_slice() else {
            refuse_if(!select.from.is_empty(), "FROM with several datasets")?;
            return Err(Refusal::about(Reason::ClauseRefused, "SELECT without FROM"));
        };
        if from.joins.len() > LOOKUPS_MAX {
            return Err(Refusal::about(Reason::JoinRefused, &format!("more than {LOOKUPS_MAX} joins")));
        }
        for join in &from.joins {
            self.check_join(join)?;
        }
        let is_star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        let star = depth == 0 && select.projection.iter().any(is_star);
        match &from.relation {
            TableFactor::Table { name, .. } => {
                check_table(&from.relation)?;
                if let [ObjectNamePart::Identifier(one)] = name.0.as_slice() {
                    let one = spelled(one);
                    if let Some((_, levels)) = self.with.iter().find(|(known, _)| *known == one) {
                        return Ok(*levels);
                    }
                    if !one.contains('.') {
                        return Err(Refusal::about(Reason::TableUnknown, &one));
                    }
                }
                self.datasets += 1;
                // Of rows, that is; of a subquery it may be all columns of a release.
                if star { Err(Refusal::about(Reason::NotAggregated, "*")) } else { Ok(0) }
            }
            TableFactor::Derived { lateral, subquery, sample, .. } => {
                refuse_if(*lateral || sample.is_some(), "LATERAL, TABLESAMPLE")?;
                self.check_query(subquery, depth + 1)
            }
            _ => Err(Refusal::about(Reason::ClauseRefused, "FROM")),
        }
    }

    /// Checks what is joined: a table by its name.
    fn check_join(&mut self, join: &Join) -> Result<(), Refusal> {
        let refused = |what: &str| Err(Refusal::about(Reason::JoinRefused, what));
        check_join_form(join)?;
        let TableFactor::Table { name, .. } = &join.relation else {
            return refused("a subquery after JOIN; put it after FROM, and the table after JOIN");
        };
        check_table(&join.relation)?;
        if let [ObjectNamePart::Identifier(one)] = name.0.as_slice() {
            let one = spelled(one);
            if self.with.iter().any(|(known, _)| *known == one) {
                return refused("a WITH query after JOIN; put it after FROM, and the table after JOIN");
            }
            if !one.contains('.') {
                return Err(Refusal::about(Reason::TableUnknown, &one));
            }
        }
        self.datasets += 1;
        Ok(())
    }
}

/// The form of a join; what is joined is for the analysis.
fn check_join_form(join: &Join) -> Result<(), Refusal> {
    let refused = |what: &str| Err(Refusal::about(Reason::JoinRefused, what));
    if join.global {
        return refused("GLOBAL JOIN");
    }
    match &join.join_operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => {
            match on {
                JoinConstraint::On(_) | JoinConstraint::Using(_) => Ok(()),
                JoinConstraint::Natural => refused("NATURAL JOIN"),
                JoinConstraint::None => refused("JOIN without ON"),
            }
        }
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => refused("RIGHT JOIN"),
        JoinOperator::FullOuter(_) => refused("FULL JOIN"),
        JoinOperator::CrossJoin(_) => refused("CROSS JOIN"),
        _ => refused("a join that is neither INNER nor LEFT"),
    }
}

/// A name as the planner reads it: in lower case, unless it is quoted.
fn spelled(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_ascii_lowercase() }
}

fn check_table(relation: &TableFactor) -> Result<(), Refusal> {
    let TableFactor::Table { name, args, with_hints, version, partitions, sample, json_path, index_hints, .. } =
        relation
    else {
        return Err(Reason::Internal.into());
    };
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

fn check_select(select: &Select) -> Result<(), Refusal> {
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
    Ok(())
}

/// Gives select items that hold a bounds marker the name they would have without it, in subqueries too. The depth is
/// bounded by the check before.
fn name_marked_items(query: &mut Query) {
    for named in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
        name_marked_items(&mut named.query);
    }
    let select = match query.body.as_mut() {
        SetExpr::Select(select) => select,
        SetExpr::Query(inner) => return name_marked_items(inner),
        _ => return,
    };
    for from in &mut select.from {
        if let TableFactor::Derived { subquery, .. } = &mut from.relation {
            name_marked_items(subquery);
        }
    }
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item {
            let text = expr.to_string();
            if text.contains(crate::lift::MARKER) {
                // The star stood for the literal 1 while it was marked.
                let name = without_markers(&text).replace("count(1)", "count(*)");
                let alias = Ident::with_quote('"', name);
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
