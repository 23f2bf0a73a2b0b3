//! Footage with and without one appearance: what a job over chunks emits moves by no more than noise is made for.
//!
//! The job here is native code that sees one chunk of the generated street at a time, and the host's part (a fixed number of
//! rows from every chunk, values clipped) is a few lines; what is under test are the figures of `glovebox_privacy::appearance`
//! on pictures in which the neighbour is really gone. Jobs through the product's own host are in `footage_jobs`.

use std::collections::BTreeMap;

use glovebox_policy::{NanoEpsilon, Public};
use glovebox_privacy::appearance::{rows_replaced, span};
use glovebox_privacy::sensitivity::l1;
use glovebox_privacy::{Appearance, Ask, Family, Geometry, MechanismKind, plan_noise};
use glovebox_street::{Actor, Class, FRAMES_PER_SECOND, LONGEST_S, MOST_SEGMENTS, Scene, count};

/// Rows of a chunk: one for each class.
const MAX_ROWS: u32 = 3;
/// Values are clipped to 0 … this.
const HIGH: i64 = 30;
const KEYS: u32 = 3;
const UNIT: Appearance = Appearance { longest_ms: LONGEST_S as u64 * 1_000, segments: MOST_SEGMENTS };

/// A row: its key and its value.
type Row = (usize, i64);

/// What the code of an analyst makes of a chunk: as many rows as it likes. A bit hostile: for everybody who crosses on foot there
/// is a row with a huge number, the first of them before the honest ones.
fn guest(chunk: &[Vec<u8>]) -> Vec<Row> {
    let seen = Class::ALL.map(|class| count::crossings(chunk, class));
    let mut rows: Vec<Row> = seen.iter().enumerate().map(|(key, crossings)| (key, *crossings as i64)).collect();
    rows.extend((0..seen[2]).map(|_| (0, 1 << 40)));
    if seen[2] > 0 {
        rows.rotate_right(1);
    }
    rows
}

/// The host: exactly [`MAX_ROWS`] rows with declared keys and values, whatever the guest did.
fn bounded(mut rows: Vec<Row>) -> Vec<Row> {
    rows.resize(MAX_ROWS as usize, (0, 0));
    rows.into_iter().map(|(key, value)| (key % KEYS as usize, value.clamp(0, HIGH))).collect()
}

fn table(scene: &Scene, chunk_s: u32, host: impl Fn(Vec<Row>) -> Vec<Row>) -> Vec<Vec<Row>> {
    let frames: Vec<Vec<u8>> = (0..scene.frames()).map(|number| scene.frame(number)).collect();
    frames.chunks((chunk_s * FRAMES_PER_SECOND) as usize).map(|chunk| host(guest(chunk))).collect()
}

fn sums(table: &[Vec<Row>]) -> Vec<i64> {
    let mut sums = vec![0; KEYS as usize];
    table.iter().flatten().for_each(|(key, value)| sums[*key] += value);
    sums
}

/// Two of each class who cross, and everybody who comes back.
fn some(scene: &Scene) -> Vec<&Actor> {
    let mut taken: BTreeMap<Class, u32> = BTreeMap::new();
    let all = scene.truth().actors.iter().filter(|actor| actor.segments.iter().any(|s| s.crossing.is_some()));
    all.filter(|actor| {
        let taken = taken.entry(actor.class).or_default();
        *taken += 1;
        *taken <= 2 || actor.segments.len() > 1
    })
    .collect()
}

#[test]
fn one_appearance_moves_a_table_by_no_more_than_declared() {
    let scene = Scene::new(5, 90);
    for chunk_s in [5, 30] {
        let rows = rows_replaced(UNIT, u64::from(chunk_s) * 1_000, MAX_ROWS).unwrap();
        let geometry = Geometry::Replacement { rows };
        let linf = span(0, HIGH);
        let before = table(&scene, chunk_s, bounded);
        let mut noticed = 0;
        for actor in some(&scene) {
            let after = table(&scene.without(actor.id), chunk_s, bounded);
            let replaced =
                before.iter().zip(&after).map(|(one, other)| one.iter().zip(other).filter(|(a, b)| a != b).count());
            assert!(replaced.sum::<usize>() <= rows as usize, "{actor:?}");
            let moved: Vec<u64> = sums(&before).iter().zip(sums(&after)).map(|(a, b)| a.abs_diff(b)).collect();
            let sum: u128 = moved.iter().map(|moved| u128::from(*moved)).sum();
            assert!(sum <= l1(linf, geometry, KEYS), "{moved:?} without {actor:?}");
            noticed += usize::from(sum > 0);
            assert!(before.iter().chain(&after).all(|rows| rows.len() == MAX_ROWS as usize));
        }
        assert!(noticed >= 2, "a table that nobody moves shows nothing");
    }
}

/// What the figure is about, piece by piece: a host that does not fill up, and a figure that forgets the chunk that is cut.
#[test]
fn a_host_that_does_not_fill_up_and_a_figure_without_the_cut_chunk_are_noticed() {
    let scene = Scene::new(5, 90);
    let rows = |scene: &Scene| table(scene, 30, |rows| rows).iter().map(Vec::len).sum::<usize>();
    let all = rows(&scene);
    assert!(some(&scene).iter().any(|actor| rows(&scene.without(actor.id)) != all), "rows are added, not replaced");

    let chunk = 5 * FRAMES_PER_SECOND;
    let too_few = scene.truth().actors.iter().flat_map(|actor| &actor.segments).any(|segment| {
        let (long, met) = (segment.frames() - 1, segment.last / chunk - segment.first / chunk + 1);
        let unit = Appearance { longest_ms: u64::from(long) * 1_000 / u64::from(FRAMES_PER_SECOND), segments: 1 };
        assert!(met <= rows_replaced(unit, 5_000, 1).unwrap());
        met > long.div_ceil(chunk)
    });
    assert!(too_few, "some appearance is in one chunk more than fit into its length");
}

/// How exact a count of vehicles is: noise is the same for any length of footage, so a day is worth asking about and ten minutes are not.
#[test]
fn a_day_of_footage_can_be_counted_and_ten_minutes_cannot() {
    // A job for one class: one row from each chunk of 30 s, one group.
    let rows = rows_replaced(UNIT, 30_000, 1).unwrap();
    let family = Family { label: Public::from_request("vehicles".to_owned()), linf: span(0, HIGH), total: None };
    let ask =
        Ask { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 0.0, mechanism: Some(MechanismKind::Laplace) };
    let plan = plan_noise(vec![family], 1, Geometry::Replacement { rows }, ask).unwrap();
    assert_eq!((rows, plan.families()[0].sensitivity), (6, 180.0));
    let off = plan.families()[0].half_width_95 as f64;
    let of = |seconds: u32| {
        let scene = Scene::new(1, seconds);
        scene.truth().count(Class::Vehicle, 0, scene.frames()) as f64
    };
    let (ten_minutes, day) = (off / of(600), off / of(86_400));
    assert!(ten_minutes > 3.0, "{ten_minutes}");
    assert!(day < 0.03, "{day}");
}
