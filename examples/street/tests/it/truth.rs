//! The truth: within the declared privacy unit, where it says in the pictures, and gone without somebody.

use std::collections::BTreeSet;

use glovebox_street::{Class, FRAMES_PER_SECOND, LINE, LONGEST_S, MOST_SEGMENTS, Scene, actor::PARTS};
use proptest::prelude::*;

#[test]
fn three_minutes_have_these_crossings() {
    let scene = Scene::new(1, 180);
    let counts = Class::ALL.map(|class| scene.truth().count(class, 0, scene.frames()));
    assert_eq!(counts, [44, 13, 21], "vehicles, cyclists, pedestrians");
    assert_eq!(scene.truth().crossings().count(), counts.iter().sum::<usize>());
    let returning = scene.truth().actors.iter().filter(|actor| actor.segments.len() == 2).count();
    assert_eq!(returning, 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nobody is in view longer or more often than is declared, and crossings are where the middle passes the line.
    #[test]
    fn everybody_keeps_to_the_declared_unit(seed in any::<u64>()) {
        let scene = Scene::new(seed, 240);
        let ids: BTreeSet<u32> = scene.truth().actors.iter().map(|actor| actor.id).collect();
        prop_assert_eq!(ids.len(), scene.truth().actors.len());
        for actor in &scene.truth().actors {
            prop_assert!((1..=MOST_SEGMENTS as usize).contains(&actor.segments.len()), "{:?}", actor);
            prop_assert!(actor.segments.array_windows().all(|[one, two]| one.last < two.first), "{:?}", actor);
            for segment in &actor.segments {
                // The instants of the first and the last frame lie this far apart.
                prop_assert!((segment.frames() - 1) <= LONGEST_S * FRAMES_PER_SECOND, "{:?}", segment);
                prop_assert!(segment.last < scene.frames());
                if let Some(crossing) = segment.crossing {
                    let beyond = |frame: u32| segment.middle(frame) >= LINE * PARTS;
                    prop_assert_ne!(beyond(crossing.frame), beyond(crossing.frame - 1));
                }
            }
        }
    }
}

/// Neighbours: without somebody, frames differ only while that one is in view, and then only around where the truth says.
#[test]
fn footage_without_somebody_differs_only_while_that_one_is_in_view() {
    let scene = Scene::new(3, 120);
    for class in Class::ALL {
        let actor = scene.truth().actors.iter().rfind(|actor| actor.class == class).unwrap();
        let without = scene.without(actor.id);
        let mut seen = 0;
        for number in 0..scene.frames() {
            let (with, rest) = (scene.frame(number), without.frame(number));
            let Some(segment) = actor.segments.iter().find(|s| (s.first..=s.last).contains(&number)) else {
                assert_eq!(with, rest, "{class:?} in frame {number}");
                continue;
            };
            let middle = segment.middle(number) / PARTS;
            let (length, height) = class.size();
            for (place, _) in with.iter().zip(&rest).enumerate().filter(|(_, (one, other))| one != other) {
                let (row, column) = ((place / glovebox_street::WIDTH) as i32, (place % glovebox_street::WIDTH) as i32);
                assert!(
                    (column - middle).abs() <= length && (row - actor.row).abs() <= height,
                    "{class:?} in {number}"
                );
                seen += 1;
            }
        }
        assert!(seen > 100, "{class:?} cannot be seen");
    }
}

/// Somebody is in at most K·(1 + ⌈ρ/c⌉) chunks: the figure that noise for a video job is made from.
#[test]
fn nobody_is_in_more_chunks_than_noise_is_made_for() {
    let scene = Scene::new(11, 600);
    for chunk_s in [1, 5, 7, 30] {
        let chunk = chunk_s * FRAMES_PER_SECOND;
        let most = MOST_SEGMENTS * (1 + LONGEST_S.div_ceil(chunk_s));
        for actor in &scene.truth().actors {
            let chunks = actor.segments.iter().flat_map(|s| s.first / chunk..=s.last / chunk).collect::<BTreeSet<_>>();
            assert!(chunks.len() <= most as usize, "{chunk_s} s: {actor:?}");
        }
    }
}
