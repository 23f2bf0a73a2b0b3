//! The text that an application begins with: every usable column of the dataset asked for, for the firm to edit.

use chrono::{DateTime, Months, SecondsFormat, Utc};
use glovebox_engine::{ColumnCard, DatasetCard};

/// Groups per unit that the text asks for at most.
const GROUPS: u32 = 5;

/// An application on a dataset, whole but for its reason, for a year from midnight.
pub(crate) fn beginning(card: &DatasetCard, now: DateTime<Utc>) -> String {
    let starts = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let ends = starts.checked_add_months(Months::new(12)).unwrap_or(starts);
    let at = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
    let terms = format!(
        "dataset = \"{name}\"\n# 用途 / what for\npurposes = [\"ai-research\"]\n# 申请事由 / why this data, what is computed, who sees it\n\
         why = \"\"\nstarts = \"{starts}\"\nends = \"{ends}\"\n\n# 隐私损失 / privacy loss, ρ (zCDP)\n[budget]\nallotment_rho = 0.1\n\
         per_day_rho = 0.05\n\n[per_query]\nmax_epsilon = 1.0\nmax_delta = 1e-6\ndefault_epsilon = 0.5\ndefault_delta = 1e-9\n\
         max_groups_contributed = {groups}\n",
        name = card.name,
        starts = at(starts),
        ends = at(ends),
        groups = card.max_rows_per_unit.unwrap_or(1).clamp(1, GROUPS),
    );
    terms + &grants(card)
}

/// Every usable column in every role of use that its declaration allows.
fn grants(card: &DatasetCard) -> String {
    let is_unit = |column: &ColumnCard| card.unit.contains(&column.name);
    let usable = |fits: &dyn Fn(&ColumnCard) -> bool| -> Vec<String> {
        let columns = card.columns.iter().filter(|column| !column.identifier && fits(column));
        columns.map(|column| format!("\"{}\"", column.name)).collect()
    };
    let roles = if card.footage.is_some() {
        vec![("wasmInput", usable(&|_| true))]
    } else {
        vec![
            ("aggregate", usable(&|column| is_unit(column) || column.bounds.is_some())),
            ("group", usable(&|column| column.keys.is_some())),
            ("filter", usable(&|column| !is_unit(column))),
        ]
    };
    let asked = roles.into_iter().filter(|(_, columns)| !columns.is_empty());
    asked
        .map(|(role, columns)| format!("\n[[grants]]\nroles = [\"{role}\"]\ncolumns = [{}]\n", columns.join(", ")))
        .collect()
}
