//! Jobs over footage: rows of chunks are replaced there, where elsewhere persons are added and removed.

use glovebox_catalog::{Footage, Manifest};
use glovebox_policy::job::JobOutput;
use glovebox_policy::{Reason, Refusal};
use glovebox_privacy::appearance::rows_replaced;
use glovebox_privacy::{Appearance, Geometry, MechanismKind};
use glovebox_sandbox::{Bounding, UnitSize};

/// What the sandbox bounds of a unit of this dataset.
pub(super) fn bounding_of(dataset: &Manifest) -> Bounding {
    if dataset.footage().is_some() { Bounding::Rows } else { Bounding::Unit }
}

/// How large a unit of this dataset is at most; a chunk of footage is always so large.
pub(super) fn unit_size(dataset: &Manifest) -> UnitSize {
    UnitSize { rows: dataset.max_rows_per_unit(), width: dataset.footage().map_or(0, Footage::frame_bytes) }
}

/// How one unit of the promise can change what a job adds up.
///
/// # Errors
/// [`Reason::JobManifestInvalid`] when the output is not one for footage; [`Reason::OverflowPossible`] when an appearance could
/// replace more than 2³² rows.
///
/// # Privacy obligation
/// Tables: one unit added or removed, in at most `max_keys` groups. Footage: one appearance of the declared ρ and K added or
/// removed replaces at most [`rows_replaced`] rows, because every chunk counts as exactly `max_rows` rows
/// ([`Bounding::Rows`]) and a guest sees its own chunk alone. A run is over the whole horizon and its charge is the budget
/// domain's, so it covers every frame from ρ before the footage to ρ after it.
pub(super) fn geometry_of(output: &JobOutput, dataset: &Manifest) -> Result<Geometry, Refusal> {
    let Some(footage) = dataset.footage() else {
        return Ok(Geometry::GroupSelection { max_groups: output.max_keys });
    };
    let bad = |what: &str| Err(Refusal::about(Reason::JobManifestInvalid, what));
    if output.count_units {
        return bad("output.count_units: chunks of footage are not counted, because their number is declared");
    }
    if u64::from(output.max_keys) != u64::from(output.max_rows).min(output.keys.len() as u64) {
        return bad(
            "output.max_keys: no row of a chunk is dropped, so of footage it is the smaller of max_rows and the number of keys",
        );
    }
    let rows = rows_replaced(appearance(footage), chunk_ms(footage), output.max_rows);
    Ok(Geometry::Replacement { rows: rows.ok_or(Reason::OverflowPossible)? })
}

fn appearance(footage: &Footage) -> Appearance {
    let unit = &footage.appearance;
    Appearance { longest_ms: u64::from(unit.longest_s) * 1_000, segments: unit.segments }
}

fn chunk_ms(footage: &Footage) -> u64 {
    u64::from(footage.chunk_s) * 1_000
}

/// How many cells' worth of bytes a row has beside its columns, for the time that reading takes.
pub(super) fn more_cells(dataset: &Manifest) -> u64 {
    dataset.footage().map_or(0, |footage| u64::from(footage.frame_bytes() / 8))
}

/// What an officer and an author are told of the privacy unit of footage: a word, and what is said of it.
pub(super) fn about_unit(footage: &Footage, output: &JobOutput, kind: MechanismKind) -> Vec<(&'static str, String)> {
    let (rho, k, c) = (footage.appearance.longest_s, footage.appearance.segments, footage.chunk_s);
    let horizon = footage.horizon_s();
    let met = |longest: u64| 1 + longest.div_ceil(u64::from(c));
    let (chunks, longer) = (met(rho.into()), met(2 * u64::from(rho)));
    let rows = rows_replaced(appearance(footage), chunk_ms(footage), output.max_rows).map_or(0, u64::from);
    // Told rounded up. Gaussian noise is accounted in rho, which grows with the square of what one unit moves.
    let up = |factor: f64| (factor * 100.0).ceil() / 100.0;
    let more = longer as f64 / chunks as f64;
    let (what, oftener, longer) = match kind {
        MechanismKind::Laplace => ("epsilon", 2.0, up(more)),
        MechanismKind::Gaussian => ("rho of the cost", 4.0, up(more * more)),
    };
    vec![
        (
            "a unit",
            format!(
                "one appearance in the footage: in view for at most {rho} s at a time, at most {k} times (K) in the {horizon} s; \
                 that is what the noise hides. All that shows of it counts as view: shadow, compression, exposure, filters"
            ),
        ),
        (
            "单位",
            format!(
                "视频中的一次出现：每次入镜至多 {rho} 秒，{horizon} 秒内至多入镜 {k} 次（K）；噪声所掩盖的即此。\
                 其一切痕迹均算入镜：影子、压缩、曝光、滤镜"
            ),
        ),
        (
            "beyond it",
            format!(
                "whoever is in view twice as often is protected as if {what} were {oftener} times as large, and whoever is in view \
                 for {} s at a time as if it were {longer} times as large",
                2 * u64::from(rho)
            ),
        ),
        (
            "超出者",
            format!(
                "入镜次数加倍者，所受保护相当于 {what} 为 {oftener} 倍；每次入镜 {} 秒者，相当于其为 {longer} 倍",
                2 * u64::from(rho)
            ),
        ),
        ("basis of it", footage.appearance.basis.clone()),
        (
            "a chunk",
            format!(
                "of {c} s runs alone and counts as exactly {} rows whatever the code does: the rest are default rows",
                output.max_rows
            ),
        ),
        (
            "it replaces",
            format!("at most {rows} rows: {} of a chunk x {k} x (1 + {rho} s / {c} s rounded up)", output.max_rows),
        ),
    ]
}

/// The form and size of footage.
pub(super) fn about_size(footage: &Footage) -> String {
    let Footage { camera, width, height, frames_per_second, chunk_s, chunks, .. } = footage;
    format!(
        "{chunks} chunks of {chunk_s} s; {frames_per_second} frames a second of {width}x{height} pixels; camera: {camera}"
    )
}

#[cfg(test)]
#[path = "footage_tests.rs"]
mod tests;
