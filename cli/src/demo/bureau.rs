//! What the demo's bureau holds: the public datasets of `examples/data`, and a signed contract with the firm for each.

use std::path::Path;

use glovebox_engine::Engine;
use glovebox_policy::contract::sign_contract;

use super::{Cast, say, step};

/// A dataset of the bureau and what the firm may do with it.
struct Holding {
    /// The name of the manifest and of the rows in `examples/data`.
    file: &'static str,
    /// What it is, in a few words.
    about: &'static str,
    dataset: &'static str,
    contract: &'static str,
    /// ρ over the term, and ρ a day.
    rho: (f64, f64),
    /// δ over the term, and as much a day, for thresholds of keys that are found in rows.
    delta: f64,
    /// Columns with the roles in which they may be used.
    grants: &'static [(&'static str, &'static str)],
}

/// The first is the one that the demo asks about. The allotments together leave a tenth of the domain's cap.
const HOLDINGS: [Holding; 5] = [
    Holding {
        file: "rand_hie",
        about: "RAND Health Insurance Experiment, 20,190 person-years (public domain)",
        dataset: "medical.rand_hie",
        contract: "example-ai-rand-hie",
        rho: (0.5, 0.2),
        delta: 0.0,
        grants: &[
            ("person_id mdvis totadm meddol outpdol inpdol drugdol", "aggregate"),
            ("coins plan site year female child hlthg hlthf hlthp", "group filter"),
            ("mdvis xage", "filter"),
            ("year meddol coins", "wasmInput"),
        ],
    },
    Holding {
        file: "covid_testing",
        about: "PCR tests of a children's hospital; names are not stored (MIT)",
        dataset: "medical.covid_testing",
        contract: "covid-2026",
        rho: (0.1, 0.1),
        delta: 0.0,
        grants: &[
            ("age ct_result col_rec_tat rec_ver_tat", "aggregate"),
            ("gender result demo_group drive_thru_ind patient_class", "group filter"),
            ("pan_day age", "filter"),
        ],
    },
    Holding {
        file: "yrbss_students",
        about: "CDC Youth Risk Behavior Survey (public domain)",
        dataset: "education.yrbss_students",
        contract: "yrbss-2026",
        rho: (0.1, 0.1),
        delta: 0.0,
        grants: &[
            ("person_id height weight physically_active_7d strength_training_7d", "aggregate"),
            ("gender grade race helmet_12m hours_tv_per_school_day school_night_hours_sleep", "group filter"),
            ("physically_active_7d strength_training_7d", "filter"),
        ],
    },
    Holding {
        file: "nyc_flights13",
        about: "flights from New York in 2013, by aircraft (CC0)",
        dataset: "traffic.nyc_flights13",
        contract: "flights-2026",
        rho: (0.1, 0.1),
        delta: 5e-9,
        grants: &[
            ("vehicle_id dep_delay arr_delay air_time distance", "aggregate"),
            ("month carrier origin hour dest", "group filter"),
            ("dep_delay arr_delay distance", "filter"),
            ("month day dep_time air_time origin dest", "wasmInput"),
        ],
    },
    Holding {
        file: "nass_crash_occupants",
        about: "front-seat occupants in car crashes, by vehicle (public domain)",
        dataset: "traffic.nass_crash_occupants",
        contract: "nass-2026",
        rho: (0.1, 0.1),
        delta: 0.0,
        grants: &[
            ("vehicle_id age samp_weight", "aggregate"),
            ("dvcat dead airbag seatbelt frontal sex occ_role deploy", "group filter"),
            ("age", "filter"),
        ],
    },
];

/// Brings the datasets in.
///
/// # Errors
/// When one cannot be read or does not fit its manifest.
pub(super) fn bring_in(engine: &Engine, cast: &Cast, data: &Path) -> anyhow::Result<()> {
    step(2, "The officer brings in five public datasets of medicine, education and traffic");
    for Holding { file, about, .. } in &HOLDINGS {
        let manifest = std::fs::read_to_string(data.join(format!("{file}.toml")))?;
        let card = engine
            .add_dataset(&cast.officer, &manifest, &data.join(format!("{file}.parquet")))
            .map_err(|fault| anyhow::anyhow!("{}: {:?}", fault.refusal(), fault.report))?;
        let unit: Vec<&str> = card.unit.iter().map(|column| column.as_str()).collect();
        say(&format!(
            "    {:<29} {about}\n    {:<29} {} columns, unit {}, at most {} with {} rows each; encrypted at rest",
            card.name.to_string(),
            "",
            card.columns.len(),
            unit.join(", "),
            card.max_units.unwrap_or(0),
            card.max_rows_per_unit.unwrap_or(0)
        ));
    }
    Ok(())
}

/// Signs a contract for each dataset.
///
/// # Errors
/// When one is not taken.
pub(super) fn sign(engine: &Engine, cast: &Cast) -> anyhow::Result<()> {
    step(3, "The officer signs a contract with the firm for each (Ed25519 over the very text)");
    for holding in &HOLDINGS {
        let envelope = sign_contract(&contract_text(holding), &cast.key)?;
        let contract = engine.add_contract(&cast.officer, &serde_json::to_vec(&envelope)?)?;
        say(&format!(
            "    {:<20} allotment rho = {:.3}, at most {:.3} a day, epsilon up to {} a query",
            contract.id.to_string(),
            contract.allotment.rho,
            contract.per_day.rho,
            contract.max_epsilon
        ));
    }
    Ok(())
}

/// A contract, in force from yesterday for a year.
fn contract_text(holding: &Holding) -> String {
    let now = chrono::Utc::now();
    let at = |days: i64| (now + chrono::TimeDelta::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let (starts, ends) = (at(-1), at(365));
    let Holding { dataset, contract, rho: (allotment, per_day), delta, grants, .. } = holding;
    let mut text = format!(
        "\
id = \"{contract}\"
org = \"example-ai\"
dataset = \"{dataset}\"
budget_domain = \"resident\"
purposes = [\"model-evaluation\"]
starts = \"{starts}\"
ends = \"{ends}\"

[budget]
allotment_rho = {allotment:?}
per_day_rho = {per_day:?}
allotment_delta = {delta:e}
per_day_delta = {delta:e}

[per_query]
max_epsilon = 2.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 5
"
    );
    let list = |words: &str| words.split(' ').map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    for (columns, roles) in *grants {
        text += &format!("\n[[grants]]\ncolumns = [{}]\nroles = [{}]\n", list(columns), list(roles));
    }
    text
}
