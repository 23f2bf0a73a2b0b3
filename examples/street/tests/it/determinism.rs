//! The same seed gives the same bytes, today and elsewhere.

use glovebox_street::{HEIGHT, Scene, WIDTH};
use ring::digest::{Context, SHA256};

fn digest(scene: &Scene, frames: impl Iterator<Item = u32>) -> String {
    let mut context = Context::new(&SHA256);
    for number in frames {
        let picture = scene.frame(number);
        assert_eq!(picture.len(), WIDTH * HEIGHT);
        context.update(&picture);
    }
    hex::encode(context.finish())
}

#[test]
fn the_frames_of_a_seed_have_these_digests() {
    let scene = Scene::new(1, 180);
    assert_eq!(scene.frames(), 900);
    assert_eq!(digest(&scene, 0..1), "16b7acfada59094c1aa2bca431819bc57e330d88d14f90f39deb59c83b510fdd");
    assert_eq!(digest(&scene, 0..900), "cfe8aeff31725b23ec3f75aaab214b4689395be3d7440dc2a2801d1862645fc8");
}

#[test]
fn a_frame_depends_on_seed_and_number_alone() {
    let scene = Scene::new(7, 60);
    let later = scene.frame(250);
    let _ = scene.frame(3);
    assert_eq!(scene.frame(250), later, "whatever was drawn before");
    assert_eq!(Scene::new(7, 60).frame(250), later);
    assert_ne!(Scene::new(8, 60).frame(250), later);
    assert_ne!(scene.frame(251), later);
}

#[test]
fn nobody_is_there_after_the_end_and_an_empty_scene_has_no_frames() {
    let scene = Scene::new(7, 10);
    let mut empty = scene.clone();
    for actor in &scene.truth().actors {
        empty = empty.without(actor.id);
    }
    assert_eq!(scene.frame(50), empty.frame(50));
    assert_eq!((Scene::new(1, 0).frames(), Scene::new(1, 0).truth().actors.len()), (0, 0));
}
