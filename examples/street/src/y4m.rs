//! Footage as a file: Y4M, the plain container that ffmpeg and players read, gray with one byte for each pixel.

use std::io::{self, Write};

use crate::{FRAMES_PER_SECOND, HEIGHT, Scene, WIDTH};

/// Writes all frames of a scene.
///
/// # Errors
/// What `out` says.
pub fn write(scene: &Scene, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAMES_PER_SECOND}:1 Ip A1:1 Cmono")?;
    for number in 0..scene.frames() {
        out.write_all(b"FRAME\n")?;
        out.write_all(&scene.frame(number))?;
    }
    Ok(())
}
