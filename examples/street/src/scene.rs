//! A street, its truth and its frames.

use crate::actor::{self, Truth};
use crate::{FRAMES_PER_SECOND, paint};

/// The longest scene, in seconds: a day.
pub const MAX_SECONDS: u32 = 86_400;

/// Footage of a street.
#[derive(Debug, Clone)]
pub struct Scene {
    seed: u64,
    frames: u32,
    street: Vec<u8>,
    truth: Truth,
}

impl Scene {
    /// The street of a seed for so many seconds, at most [`MAX_SECONDS`].
    pub fn new(seed: u64, seconds: u32) -> Self {
        let frames = seconds.min(MAX_SECONDS) * FRAMES_PER_SECOND;
        Self { seed, frames, street: paint::street(seed), truth: actor::truth(seed, frames) }
    }

    /// The same footage without somebody: a neighbour in the sense of the promise. Everybody else is where they were.
    #[must_use]
    pub fn without(&self, id: u32) -> Self {
        let mut scene = self.clone();
        scene.truth.actors.retain(|actor| actor.id != id);
        scene
    }

    /// How many frames there are.
    pub const fn frames(&self) -> u32 {
        self.frames
    }

    /// Who is in view when, and who crosses the line.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// A frame: [`crate::WIDTH`] × [`crate::HEIGHT`] bytes of brightness, row by row from the top. Any number has a picture; after the
    /// last frame nobody is there any more.
    pub fn frame(&self, number: u32) -> Vec<u8> {
        paint::frame(self.seed, &self.street, &self.truth.actors, number)
    }
}
