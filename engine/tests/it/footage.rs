//! A job over footage from submission to release, with the noise of its own unit.

use glovebox_engine::{JobState, Scalar};
use glovebox_policy::Reason;
use glovebox_policy::approval::sign_verdict;

use crate::jobs::{manifest, module, settled, verdict};
use crate::world::{World, ana, ask, block, officer};

/// 400 chunks of 2 s at 3 frames a second.
const FOOTAGE: &str = r#"
[dataset]
name = "traffic.street"
kind = "frames"
title_en = "Street"
title_zh = "街道"
budget_domain = "resident"
source = "made up"
licence = "none"
classification = "public"

[footage]
camera = "north"
width = 4
height = 2
frames_per_second = 3
chunk_s = 2
chunks = 400
appearance = { longest_s = 2, segments = 1, basis = "speeds on this street" }
"#;

const CONTRACT: &str = r#"
id = "acme-street"
org = "acme"
dataset = "traffic.street"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2120-01-01T00:00:00Z"
budget = { allotment_rho = 0.2, per_day_rho = 0.2 }
per_query = { max_epsilon = 1.0, max_delta = 1e-6, default_epsilon = 0.5, default_delta = 1e-9, max_groups_contributed = 2 }
grants = [{ roles = ["wasmInput"], columns = ["frame", "pixels"] }]
"#;

/// The job that counts the rows of a unit, here the frames of a chunk: one row from 0 to 6.
fn job(module: &[u8]) -> String {
    let text = manifest(module).replace("medical.visits", "traffic.street").replace("acme-visits", "acme-street");
    let text = text.replace(r#"["visits", "sex"]"#, r#"["pixels"]"#).replace(r#"["seen", "odd"]"#, r#"["all"]"#);
    let text = text.replace(r#"key = "odd""#, r#"key = "all""#).replace("count_units = true\n", "");
    text.replace("high = 4", "high = 6").replace("epsilon = 1.0\ndelta = 1e-9", "epsilon = 0.5\ndelta = 0.0")
}

#[test]
fn a_job_over_footage_is_reviewed_run_and_released() {
    let world = World::new();
    let engine = world.open();
    let frames: Vec<u8> = (0..2_400_u32).flat_map(|n| [b"FRAME\n".as_slice(), &[n as u8; 8]].concat()).collect();
    let file = world.path("street.y4m");
    std::fs::write(&file, [b"YUV4MPEG2 W4 H2 F3:1 Cmono\n".as_slice(), &frames].concat()).unwrap();
    let card = engine.add_dataset(&officer(), FOOTAGE, &file).unwrap();
    assert_eq!(card.footage.unwrap().appearance.segments, 1);
    world.sign(&engine, CONTRACT).unwrap();
    let module = module("");
    block(async {
        let refusal = ask(&engine, &ana(), "SELECT COUNT(*) FROM traffic.street").await.unwrap_err();
        assert_eq!(refusal.reason(), Reason::FootageRefused);
        assert_eq!(engine.twin(&card.name, 10, 1).unwrap_err().reason(), Reason::FootageRefused);
        let counted = job(&module).replace("max_keys = 1", "max_keys = 1\ncount_units = true");
        let refusal = engine.submit_job(&ana(), counted, module.clone()).await.unwrap_err();
        assert_eq!(refusal.reason(), Reason::JobManifestInvalid);

        let card = engine.submit_job(&ana(), job(&module), module.clone()).await.unwrap();
        let review = engine.review(&officer(), &card.job).unwrap();
        for text in [
            "400 chunks of 2 s; 3 frames a second of 4x2 pixels; camera: north",
            "at most 2 rows: 1 of a chunk x 1 x (1 + 2 s / 2 s rounded up)",
            "one appearance moves all its cells",
            "together by at most 12;",
        ] {
            // The page wraps its lines.
            let page = review.page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains(text), "{text}\n{}", review.page);
        }
        assert!(!review.page.contains("one unit"), "{}", review.page);
        let signed = sign_verdict(&verdict(&review, &officer()), world.key()).unwrap();
        engine.decide_job(&officer(), &card.job, &serde_json::to_vec(&signed).unwrap()).unwrap();
        engine.start_job(&ana(), &card.job).await.unwrap();
        assert_eq!(settled(&engine, &ana(), &card.job).await, JobState::Released);
        let answer = engine.job_result(&ana(), &card.job).await.unwrap();
        let table = answer.release().get();
        let Scalar::Float(rows) = table.rows[0][1] else { panic!("{table:?}") };
        // The noise is beyond 500 less than once in 10⁹.
        assert!((rows - 2_400.0).abs() < 500.0, "{rows}");
        assert_eq!(table.rows.len(), 1);
    });
}
