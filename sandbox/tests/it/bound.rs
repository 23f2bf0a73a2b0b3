//! What one unit contributes: cases computed by hand, and bounds that hold whatever a guest emits.

use glovebox_sandbox::bound::{Emitted, SelectionKey, contribution};
use glovebox_sandbox::{Bounding, DefaultRow, MapSpec, ValueSpec};
use proptest::prelude::*;

const UNIT: [u8; 16] = *b"one of the units";

fn spec(max_keys: u32, values: &[(i64, i64, f64)]) -> MapSpec {
    MapSpec {
        max_rows: 8,
        keys: 5,
        max_keys,
        bounding: Bounding::Unit,
        values: values.iter().map(|(low, high, step)| ValueSpec { low: *low, high: *high, step: *step }).collect(),
        count_units: true,
        default: DefaultRow { key: 4, values: values.iter().map(|(low, ..)| *low).collect() },
        fuel: 1,
        params: Vec::new(),
    }
}

fn rows(rows: &[(u32, &[f64])]) -> Emitted {
    Emitted {
        keys: rows.iter().map(|(key, _)| *key).collect(),
        values: rows.iter().flat_map(|(_, values)| values.iter().copied()).collect(),
    }
}

fn of(spec: &MapSpec, emitted: &Emitted) -> Vec<(u32, Vec<i64>)> {
    contribution(spec, &SelectionKey::new([3; 16]), &UNIT, Some(emitted))
}

#[test]
fn rows_are_added_up_per_key_before_they_are_clipped() {
    let spec = spec(5, &[(-3, 10, 1.0), (0, 100, 0.25)]);
    let emitted = rows(&[(0, &[20.0, 1.0]), (2, &[-9.0, 0.25]), (0, &[-15.0, 2.0]), (2, &[1.0, 100.0])]);
    // Key 0: 20 - 15 = 5, (1 + 2) / 0.25 = 12 steps. Key 2: -8 clips to -3, 100.25 / 0.25 = 401 clips to 100.
    assert_eq!(of(&spec, &emitted), [(0, vec![5, 12]), (2, vec![-3, 100])]);
}

#[test]
fn values_round_half_away_from_zero() {
    let spec = spec(5, &[(-1_000, 1_000, 0.5)]);
    let cases = [(0.25, 1), (-0.25, -1), (0.24, 0), (-0.24, 0), (0.75, 2), (1.0, 2), (-1.25, -3), (0.0, 0), (-0.0, 0)];
    for (value, steps) in cases {
        assert_eq!(of(&spec, &rows(&[(1, &[value])])), [(1, vec![steps])], "{value}");
    }
}

#[test]
fn huge_values_saturate_and_still_add_up() {
    let spec = spec(5, &[(-7, 9, 1e-9)]);
    assert_eq!(of(&spec, &rows(&[(0, &[f64::MAX])])), [(0, vec![9])]);
    assert_eq!(of(&spec, &rows(&[(0, &[f64::MIN])])), [(0, vec![-7])]);
    // 2^63 - 1 twice, and -2^63 twice: the sum is -2, not an overflow.
    let huge = rows(&[(0, &[f64::MAX]), (0, &[f64::MAX]), (0, &[f64::MIN]), (0, &[f64::MIN])]);
    assert_eq!(of(&spec, &huge), [(0, vec![-2])]);
}

#[test]
fn a_range_without_zero_holds_for_the_keys_that_are_emitted() {
    let spec = spec(5, &[(2, 4, 1.0)]);
    assert_eq!(of(&spec, &rows(&[(3, &[0.0])])), [(3, vec![2])]);
    assert_eq!(of(&spec, &rows(&[])), []);
}

#[test]
fn what_a_guest_may_not_emit_makes_the_whole_unit_the_default_row() {
    let spec = spec(5, &[(-2, 4, 1.0)]);
    let default = [(4, vec![-2])];
    let good: (u32, &[f64]) = (0, &[1.0]);
    for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(of(&spec, &rows(&[good, (1, &[bad])])), default, "{bad}");
    }
    for key in [5, 6, u32::MAX] {
        assert_eq!(of(&spec, &rows(&[(key, &[1.0]), good])), default, "{key}");
    }
    assert_eq!(of(&spec, &rows(&[good; 9])), default);
    assert_eq!(of(&spec, &rows(&[good; 8])), [(0, vec![4])]);
    assert_eq!(contribution(&spec, &SelectionKey::new([3; 16]), &UNIT, None), default);
}

