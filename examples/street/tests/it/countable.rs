//! The crossings can be counted from the pictures: a plain counter that sees chunks comes near the truth.

use glovebox_street::{Class, Direction, FRAMES_PER_SECOND, Scene, count};

#[test]
fn a_plain_counter_comes_near_the_truth() {
    let scene = Scene::new(1, 600);
    let frames: Vec<Vec<u8>> = (0..scene.frames()).map(|number| scene.frame(number)).collect();
    let counted = |chunk_s: u32, class, most: usize| {
        let chunks = frames.chunks((chunk_s * FRAMES_PER_SECOND) as usize);
        chunks.map(|chunk| count::crossings(chunk, class).min(most)).sum::<usize>()
    };
    // The figures of README.md: truth, counted 10 s at a time and 30 s at a time; and that the example job's ranges cut nothing.
    for (class, figures, most) in
        [(Class::Vehicle, [144, 142, 144], 8), (Class::Cyclist, [44, 43, 44], 2), (Class::Pedestrian, [76, 70, 72], 4)]
    {
        let truth = scene.truth().count(class, 0, scene.frames());
        assert_eq!([truth, counted(10, class, usize::MAX), counted(30, class, usize::MAX)], figures, "{class:?}");
        assert_eq!(counted(10, class, most), counted(10, class, usize::MAX), "{class:?}");
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
