//! The crossings can be counted from the pictures: a plain counter that sees chunks comes near the truth.

use glovebox_street::{Class, Direction, FRAMES_PER_SECOND, Scene, count};

#[test]
fn a_plain_counter_comes_near_the_truth() {
    let (scene, chunk) = (Scene::new(1, 600), 30 * FRAMES_PER_SECOND);
    let frames: Vec<Vec<u8>> = (0..scene.frames()).map(|number| scene.frame(number)).collect();
    for class in Class::ALL {
        let counted: usize = frames.chunks(chunk as usize).map(|chunk| count::crossings(chunk, class)).sum();
        let truth = scene.truth().count(class, 0, scene.frames());
        assert!(truth >= 20, "{class:?}: {truth}");
        assert!(counted.abs_diff(truth) * 100 <= truth * 10, "{class:?}: counted {counted}, true {truth}");
    }
    assert_eq!(count::crossings(&[], Class::Vehicle), 0);
    assert_eq!(count::crossings(&[vec![]], Class::Vehicle), 0);
}

#[test]
fn both_directions_are_there() {
    let scene = Scene::new(1, 180);
    for class in Class::ALL {
        for direction in [Direction::Left, Direction::Right] {
            let some = scene.truth().crossings().any(|(actor, c)| actor.class == class && c.direction == direction);
            assert!(some, "{class:?} {direction:?}");
        }
    }
}
