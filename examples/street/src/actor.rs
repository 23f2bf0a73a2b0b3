//! Who is on the street, where and when: the truth, from which frames are drawn.

use crate::chance::Chance;
use crate::{FRAMES_PER_SECOND, LINE, WIDTH};

/// Parts of a pixel in which places are counted.
pub const PARTS: i32 = 256;

/// How far to the right and down a shadow falls, in pixels.
pub(crate) const SHADOW: (i32, i32) = (2, 3);

/// Frames before the first that the street fills up in.
const LEAD: i32 = 60 * FRAMES_PER_SECOND as i32;

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A car or van.
    Vehicle,
    /// Somebody on a bicycle.
    Cyclist,
    /// Somebody on foot.
    Pedestrian,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vehicle, Self::Cyclist, Self::Pedestrian];

    /// Length along the street and height in the picture, in pixels.
    pub const fn size(self) -> (i32, i32) {
        match self {
            Self::Vehicle => (24, 9),
            Self::Cyclist => (9, 5),
            Self::Pedestrian => (4, 7),
        }
    }
}

/// Which way somebody goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From right to left.
    Left,
    /// From left to right.
    Right,
}

impl Direction {
    const fn sign(self) -> i32 {
        match self {
            Self::Left => -1,
            Self::Right => 1,
        }
    }

    const fn back(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// The moment at which the middle of somebody has passed the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// The first frame in which it is on the other side.
    pub frame: u32,
    /// From which side.
    pub direction: Direction,
}

/// One stretch of time in which somebody, or a shadow, is in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The first frame.
    pub first: u32,
    /// The last frame.
    pub last: u32,
    /// The crossing of the line, if it happens while the camera looks.
    pub crossing: Option<Crossing>,
    walk: Walk,
}

impl Segment {
    /// How many frames it lasts.
    pub const fn frames(&self) -> u32 {
        self.last - self.first + 1
    }

    /// The column of the middle in a frame, in parts of a pixel ([`PARTS`]).
    pub const fn middle(&self, frame: u32) -> i32 {
        self.walk.middle(frame as i32)
    }
}

/// A way along the street at a constant speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Walk {
    direction: Direction,
    /// Parts of a pixel in a frame.
    speed: i32,
    /// The frame in which the front reaches the picture; may lie before the first.
    enters: i32,
    length: i32,
}

impl Walk {
    const fn middle(self, frame: i32) -> i32 {
        let begin = match self.direction {
            Direction::Right => -self.length * PARTS / 2,
            Direction::Left => (WIDTH as i32 + self.length / 2) * PARTS,
        };
        begin + self.direction.sign() * self.speed * (frame - self.enters)
    }

    fn in_view(self, frame: i32) -> bool {
        let (left, right) = columns(self.middle(frame), self.length);
        right + SHADOW.0 > 0 && left < WIDTH as i32
    }

    /// Frames from the first to the last in view, of all times.
    fn span(self) -> (i32, i32) {
        let far = (WIDTH as i32 + self.length + SHADOW.0 + 2) * PARTS / self.speed + 2;
        let seen = |frame: &i32| self.in_view(*frame);
        let first = (self.enters - 2..self.enters + far).find(seen).unwrap_or(self.enters);
        let last = (first..self.enters + far).rev().find(seen).unwrap_or(first);
        (first, last)
    }

    /// The part of it that the camera sees.
    fn segment(self, frames: u32) -> Option<Segment> {
        let (first, last) = self.span();
        let first = u32::try_from(first.max(0)).ok()?;
        let last = u32::try_from(last).ok()?.min(frames.checked_sub(1)?);
        let passed = |frame: u32| match self.direction {
            Direction::Right => self.middle(frame as i32) >= LINE * PARTS,
            Direction::Left => self.middle(frame as i32) < LINE * PARTS,
        };
        let frame = (first + 1..=last).find(|frame| passed(*frame) && !passed(frame - 1));
        let crossing = frame.map(|frame| Crossing { frame, direction: self.direction });
        (first <= last).then_some(Segment { first, last, crossing, walk: self })
    }
}

