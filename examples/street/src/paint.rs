//! A frame: the street, shadows, bodies, then what a camera adds.

use crate::actor::{Actor, Class, SHADOW, columns};
use crate::chance::{at, mix};
use crate::{HEIGHT, WIDTH};

/// A factor of 1.
const WHOLE: i32 = 256;

/// What is left of the light in a shadow.
const IN_SHADOW: i32 = 150;

/// Frames between two points of the exposure's wandering.
const WANDER: u32 = 50;

/// Frames of one slow rise and fall of the exposure.
const SWELL: u32 = 900;

/// Purposes of [`at`].
const TEXTURE: u64 = 1;
const SENSOR: u64 = 2;
const EXPOSURE: u64 = 3;

/// The picture of the street in this frame with these actors, row by row from the top, one byte of brightness a pixel.
///
/// The camera adds what depends on the frame's number alone: who is in view changes no pixel but those of body and shadow.
/// A real camera's exposure answers to what it sees; this one does not, so that footage without somebody differs only while
/// that one would have been in view.
pub(crate) fn frame(seed: u64, street: &[u8], actors: &[Actor], number: u32) -> Vec<u8> {
    let mut light: Vec<i32> = street.iter().map(|pixel| i32::from(*pixel)).collect();
    let seen: Vec<(&Actor, i32)> = actors.iter().flat_map(|actor| places(actor, number)).collect();
    for (actor, middle) in &seen {
        let (length, height) = actor.class.size();
        let (left, right) = columns(*middle, length);
        let top = actor.row - height / 2;
        rectangle(
            &mut light,
            left + SHADOW.0,
            right + SHADOW.0,
            top + SHADOW.1,
            top + height + SHADOW.1,
            |pixel, _| pixel * IN_SHADOW / WHOLE,
        );
    }
    for (actor, middle) in &seen {
        body(&mut light, actor, *middle);
    }
    let exposure = exposure(seed, number);
    let pixels = light.iter().enumerate().map(|(place, light)| {
        let cloud = cloud((place % WIDTH) as i32, number);
        let noise = (at(seed, SENSOR, number.into(), place as u64) % 7) as i32 - 3;
        (light * exposure / WHOLE * cloud / WHOLE + noise).clamp(0, 255) as u8
    });
    pixels.collect()
}

/// The street without anybody.
pub(crate) fn street(seed: u64) -> Vec<u8> {
    let pixel = |row: i32, column: i32| {
        let grain = |span: u64| (at(seed, TEXTURE, row as u64, column as u64) % span) as i32;
        match row {
            // Houses with windows.
            0..20 if row % 9 > 2 && column % 14 > 5 => 60 + grain(9),
            0..20 => 110 + grain(17),
            // Pavements and their kerbs.
            20..31 | 73..84 => 150 + grain(9),
            31 | 72 => 190,
            // The marks between the two lanes.
            51 if column % 16 < 8 => 205,
            32..72 => 92 + grain(7),
            // A hedge.
            _ => 70 + grain(25),
        }
    };
    let rows = 0..HEIGHT as i32;
    let all = rows.flat_map(|row| (0..WIDTH as i32).map(move |column| pixel(row, column)));
    all.map(|pixel| pixel.clamp(0, 255) as u8).collect()
}

/// Where somebody is in a frame, if in view.
fn places(actor: &Actor, number: u32) -> impl Iterator<Item = (&Actor, i32)> {
    let now = actor.segments.iter().filter(move |segment| (segment.first..=segment.last).contains(&number));
    now.map(move |segment| (actor, segment.middle(number)))
}

/// Changes the pixels of a rectangle that are in the picture: `paint` gets what is there and the column within the rectangle.
fn rectangle(light: &mut [i32], left: i32, right: i32, top: i32, bottom: i32, paint: impl Fn(i32, i32) -> i32) {
    for row in top.max(0)..bottom.min(HEIGHT as i32) {
        for column in left.max(0)..right.min(WIDTH as i32) {
            if let Some(pixel) = light.get_mut(row as usize * WIDTH + column as usize) {
                *pixel = paint(*pixel, column - left);
            }
        }
    }
}

fn body(light: &mut [i32], actor: &Actor, middle: i32) {
    let (length, height) = actor.class.size();
    let (left, right) = columns(middle, length);
    let top = actor.row - height / 2;
    // Bright or dark, never like the ground.
    let own = (mix(0xb0d1 ^ u64::from(actor.id)) % 64) as i32;
    let tone = if own < 32 { 16 + own } else { 190 + own };
    match actor.class {
        Class::Vehicle => rectangle(light, left, right, top, top + height, |_, column| {
            // Windows, the same on both ends.
            if (4..7).contains(&column) || (17..20).contains(&column) { 45 } else { tone }
        }),
        Class::Cyclist => {
            rectangle(
                light,
                left,
                right,
                top,
                top + height,
                |_, column| {
                    if (3..6).contains(&column) { tone } else { 30 }
                },
            )
        }
        Class::Pedestrian => {
            rectangle(light, left, right, top, top + height, |_, _| if tone > 128 { 250 } else { tone })
        }
    }
}

/// The exposure of a frame as a factor: a slow swell, and a wandering between points that are [`WANDER`] frames apart.
fn exposure(seed: u64, number: u32) -> i32 {
    let turn = (number % SWELL) as i32;
    let half = (SWELL / 2) as i32;
    let swell = (turn - half).abs() * 52 / half - 26;
    let point = |knot: u32| (at(seed, EXPOSURE, knot.into(), 0) % 17) as i32 - 8;
    let (knot, part) = (number / WANDER, (number % WANDER) as i32);
    let span = WANDER as i32;
    WHOLE + swell + (point(knot) * (span - part) + point(knot + 1) * part) / span
}

/// A cloud's shadow that drifts over the street again and again, as a factor.
fn cloud(column: i32, number: u32) -> i32 {
    // A fifth of a pixel in a frame, over a stretch that is wider than the picture.
    let middle = (number as i32 / 5) % 480 - 120;
    WHOLE - (60 - (column - middle).abs()).max(0) / 2
}
