//! A commented contract on a dataset, for the officer to edit, and an application for one, for the firm.

use chrono::{DateTime, Months, SecondsFormat, Utc};
use glovebox_policy::OrgId;

use crate::cards::{Column, Dataset};
use crate::grid::plain;

/// Groups per unit that the template grants at most.
const GROUPS: u32 = 5;

/// A year from the midnight before an instant: its first instant, and the first after it.
fn year(now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let midnight = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    (midnight, midnight.checked_add_months(Months::new(12)).unwrap_or(midnight))
}

fn at(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An application: valid as it stands but for its reason, for a year from midnight, every usable column asked for.
pub(crate) fn application(dataset: &Dataset, now: DateTime<Utc>) -> String {
    let (starts, ends) = year(now);
    let terms = format!(
        r#"# An application for {name}: {title}
# 数据使用申请：{title_zh}
#
# Edit it and hand it in with `glovebox application submit`. It grants nothing: an officer drafts a contract from it,
# changes what is too much, and signs. Unknown keys are errors.

dataset = "{name}"
# What for; one of the purposes that the bureau knows, or several.
purposes = ["ai-research"]
# Why this data, what will be computed, and who will see the results. Officers read it. 申请事由：
why = ""
starts = "{starts}"
ends = "{ends}"

# Privacy loss in ρ (zCDP) over the whole term, and in one day (UTC).
[budget]
allotment_rho = 0.1
per_day_rho = 0.05

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
# For a query that names none.
default_epsilon = 0.5
default_delta = 1e-9
# Most groups that one unit may be counted in; more groups, more noise.
max_groups_contributed = {groups}
"#,
        name = dataset.name,
        title = plain(&dataset.title_en),
        title_zh = plain(&dataset.title_zh),
        starts = at(starts),
        ends = at(ends),
        groups = dataset.max_rows_per_unit.unwrap_or(1).clamp(1, GROUPS),
    );
    terms + &grants(dataset)
}

/// A contract: valid as it stands, in force for a year from midnight, every usable column granted.
pub(crate) fn contract(dataset: &Dataset, org: &OrgId, now: DateTime<Utc>) -> String {
    let (midnight, ends) = year(now);
    let table = dataset.name.split_once('.').map_or(dataset.name.as_str(), |(_, table)| table);
    let terms = format!(
        r#"# A contract on {name}: {title}
# 合同：{title_zh}
#
# Edit it, sign it with `glovebox contract sign`, hand it in with `glovebox contract add`. Unknown keys are errors.
# A contract never changes: an amendment is a new contract under a new id.

id = "{id}"
# The firm, as its people's accounts name it.
org = "{org}"
dataset = "{name}"
budget_domain = "{domain}"
# What for; one of the purposes of the service's configuration, or several.
purposes = ["ai-research"]
# First instant in force, and first instant after.
starts = "{starts}"
ends = "{ends}"
# "high": two officers decide on each job, neither knowing what the other says; one no is a no.
risk_class = "ordinary"

# Privacy loss in ρ (zCDP). The allotment is set aside for this firm at once; it cannot be more than the domain has left.
[budget]
allotment_rho = 0.1
per_day_rho = 0.05
# δ for thresholds, where columns are grouped by that the manifest marks and has no list for.
# allotment_delta = 1e-8
# per_day_delta = 1e-9

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
# For a query that names none.
default_epsilon = 0.5
default_delta = 1e-9
# Most groups that one unit may be counted in; more groups, more noise.
max_groups_contributed = {groups}
"#,
        name = dataset.name,
        title = plain(&dataset.title_en),
        title_zh = plain(&dataset.title_zh),
        id = slug(&format!("{}-{table}-{}", org.as_str(), midnight.format("%Y%m%d"))),
        org = org.as_str(),
        domain = dataset.budget_domain.as_deref().unwrap_or_default(),
        starts = at(midnight),
        ends = at(ends),
        groups = dataset.max_rows_per_unit.unwrap_or(1).clamp(1, GROUPS),
    );
    terms + &grants(dataset)
}

/// Every usable column in every role of use that its declaration allows.
fn grants(dataset: &Dataset) -> String {
    if dataset.footage.is_some() {
        let columns = names(dataset.columns.iter());
        return format!(
            "\n# Footage is read by jobs only.\n[[grants]]\nroles = [\"wasmInput\"]\ncolumns = [\n{columns}]\n"
        );
    }
    let mut text = String::new();
    let usable = || dataset.columns.iter().filter(|column| !column.identifier);
    let is_unit = |column: &Column| dataset.unit.contains(&column.name);
    let aggregate = usable().filter(|column| is_unit(column) || column.bounds.is_some());
    let group = usable().filter(|column| column.keys.is_some());
    let filter = usable().filter(|column| !is_unit(column));
    let grants = [
        ("Columns to count, add up and average. Delete what the firm does not need.", "aggregate", names(aggregate)),
        ("Columns to group by: those with a public key list.", "group", names(group)),
        ("Columns for conditions on rows.", "filter", names(filter)),
    ];
    for (words, role, columns) in grants {
        if !columns.is_empty() {
            text.push_str(&format!("\n# {words}\n[[grants]]\nroles = [\"{role}\"]\ncolumns = [\n{columns}]\n"));
        }
    }
    text + &examples(dataset)
}

/// What else can be granted, as comments. A line that begins with `#` and no blank is one of a grant when the `#` is taken away.
fn examples(dataset: &Dataset) -> String {
    let usable = || dataset.columns.iter().filter(|column| !column.identifier);
    let found: Vec<&Column> = usable().filter(|column| column.thresholded.is_some()).collect();
    let examples = [
        (
            "# Columns to group by that have no list: only keys of enough units appear. Takes allotment_delta, per_day_delta.",
            "group",
            found,
        ),
        (
            "# Columns that public tables are joined on. Where ON has a condition, or a public column is added up, they need\n\
             # \"filter\" too.",
            "join",
            usable().collect(),
        ),
        (
            "# Columns that the code of jobs reads, each job after officers have approved it.",
            "wasmInput",
            usable().collect(),
        ),
    ];
    let mut text = String::from("\n# What else there is; take the # away from what the firm is to have.\n");
    for (words, role, columns) in examples {
        let columns: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        if !columns.is_empty() {
            let columns = columns.join(", ");
            text.push_str(&format!("\n{words}\n#[[grants]]\n#roles = [\"{role}\"]\n#columns = [{columns}]\n"));
        }
    }
    text
}

/// Column names are plain words, so that they need no escapes.
fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    columns.map(|column| format!("    \"{}\",\n", column.name)).collect()
}

