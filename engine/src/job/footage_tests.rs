//! Sensitivities of jobs over footage, by known figures, and what an output of theirs may not be.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use glovebox_policy::JobManifest;

use super::*;
use crate::job::plan::{JobPlan, noise_of};

const SCENE: &str = include_str!("../../../examples/street/street_scene.toml");
const JOB: &str = include_str!("../../../examples/jobs/street_crossings/job.toml");
const GUEST: &[u8] = include_bytes!("../../../examples/jobs/street_crossings/street_crossings.wasm");

/// Small frames, so that any chunk is small enough.
fn footage(longest_s: u32, segments: u32, chunk_s: u32) -> Manifest {
    let text = SCENE.replace("width = 160\nheight = 90", "width = 16\nheight = 9");
    let text = text.replace("chunk_s = 10", &format!("chunk_s = {chunk_s}"));
    let text = text.replace("longest_s = 60, segments = 2", &format!("longest_s = {longest_s}, segments = {segments}"));
    Manifest::parse(&text).unwrap_or_else(|report| panic!("{report}"))
}

/// A job with one value from `low` to `high`, under so many keys.
fn job(max_rows: u32, keys: u32, low: i64, high: i64) -> JobManifest {
    let (head, rest) = JOB.split_once("[output]").unwrap();
    let privacy = rest.split_once("[privacy]").unwrap().1;
    let labels: Vec<_> = (0..keys).map(|key| format!("\"{key}\"")).collect();
    let max_keys = keys.min(max_rows);
    let output = format!(
        "[output]\nkeys = [{}]\nbasis = \"b\"\nmax_rows = {max_rows}\nmax_keys = {max_keys}\n\
         default = {{ key = \"0\", values = [{low}] }}\n\
         [[output.values]]\nname = \"n\"\nlow = {low}\nhigh = {high}\nstep = 1\n[privacy]",
        labels.join(", ")
    );
    JobManifest::parse(&format!("{head}{output}{privacy}")).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// How far one appearance moves all cells of the one value.
fn moved(footage: &Manifest, job: &JobManifest) -> f64 {
    let (noise, _) = noise_of(job, footage).unwrap();
    noise.families()[0].sensitivity
}

/// The figures of Privid's own tests: 10 rows of a chunk of 5 s against one segment of 30 s are 70 rows; values from 0 to 10 make
/// 700 of it; a second table with 2 rows of a chunk of 1 s makes 62 more; 49 s and chunks of 30 s are 3 rows, and up to 6 each 18.
#[test]
fn the_plan_has_the_golden_figures() {
    let (table, other) = (footage(30, 1, 5), footage(30, 1, 1));
    assert_eq!(moved(&table, &job(10, 1, 0, 1)), 70.0);
    assert_eq!(moved(&table, &job(10, 1, 0, 10)), 700.0);
    assert_eq!(moved(&table, &job(10, 1, 0, 1)) + moved(&other, &job(2, 1, 0, 1)), 132.0);
    assert_eq!(moved(&footage(49, 1, 30), &job(1, 1, 0, 6)), 18.0);
}

#[test]
fn several_keys_double_it_and_a_range_counts_from_zero() {
    let table = footage(30, 1, 5);
    assert_eq!(moved(&table, &job(10, 4, 0, 10)), 1_400.0);
    assert_eq!(moved(&table, &job(10, 1, -5, 10)), 1_050.0);
    assert_eq!(moved(&table, &job(10, 1, 5, 10)), 700.0);
    assert_eq!(moved(&footage(30, 3, 5), &job(10, 1, 0, 1)), 210.0);
    assert_eq!(moved(&footage(60, 2, 10), &job(1, 1, 0, 8)), 112.0);
}

#[test]
fn an_output_that_is_not_one_for_footage_is_refused() {
    let table = footage(30, 1, 5);
    let refused = |from: &str, to: &str| {
        assert!(JOB.contains(from), "{from}");
        let job = JobManifest::parse(&JOB.replace(from, to)).unwrap();
        let refusal = noise_of(&job, &table).unwrap_err();
        assert_eq!(refusal.reason(), Reason::JobManifestInvalid);
        refusal.to_string()
    };
    assert!(refused("count_units = false", "count_units = true").contains("output.count_units: chunks of footage"));
}

#[test]
fn max_keys_cuts_no_row_of_a_chunk() {
    let table = footage(30, 1, 5);
    let text = JOB.replace("keys = [\"all\"]", "keys = [\"all\", \"x\"]").replace("max_rows = 1", "max_rows = 2");
    let refusal = noise_of(&JobManifest::parse(&text).unwrap(), &table).unwrap_err().to_string();
    assert!(refusal.contains("output.max_keys: no row of a chunk is dropped"), "{refusal}");
    let text = text.replace("max_keys = 1", "max_keys = 2");
    assert!(noise_of(&JobManifest::parse(&text).unwrap(), &table).is_ok());
}

#[test]
fn the_example_fits_its_footage_and_no_longer_chunk() {
    let scene = Manifest::parse(SCENE).unwrap();
    let plan = JobPlan::new(JOB, GUEST, &scene).unwrap_or_else(|refusal| panic!("{refusal}"));
    // 1 row · 2 · (1 + ⌈60/10⌉) = 14 rows.
    assert_eq!(plan.noise.geometry(), Geometry::Replacement { rows: 14 });
    let moved: Vec<f64> = plan.noise.families().iter().map(|family| family.sensitivity).collect();
    assert_eq!(moved, [14.0 * 8.0, 14.0 * 2.0, 14.0 * 4.0]);
    let noise: Vec<u64> = plan.noise.families().iter().map(|family| family.half_width_95).collect();
    assert_eq!(noise, [1_007, 252, 503], "the figures of examples/street/README.md");
    assert_eq!(plan.spec.linf(), [8, 2, 4]);
    assert_eq!(plan.spec.bounding, Bounding::Rows);
    let longer = Manifest::parse(&SCENE.replace("chunk_s = 10", "chunk_s = 11")).unwrap();
    let refusal = JobPlan::new(JOB, GUEST, &longer).map(|_| ()).unwrap_err().to_string();
    assert!(refusal.contains("takes `792056` bytes"), "{refusal}");
}

#[test]
fn what_is_said_of_the_unit_has_its_figures() {
    let scene = Manifest::parse(SCENE).unwrap();
    let job = JobManifest::parse(JOB).unwrap();
    let about = |kind| about_unit(scene.footage().unwrap(), &job.output, kind);
    let gaussian = about(MechanismKind::Gaussian).into_iter().map(|(_, text)| text).collect::<String>();
    // Of 13 chunks instead of 7: 13 / 7 rounded up, and its square.
    assert!(
        gaussian.contains("if rho of the cost were 4 times as large") && gaussian.contains("3.45 times"),
        "{gaussian}"
    );
    let said = about(MechanismKind::Laplace);
    let all = said.iter().map(|(what, text)| format!("{what}: {text}\n")).collect::<String>();
    assert!(all.contains("in view for at most 60 s at a time, at most 2 times (K) in the 600 s"), "{all}");
    assert!(all.contains("每次入镜至多 60 秒，600 秒内至多入镜 2 次（K）"), "{all}");
    assert!(all.contains("for 120 s at a time as if it were 1.86 times as large"), "{all}");
    assert!(all.contains("at most 14 rows: 1 of a chunk x 2 x (1 + 60 s / 10 s rounded up)"), "{all}");
}
