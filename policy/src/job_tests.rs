//! Manifests of jobs: read into steps, refused by name.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const JOB: &str = r#"
name = "longest-rise"
kind = "map"
dataset = "medical.rand_hie"
contract = "rand-2026"
purpose = "research"

[module]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
fuel = 200_000

[input]
columns = ["year", "meddol"]

[output]
keys = ["rose", "never"]
basis = "by definition"
max_rows = 2
max_keys = 1
count_units = true
default = { key = "never", values = [0, -0.5] }

[[output.values]]
name = "years"
low = 0
high = 4
step = 1

[[output.values]]
name = "slope"
low = -1.5
high = 1
step = 0.1

[privacy]
epsilon = 1.0
delta = 1e-9

[review]
executions = 3
"#;

fn with(from: &str, to: &str) -> String {
    assert!(JOB.contains(from), "the manifest holds `{from}`");
    JOB.replacen(from, to, 1)
}

#[test]
fn a_manifest_is_read_in_steps() {
    let job = JobManifest::parse(JOB).unwrap();
    assert_eq!(job.output.default_key, 1);
    assert_eq!(job.output.default_values, [0, -5]);
    let bounds: Vec<_> = job.output.values.iter().map(|value| (value.low, value.high)).collect();
    assert_eq!(bounds, [(0, 4), (-15, 10)]);
    assert_eq!((job.executions, job.families()), (3, 3));
    assert_eq!(job.digest(), Digest::of(JOB.as_bytes()));
    let without = JobManifest::parse(&with("[review]\nexecutions = 3\n", "")).unwrap();
    assert_eq!(without.executions, 1, "an approval is for one execution unless it says more");
}

#[test]
fn one_changed_byte_is_another_job() {
    let other = JobManifest::parse(&with("executions = 3\n", "executions = 3 \n")).unwrap();
    assert_ne!(other.digest(), JobManifest::parse(JOB).unwrap().digest());
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("kind = \"map\"", "kind = \"any\"", "kind"),
        ("fuel = 200_000", "fuel = 0", "module.fuel"),
        ("fuel = 200_000", "fuel = 1_000_000_001", "module.fuel"),
        ("fuel = 200_000", "fuel = 200_000\nextra = 1", "extra"),
        ("[\"year\", \"meddol\"]", "[]", "input.columns"),
        ("[\"year\", \"meddol\"]", "[\"year\", \"year\"]", "input.columns"),
        ("[\"rose\", \"never\"]", "[\"never\", \"never\"]", "output.keys"),
        ("[\"rose\", \"never\"]", "[\"\", \"never\"]", "output.keys"),
        ("[\"rose\", \"never\"]", "[\"never\", \" rose\"]", "output.keys[1]: no blank"),
        ("[\"rose\", \"never\"]", "[\"rose \", \"never\"]", "output.keys[0]: no blank"),
        ("[\"rose\", \"never\"]", "[\"ro  se\", \"never\"]", "output.keys[0]: no blank"),
        ("[\"rose\", \"never\"]", "[\"ro\u{a0}se\", \"never\"]", "output.keys[0]: no blank"),
        ("[\"rose\", \"never\"]", "[\"ro\u{3000}se\", \"never\"]", "output.keys[0]: no blank"),
        ("[\"rose\", \"never\"]", "[\"rose\"]", "output.default.key"),
        ("\"by definition\"", "\" \"", "output.basis"),
        ("max_rows = 2", "max_rows = 0", "output.max_rows"),
        ("max_rows = 2", "max_rows = 1025", "output.max_rows"),
        ("max_keys = 1", "max_keys = 0", "output.max_keys"),
        ("max_keys = 1", "max_keys = 3", "output.max_keys"),
        ("values = [0, -0.5]", "values = [0]", "output.default.values"),
        ("values = [0, -0.5]", "values = [5, 0]", "output.default.values"),
        ("values = [0, -0.5]", "values = [0.5, 0]", "output.default.values"),
        ("name = \"slope\"", "name = \"years\"", "output.values: a name comes twice"),
        ("name = \"slope\"", "name = \"units\"", "are taken"),
        ("name = \"slope\"", "name = \"years_low\"", "are taken"),
        ("step = 0.1", "step = 0", "output.values.slope: step"),
        ("step = 0.1", "step = nan", "output.values.slope: step"),
        ("low = -1.5", "low = -1.55", "output.values.slope: low and high"),
        ("low = -1.5", "low = 2", "output.values.slope: low is at most high"),
        ("high = 4", "high = 1e17", "output.values.years: low and high"),
        ("epsilon = 1.0", "epsilon = 0", "privacy.epsilon"),
        ("delta = 1e-9", "delta = 0.1", "privacy.delta"),
        ("executions = 3", "executions = 0", "review.executions"),
    ];
    for (from, to, named) in cases {
        let refusal = JobManifest::parse(&with(from, to)).unwrap_err();
        assert_eq!(refusal.reason(), Reason::JobManifestInvalid);
        let quoted = refusal.quotation().unwrap();
        assert!(quoted.contains(named), "`{to}`: {quoted}");
    }
}

#[test]
fn something_must_be_released() {
    let values = JOB.find("[[output.values]]").unwrap();
    let privacy = JOB.find("[privacy]").unwrap();
    let bare = format!("{}{}", &JOB[..values], &JOB[privacy..]).replace("values = [0, -0.5]", "values = []");
    assert_eq!(JobManifest::parse(&bare).unwrap().families(), 1);
    assert!(JobManifest::parse(&bare.replace("count_units = true", "count_units = false")).is_err());
}

#[test]
fn a_long_manifest_is_not_even_parsed() {
    let long = format!("{JOB}\n# {}", "x".repeat(MANIFEST_MAX_BYTES));
    assert_eq!(JobManifest::parse(&long).unwrap_err().reason(), Reason::JobManifestInvalid);
}