/// At most 64 characters, which is what a contract's name may have.
fn slug(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use glovebox_policy::Contract;

    use super::*;

    #[test]
    fn the_template_is_a_contract_as_it_stands() {
        let column = |name: &str, bounds: bool, keys: bool, identifier: bool| {
            serde_json::json!({
                "name": name, "kind": "int", "meaning_en": "x", "meaning_zh": "x", "identifier": identifier,
                "bounds": bounds.then(|| serde_json::json!({"lower": 0.0, "upper": 1.0, "basis": "law"})),
                "keys": keys.then(|| serde_json::json!([0, 1])),
            })
        };
        let mut town = column("town", false, false, false);
        town["thresholded"] = serde_json::json!({"basis": "names of towns"});
        let card = serde_json::json!({
            "name": "medical.visits", "title_en": "Visits\nid = \"evil\"", "title_zh": "就诊", "kind": "table", "id_space": "resident",
            "budget_domain": "resident", "unit": ["person"], "max_units": 100, "max_rows_per_unit": 3, "unique": [],
            "source": "x", "licence": "x", "classification": "x",
            "columns": [
                column("person", false, false, false), column("age", true, false, false),
                column("sex", true, true, false), column("id_card", false, false, true), town,
            ],
        });
        let card: Dataset = serde_json::from_value(card).unwrap();
        let now = "2026-03-04T05:06:07Z".parse().unwrap();
        let text = super::contract(&card, &"acme".parse().unwrap(), now);
        let contract = Contract::parse(&text).unwrap();
        assert_eq!(contract.id.as_str(), "acme-visits-20260304");
        assert_eq!(contract.ends.to_rfc3339(), "2027-03-04T00:00:00+00:00");
        assert_eq!(contract.max_groups_contributed, 3);
        let granted: Vec<Vec<&str>> =
            contract.grants.iter().map(|it| it.columns.iter().map(|name| name.as_str()).collect()).collect();
        assert_eq!(granted, [vec!["person", "age", "sex"], vec!["sex"], vec!["age", "sex", "town"]]);

        let is_example =
            |line: &&str| line.strip_prefix('#').is_some_and(|rest| !rest.starts_with(' ') && !rest.is_empty());
        let whole: Vec<&str> = text.lines().map(|line| if is_example(&line) { &line[1..] } else { line }).collect();
        let contract = Contract::parse(&whole.join("\n")).unwrap();
        let more: Vec<(&str, usize)> =
            contract.grants.iter().skip(3).map(|it| (it.roles[0].as_str(), it.columns.len())).collect();
        assert_eq!(more, [("group", 1), ("join", 4), ("wasmInput", 4)]);
    }
}
