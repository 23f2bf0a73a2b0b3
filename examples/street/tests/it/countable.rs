//! The crossings can be counted from the pictures: a plain counter of one lane's line, chunk by chunk, comes near the truth.

use glovebox_street::{Class, Direction, FRAMES_PER_SECOND, LINE, Scene, WIDTH};

/// How far a pixel is from what it mostly is when somebody is there.
const FAR: u8 = 24;

/// A band of the picture along the line.
struct Band {
    class: Class,
    row: i32,
}

const BANDS: [Band; 6] = [
    Band { class: Class::Vehicle, row: 44 },
    Band { class: Class::Vehicle, row: 58 },
    Band { class: Class::Cyclist, row: 36 },
    Band { class: Class::Cyclist, row: 67 },
    Band { class: Class::Pedestrian, row: 25 },
    Band { class: Class::Pedestrian, row: 79 },
];

/// How often the line becomes covered in these frames, as a job would count that sees one chunk and nothing else.
fn count(frames: &[Vec<u8>], band: &Band) -> usize {
    let height = band.class.size().1;
    let rows = band.row - height / 2..band.row - height / 2 + height;
    let places: Vec<usize> = rows.map(|row| row as usize * WIDTH + LINE as usize).collect();
    let usual: Vec<u8> = places
        .iter()
        .map(|place| {
            let mut values: Vec<u8> = frames.iter().map(|frame| frame[*place]).collect();
            values.sort_unstable();
            values[values.len() / 2]
        })
        .collect();
    let covered = |frame: &Vec<u8>| {
        let far = places.iter().zip(&usual).filter(|(place, usual)| frame[**place].abs_diff(**usual) > FAR).count();
        far * 2 > places.len()
    };
    let covered: Vec<bool> = frames.iter().map(covered).collect();
    covered.array_windows().filter(|[before, now]| !before && *now).count()
}

#[test]
fn a_plain_counter_comes_near_the_truth() {
    let (scene, chunk) = (Scene::new(1, 600), 30 * FRAMES_PER_SECOND);
    let frames: Vec<Vec<u8>> = (0..scene.frames()).map(|number| scene.frame(number)).collect();
    for class in Class::ALL {
        let counted: usize = frames
            .chunks(chunk as usize)
            .flat_map(|chunk| BANDS.iter().filter(|band| band.class == class).map(|band| count(chunk, band)))
            .sum();
        let truth = scene.truth().count(class, 0, scene.frames());
        assert!(truth >= 20, "{class:?}: {truth}");
        assert!(counted.abs_diff(truth) * 100 <= truth * 10, "{class:?}: counted {counted}, true {truth}");
    }
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