/// The columns from `.0` to before `.1` that something of this length covers.
pub(crate) const fn columns(middle: i32, length: i32) -> (i32, i32) {
    let left = (middle - length * PARTS / 2).div_euclid(PARTS);
    (left, left + length)
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// A number, from 0.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// The row of the middle, in pixels.
    pub row: i32,
    /// When it is in view: once or twice.
    pub segments: Vec<Segment>,
}

/// Everybody who is ever in view, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Everybody.
    pub actors: Vec<Actor>,
}

impl Truth {
    /// All crossings, actor by actor.
    pub fn crossings(&self) -> impl Iterator<Item = (&Actor, Crossing)> {
        self.actors.iter().flat_map(|actor| actor.segments.iter().filter_map(move |s| Some((actor, s.crossing?))))
    }

    /// How many of a class cross from frame `first` to before frame `end`.
    pub fn count(&self, class: Class, first: u32, end: u32) -> usize {
        let inside = |crossing: Crossing| (first..end).contains(&crossing.frame);
        self.crossings().filter(|(actor, crossing)| actor.class == class && inside(*crossing)).count()
    }
}

/// A lane or pavement, and how busy it is.
struct Lane {
    class: Class,
    row: i32,
    /// `None` for both ways.
    direction: Option<Direction>,
    /// Parts of a pixel in a frame: from `.0` to before `.0 + .1`. Who cannot overtake goes at one speed.
    speed: (i32, u32),
    /// Frames between two: from `.0` to before `.0 + .1`.
    gap: (i32, u32),
    /// One in so many comes back; 0 for nobody.
    returns: u32,
}

const LANES: [Lane; 6] = [
    lane(Class::Vehicle, 44, Some(Direction::Left), (1_200, 1), (14, 50)),
    lane(Class::Vehicle, 58, Some(Direction::Right), (1_350, 1), (16, 60)),
    lane(Class::Cyclist, 36, Some(Direction::Left), (640, 1), (60, 160)),
    lane(Class::Cyclist, 67, Some(Direction::Right), (700, 1), (60, 160)),
    Lane { returns: 4, ..lane(Class::Pedestrian, 25, None, (190, 100), (40, 120)) },
    Lane { returns: 5, ..lane(Class::Pedestrian, 79, None, (190, 100), (40, 120)) },
];

const fn lane(class: Class, row: i32, direction: Option<Direction>, speed: (i32, u32), gap: (i32, u32)) -> Lane {
    Lane { class, row, direction, speed, gap, returns: 0 }
}

/// Everybody who is in view in the first `frames` frames of a seed's street.
pub(crate) fn truth(seed: u64, frames: u32) -> Truth {
    let mut actors = Vec::new();
    let end = i32::try_from(frames).unwrap_or(i32::MAX);
    for (number, lane) in (0_u64..).zip(&LANES) {
        let mut chance = Chance::new(seed, number);
        let mut enters = -LEAD;
        while enters < end {
            enters += lane.gap.0 + chance.below(lane.gap.1) as i32;
            let segments = lane.walks(enters, &mut chance).into_iter().filter_map(|walk| walk.segment(frames));
            let segments: Vec<Segment> = segments.collect();
            if !segments.is_empty() {
                actors.push(Actor { id: actors.len() as u32, class: lane.class, row: lane.row, segments });
            }
        }
    }
    Truth { actors }
}

impl Lane {
    /// The ways of the one who enters in this frame.
    fn walks(&self, enters: i32, chance: &mut Chance) -> Vec<Walk> {
        // Everything is drawn for everybody, so that who comes next does not depend on who turns back.
        let (way, turn, speed) = (chance.below(2), chance.below(self.returns.max(1)), chance.below(self.speed.1));
        let pause = 50 + chance.below(300) as i32;
        let direction = self.direction.unwrap_or(if way == 0 { Direction::Left } else { Direction::Right });
        let walk = Walk { direction, speed: self.speed.0 + speed as i32, enters, length: self.class.size().0 };
        let mut walks = vec![walk];
        if self.returns > 0 && turn == 0 {
            walks.push(Walk { direction: direction.back(), enters: walk.span().1 + pause, ..walk });
        }
        walks
    }
}