#[test]
fn the_keys_that_are_kept_are_those_of_the_query_fold() {
    use siphasher::sip::SipHasher24;
    let spec = spec(2, &[(0, 9, 1.0)]);
    let emitted = rows(&[(3, &[1.0]), (0, &[2.0]), (4, &[3.0]), (1, &[4.0]), (2, &[5.0])]);
    let rank = |key: u32| {
        let text: Vec<u8> = UNIT.iter().copied().chain(key.to_le_bytes()).collect();
        SipHasher24::new_with_key(&[3; 16]).hash(&text)
    };
    let mut keys = [0, 1, 2, 3, 4];
    keys.sort_by_key(|key| rank(*key));
    let mut kept: Vec<u32> = of(&spec, &emitted).iter().map(|(key, _)| *key).collect();
    kept.sort_by_key(|key| rank(*key));
    assert_eq!(kept, keys[..2]);
    // Another unit, or another secret, chooses otherwise somewhere.
    let chosen =
        |secret: u8, unit: u8| contribution(&spec, &SelectionKey::new([secret; 16]), &[unit; 16], Some(&emitted));
    assert!((0..50).any(|unit| chosen(3, unit) != chosen(3, 0)));
    assert!((0..50).any(|secret| chosen(secret, 0) != chosen(3, 0)));
}

#[test]
fn the_count_alone_needs_no_values() {
    let spec = spec(2, &[]);
    assert_eq!(of(&spec, &rows(&[(1, &[]), (1, &[]), (3, &[])])), [(1, vec![]), (3, vec![])]);
    assert_eq!(spec.linf(), [1]);
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits), -1e3..1e3, Just(f64::MAX), Just(f64::MIN)]
}

proptest! {
    #[test]
    fn a_unit_moves_no_more_than_it_may(
        bounds in prop::collection::vec((-1_000_i64..1_000, 0_i64..1_000, 1e-3..1e3), 1..4),
        max_keys in 1_u32..5,
        keys in prop::collection::vec(0_u32..6, 0..10),
        values in prop::collection::vec(any_value(), 30),
        unit in any::<[u8; 16]>(),
        secret in any::<[u8; 16]>(),
    ) {
        let bounds: Vec<_> = bounds.into_iter().map(|(low, wide, step)| (low, low + wide, step)).collect();
        let spec = spec(max_keys, &bounds);
        let emitted = Emitted { values: values[..keys.len() * bounds.len()].to_vec(), keys };
        let kept = contribution(&spec, &SelectionKey::new(secret), &unit, Some(&emitted));
        prop_assert!(kept.len() <= max_keys as usize);
        prop_assert!(kept.array_windows().all(|[(left, _), (right, _)]| left < right));
        let mut l1 = vec![0; bounds.len()];
        for (key, values) in &kept {
            prop_assert!(*key < spec.keys);
            prop_assert_eq!(values.len(), bounds.len());
            for ((value, (low, high, _)), l1) in values.iter().zip(&bounds).zip(&mut l1) {
                prop_assert!(low <= value && value <= high);
                *l1 += value.unsigned_abs();
            }
        }
        for (l1, linf) in l1.iter().zip(spec.linf()) {
            prop_assert!(*l1 <= u64::from(max_keys) * linf);
        }
    }
}

/// Rows of chunks: five of them always, clipped one by one, with two values and keys 0 to 4.
fn chunk_spec() -> MapSpec {
    let values = vec![ValueSpec { low: -5, high: 20, step: 1.0 }, ValueSpec { low: 1, high: 1, step: 1.0 }];
    let default = DefaultRow { key: 4, values: vec![7, 1] };
    MapSpec { max_rows: 5, bounding: Bounding::Rows, values, count_units: false, default, ..spec(5, &[]) }
}

#[test]
fn a_chunk_counts_as_all_of_its_rows_each_clipped_on_its_own() {
    let spec = chunk_spec();
    // Two rows under key 2: 20 and −5, where a unit's sum would be clipped once; three default rows.
    let emitted = rows(&[(2, &[1e300, 0.0]), (2, &[-99.0, 5.0])]);
    assert_eq!(of(&spec, &emitted), [(2, vec![15, 2]), (4, vec![21, 3])]);
    assert_eq!(of(&spec, &rows(&[])), [(4, vec![35, 5])]);
    let none = contribution(&spec, &SelectionKey::new([3; 16]), &UNIT, None);
    assert_eq!(none, [(4, vec![35, 5])]);
    // A key that is not declared, a row too many, a number that is none: all of the chunk is default rows.
    let full: Vec<(u32, &[f64])> = vec![(0, &[1.0, 1.0]); 6];
    for unsound in [rows(&[(0, &[1.0, 1.0]), (5, &[1.0, 1.0])]), rows(&full), rows(&[(0, &[f64::NAN, 1.0])])] {
        assert_eq!(of(&spec, &unsound), [(4, vec![35, 5])]);
    }
}

proptest! {
    #[test]
    fn whatever_a_chunk_emits_it_has_as_many_rows_and_each_lies_in_its_range(
        emitted in proptest::collection::vec((0_u32..7, any::<f64>()), 0..8)
    ) {
        let spec = chunk_spec();
        let emitted = Emitted {
            keys: emitted.iter().map(|(key, _)| *key).collect(),
            values: emitted.iter().flat_map(|(_, value)| [*value, 0.0]).collect(),
        };
        let counted = of(&spec, &emitted);
        prop_assert_eq!(counted.iter().map(|(_, values)| values[1]).sum::<i64>(), 5);
        for (_, values) in counted {
            // The second value counts the rows under this key.
            prop_assert!((-5 * values[1]..=20 * values[1]).contains(&values[0]), "{:?}", values);
        }
    }
}
