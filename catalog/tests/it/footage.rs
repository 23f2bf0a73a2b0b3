//! Footage: manifests, Y4M files that fit and that do not, stored frames, twins.

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use glovebox_catalog::{Catalog, Dataset, DatasetKind, IngestError, Manifest, UNIT_COLUMN, twin};

use crate::support::{Place, stored};

/// Four chunks of 2 s at 3 frames a second, 4×2 pixels.
const MANIFEST: &str = r#"
[dataset]
name = "traffic.street"
kind = "frames"
title_en = "Street"
title_zh = "街道"
budget_domain = "resident"
source = "made up"
licence = "CC0"
classification = "test"

[footage]
camera = "north"
width = 4
height = 2
frames_per_second = 3
chunk_s = 2
chunks = 4
appearance = { longest_s = 60, segments = 2, basis = "speeds on this street" }
"#;

const FRAMES: u64 = 24;

fn manifest(from: &str, to: &str) -> Manifest {
    assert!(MANIFEST.contains(from), "{from}");
    Manifest::parse(&MANIFEST.replace(from, to)).unwrap_or_else(|report| panic!("{report}"))
}

fn problems(from: &str, to: &str) -> String {
    assert!(MANIFEST.contains(from), "{from}");
    let report = Manifest::parse(&MANIFEST.replace(from, to)).unwrap_err();
    report.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn frame(number: u64) -> Vec<u8> {
    (0..8).map(|pixel| (number * 8 + pixel) as u8).collect()
}

fn y4m(head: &str, frames: u64) -> Vec<u8> {
    let body = (0..frames).flat_map(|number| [b"FRAME\n".to_vec(), frame(number)].concat());
    head.bytes().chain(body).collect()
}

const HEAD: &str = "YUV4MPEG2 W4 H2 F3:1 Ip A1:1 Cmono XCOLORRANGE=FULL\n";

fn add(catalog: &Catalog, place: &Place, manifest: &Manifest, bytes: &[u8]) -> Result<(), String> {
    let file = place.file("street.y4m", bytes);
    catalog.add(manifest, &file).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn a_manifest_of_footage_declares_its_sizes_and_its_unit() {
    let manifest = manifest("", "");
    let footage = manifest.footage().unwrap();
    assert_eq!((manifest.kind(), manifest.unit().len()), (DatasetKind::Frames, 0));
    assert_eq!((manifest.max_units(), manifest.max_rows_per_unit()), (4, 6));
    assert_eq!((footage.frames(), footage.horizon_s(), footage.frame_bytes()), (24, 8, 8));
    assert_eq!((footage.appearance.longest_s, footage.appearance.segments), (60, 2));
    let columns: Vec<_> =
        manifest.columns().iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    assert_eq!(columns, [("frame", "int"), ("pixels", "bytes")]);
    let again = Manifest::parse(&manifest.to_toml()).unwrap();
    assert_eq!((again.digest(), &again), (manifest.digest(), &manifest));
}

#[test]
fn problems_of_footage_name_the_key() {
    assert_eq!(problems("width = 4\n", ""), "footage.width: is missing");
    assert_eq!(problems("width = 4", "width = 0"), "footage.width: must be a whole number from 1 to 4096");
    assert_eq!(problems("chunks = 4", "chunks = 4\nfps = 3"), "footage.fps: is not a known key");
    assert_eq!(problems("segments = 2, ", ""), "footage.appearance.segments: is missing");
    let without_unit = problems("appearance = { longest_s = 60, segments = 2, basis = \"speeds on this street\" }", "");
    assert_eq!(without_unit, "footage.appearance: is missing");
    assert_eq!(
        problems("width = 4\nheight = 2\nframes_per_second = 3", "width = 640\nheight = 360\nframes_per_second = 5"),
        "footage.chunk_s: makes chunks of 2304000 bytes, and a job sees at most 983040; make chunks shorter, frames smaller \
         or fewer in a second"
    );
    assert_eq!(problems("[footage]", "[[columns]]\nname = \"x\"\n[footage]"), "columns: is not a known key");
}

#[test]
fn a_table_has_no_pixels() {
    let text = crate::support::plain_visits().to_toml().replace("\"text\"", "\"bytes\"");
    let report = Manifest::parse(&text).unwrap_err().to_string();
    assert!(report.contains("columns.ward.type: must be one of `int`"), "{report}");
}

#[tokio::test]
async fn frames_are_stored_in_chunks_by_their_number() {
    let place = Place::new();
    let manifest = manifest("", "");
    let ingested = place.catalog.add(&manifest, &place.file("street.y4m", y4m(HEAD, FRAMES))).unwrap();
    assert_eq!((ingested.report.rows_stored, ingested.report.units), (FRAMES, 4));
    check_rows(&stored(&ingested.dataset).await);
    let opened = Catalog::open(&place.catalog_dir(), &place.key()).unwrap();
    let dataset = opened.get(manifest.name()).unwrap();
    check_rows(&stored(&dataset).await);
    check_encrypted(&place, &dataset);
}

fn check_rows(rows: &RecordBatch) {
    assert_eq!(rows.num_rows() as u64, FRAMES);
    let numbers = rows["frame"].as_primitive::<Int64Type>();
    let (pixels, units) = (rows["pixels"].as_fixed_size_binary(), rows[UNIT_COLUMN].as_fixed_size_binary());
    for number in 0..FRAMES {
        let row = number as usize;
        assert_eq!(numbers.value(row) as u64, number);
        assert_eq!(pixels.value(row), frame(number));
        assert_eq!(units.value(row), u128::from(number / 6).to_be_bytes());
    }
    assert_eq!(pixels.null_count() + numbers.null_count(), 0);
}

fn check_encrypted(place: &Place, dataset: &Dataset) {
    let file = place.catalog_dir().join(dataset.manifest().name().to_string()).join("data.parquet");
    let bytes = std::fs::read(file).unwrap();
    assert!(!bytes.windows(8).any(|window| window == frame(3)), "pixels lie open on the disk");
}

#[test]
fn footage_that_is_not_as_declared_is_refused_with_what_to_do() {
    let place = Place::new();
    let manifest = manifest("", "");
    let refused = |bytes: &[u8]| add(&place.catalog, &place, &manifest, bytes).unwrap_err();
    let with = |from: &str, to: &str| refused(&y4m(&HEAD.replace(from, to), FRAMES));
    assert!(refused(b"frame,pixels\n1,2\n").contains("not Y4M footage"));
    assert!(refused(b"").contains("not Y4M footage"));
    assert_eq!(
        with("W4", "W8"),
        "the frames have 8×2 pixels and the manifest declares 4×2; scale them or correct the manifest"
    );
    assert_eq!(
        with("F3:1", "F30000:1001"),
        "the footage has 30000:1001 frames in a second and the manifest declares 3; ffmpeg's `-r` changes it"
    );
    assert!(with("Cmono", "C420jpeg").contains("`420jpeg` and must be `mono`"));
    assert!(with(" Cmono", "").contains("`420` and must be `mono`"));
    assert!(with("Ip", "It").contains("interlaced"));
    assert!(refused(&y4m(HEAD, 23)).starts_with("the footage has 23 frames and the manifest declares 24"));
    assert!(refused(&y4m(HEAD, 25)).contains("goes on after the 24 declared frames; cut it (ffmpeg's `-frames:v 24`)"));
    let mut cut = y4m(HEAD, FRAMES);
    cut.pop();
    assert!(refused(&cut).starts_with("frame 24, counted from 1, "));
    let parameters = y4m(HEAD, FRAMES).iter().map(|byte| char::from(*byte)).collect::<String>();
    let parameters = parameters.replacen("FRAME\n", "FRAME Ip\n", 1);
    let parameters: Vec<u8> = parameters.chars().map(|c| c as u8).collect();
    assert!(refused(&parameters).starts_with("frame 1, counted from 1, "));
    assert_eq!(place.catalog.names(), []);
    add(&place.catalog, &place, &manifest, &y4m("YUV4MPEG2 H2 W4 F6:2 Cmono\n", FRAMES)).unwrap();
}

#[test]
fn the_same_pixels_cannot_come_into_another_domain() {
    let place = Place::new();
    add(&place.catalog, &place, &manifest("", ""), &y4m(HEAD, FRAMES)).unwrap();
    let other = MANIFEST.replace("traffic.street", "traffic.again").replace("\"resident\"", "\"visitors\"");
    let other = Manifest::parse(&other).unwrap();
    // Another first line makes another file of the same pixels.
    let file = place.file("again.y4m", y4m("YUV4MPEG2 W4 H2 F3:1 Cmono\n", FRAMES));
    assert!(matches!(place.catalog.add(&other, &file), Err(IngestError::ContentElsewhere(_))));
}

#[test]
fn footage_is_no_table_and_a_table_no_footage() {
    let place = Place::new();
    let error = add(&place.catalog, &place, &crate::support::plain_visits(), &y4m(HEAD, FRAMES)).unwrap_err();
    assert!(error.contains("kind = \"frames\""), "{error}");
    let file = place.file("street.y4m", y4m(HEAD, FRAMES));
    assert!(glovebox_catalog::draft(&file).unwrap_err().to_string().contains("kind = \"frames\""));
}

#[test]
fn a_twin_of_footage_is_whole_chunks_from_the_manifest_alone() {
    let manifest = manifest("width = 4\nheight = 2", "width = 32\nheight = 18");
    let rows = twin(&manifest, 13, 5).unwrap().into_inner();
    assert_eq!(rows.num_rows(), 12, "whole chunks");
    assert_eq!(rows.schema(), manifest.arrow_schema());
    assert_eq!(rows, twin(&manifest, 13, 5).unwrap().into_inner());
    assert_ne!(rows, twin(&manifest, 13, 6).unwrap().into_inner());
    assert_eq!(twin(&manifest, 1, 5).unwrap().into_inner().num_rows(), 6);
    assert_eq!(twin(&manifest, 1_000, 5).unwrap().into_inner().num_rows(), 24, "no more than declared");
    let pixels = rows["pixels"].as_fixed_size_binary();
    assert!(pixels.iter().flatten().any(|frame| frame.iter().any(|pixel| *pixel > 150)), "nobody crosses");
}
