//! Tiles and entry bundles, and the paths under which they are served: <https://c2sp.org/tlog-tiles>.
//!
//! A tile of level `l` holds up to 256 hashes of 32 bytes, each over 256^l entries; a bundle holds up to 256 entries, each
//! behind its length in two bytes, big-endian. The rightmost ones of a tree may be partial.

use std::fmt;

use super::proof::Hash;
use crate::log::ENTRY_MAX_BYTES;

/// How many hashes or entries a full tile or bundle has.
pub const FULL_WIDTH: u16 = 256;

/// Tree levels between the hashes of a tile and those of the tile above.
pub(crate) const TILE_HEIGHT: u8 = 8;

/// The highest level of a tile that a path can name.
const LEVEL_MAX: u8 = 63;

/// The largest bundle, in bytes.
pub const BUNDLE_MAX_BYTES: usize = FULL_WIDTH as usize * (2 + ENTRY_MAX_BYTES);

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// The entries themselves.
    Entries,
    /// Hashes, each over 256^level entries.
    Hashes {
        /// The level, from 0 for the hashes of entries to 63.
        level: u8,
    },
}

/// The name of a tile or bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile number `index` of hashes of `level` with `width` hashes; `None` if `level` is above 63 or `width` is not
    /// from 1 to 256.
    pub fn hashes(level: u8, index: u64, width: u16) -> Option<Self> {
        (level <= LEVEL_MAX).then_some(())?;
        Self::new(TileKind::Hashes { level }, index, width)
    }

    /// The bundle number `index` with `width` entries; `None` if `width` is not from 1 to 256.
    pub fn entries(index: u64, width: u16) -> Option<Self> {
        Self::new(TileKind::Entries, index, width)
    }

    fn new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        (1..=FULL_WIDTH).contains(&width).then_some(Self { kind, index, width })
    }

    /// What it holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its number on its level, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, from 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether a log of `size` entries has what this tile holds.
    pub fn is_within(&self, size: u64) -> bool {
        let available = width_of_level(self.level(), size);
        let end = self.index.checked_mul(FULL_WIDTH.into()).and_then(|start| start.checked_add(self.width.into()));
        end.is_some_and(|end| end <= available)
    }

    /// Whether this is one of [`Tile::all_of`] a log of `size` entries: the only width that its newest checkpoint asks for.
    pub fn is_of(&self, size: u64) -> bool {
        let available = width_of_level(self.level(), size);
        let start = self.index.checked_mul(FULL_WIDTH.into());
        let here = start.and_then(|start| available.checked_sub(start)).map(|here| here.min(FULL_WIDTH.into()));
        here == Some(self.width.into())
    }

    fn level(&self) -> u8 {
        match self.kind {
            TileKind::Entries => 0,
            TileKind::Hashes { level } => level,
        }
    }

    /// Every tile and bundle of a log of `size` entries: bundles first, then levels upwards, each from left to right.
    pub fn all_of(size: u64) -> impl Iterator<Item = Self> {
        let levels = (0..=LEVEL_MAX).map(|level| TileKind::Hashes { level });
        let kinds = std::iter::once(TileKind::Entries).chain(levels);
        kinds.flat_map(move |kind| {
            let level = Self { kind, index: 0, width: FULL_WIDTH }.level();
            let hashes = width_of_level(level, size);
            let full = hashes / u64::from(FULL_WIDTH);
            let rest = u16::try_from(hashes % u64::from(FULL_WIDTH)).unwrap_or(0);
            let partial = (rest > 0).then_some(Self { kind, index: full, width: rest });
            (0..full).map(move |index| Self { kind, index, width: FULL_WIDTH }).chain(partial)
        })
    }

    /// Reads a path below the log's prefix, such as `tile/0/x001/067.p/8` or `tile/entries/000`.
    pub fn from_path(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: level.parse().ok().filter(|level| *level <= LEVEL_MAX)? },
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| *width < FULL_WIDTH)?),
            None => (rest, FULL_WIDTH),
        };
        let index = number.split('/').try_fold(0_u64, |index, group| {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
        })?;
        // A tile has one path only, whatever else can be read as its numbers.
        Self::new(kind, index, width).filter(|tile| tile.to_string() == path)
    }
}

/// The path below the log's prefix.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        while rest >= 1000 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        if !groups.is_empty() {
            write!(f, "x{rest:03}/")?;
            rest = groups.remove(0);
            for group in groups.into_iter().rev() {
                write!(f, "x{group:03}/")?;
            }
        }
        write!(f, "{rest:03}")?;
        if self.width < FULL_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// How many hashes of `level` a tree of `size` entries has: `size / 256^level`.
fn width_of_level(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0)
}

/// The bytes of a bundle. `None` if an entry is too long for its length field.
pub fn encode_bundle<B: AsRef<[u8]>>(entries: impl IntoIterator<Item = B>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        out.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Some(out)
}

/// The entries of a bundle. `None` if the bytes end in the middle of one.
pub fn decode_bundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bytes = rest;
    }
    Some(entries)
}

/// The hashes of a tile. `None` if the bytes are not a whole number of hashes.
pub fn decode_hashes(bytes: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = bytes.as_chunks();
    rest.is_empty().then_some(hashes)
}
