//! `cargo run -p glovebox-street -- FILE [SECONDS [SEED]]`: writes footage of the street, ten minutes of seed 1 unless told.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use glovebox_street::{Scene, y4m};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let file = words.next().ok_or("name the file to write, such as street.y4m")?;
    let seconds = words.next().map_or(Ok(600), |word| word.parse())?;
    let seed = words.next().map_or(Ok(1), |word| word.parse())?;
    let mut out = BufWriter::new(File::create(file)?);
    y4m::write(&Scene::new(seed, seconds), &mut out)?;
    Ok(out.flush()?)
}
