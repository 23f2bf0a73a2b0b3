//! A street seen by a fixed camera: vehicles, cyclists and pedestrians, their shadows, a cloud, drifting exposure, sensor
//! noise, and the truth about who crossed the counting line when.
//!
//! There is no footage of a real street that may be committed here, so this one is drawn: from a seed, with integers only, the
//! same bytes on every machine. It reads no clock, no file and no other source of chance, and nothing of the product depends
//! on it.
//!
//! ```
//! let scene = glovebox_street::Scene::new(1, 60);
//! let picture = scene.frame(0);
//! assert_eq!(picture.len(), glovebox_street::WIDTH * glovebox_street::HEIGHT);
//! let crossings = scene.truth().crossings().count();
//! assert!(crossings > 0);
//! ```
//!
//! Read [`chance`] (the generator), [`actor`] (who there is, where and when: the truth), [`paint`] (a frame), [`scene`] (both
//! together, and the same footage without somebody), [`count`] (crossings counted from frames alone), [`y4m`] (footage as a file).

pub mod actor;
pub mod chance;
pub mod count;
pub mod paint;
pub mod scene;
pub mod y4m;

pub use actor::{Actor, Class, Crossing, Direction, Segment, Truth};
pub use scene::Scene;

/// Pixels of a row.
pub const WIDTH: usize = 160;

/// Rows of a frame.
pub const HEIGHT: usize = 90;

/// Frames of a second.
pub const FRAMES_PER_SECOND: u32 = 5;

/// The counting line: a crossing is when the middle of somebody passes this column.
pub const LINE: i32 = 80;

/// How long somebody is in view at a time, in seconds, at most: ρ of the privacy unit, as a bureau would declare it.
pub const LONGEST_S: u32 = 60;

/// How often somebody comes into view at most: K of the privacy unit.
pub const MOST_SEGMENTS: u32 = 2;
