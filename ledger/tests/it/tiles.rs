//! The layout of tiles and bundles, with the examples of c2sp.org/tlog-tiles.

use glovebox_ledger::tlog::tile::{FULL_WIDTH, Tile, TileKind, decode_bundle, decode_hashes, encode_bundle};
use proptest::prelude::*;

fn path(level: u8, index: u64, width: u16) -> String {
    Tile::hashes(level, index, width).unwrap().to_string()
}

#[test]
fn paths_are_those_of_the_specification() {
    assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(path(0, 0, 256), "tile/0/000");
    assert_eq!(path(63, 999, 1), "tile/63/999.p/1");
    assert_eq!(path(1, 1000, 255), "tile/1/x001/000.p/255");
    assert_eq!(path(2, 1_000_000, 8), "tile/2/x001/x000/000.p/8");
    assert_eq!(path(0, u64::MAX, 256), "tile/0/x018/x446/x744/x073/x709/x551/615");
    assert_eq!(Tile::entries(67, 256).unwrap().to_string(), "tile/entries/067");
    assert_eq!(Tile::entries(1067, 3).unwrap().to_string(), "tile/entries/x001/067.p/3");
    assert_eq!((Tile::hashes(64, 0, 1), Tile::hashes(0, 0, 0), Tile::entries(0, 257)), (None, None, None));
}

#[test]
fn a_tree_of_70000_entries_has_the_tiles_of_the_specification() {
    let tiles: Vec<Tile> = Tile::all_of(70_000).collect();
    let count = |level, full: bool| {
        let of = |tile: &&Tile| tile.kind() == TileKind::Hashes { level } && (tile.width() == FULL_WIDTH) == full;
        tiles.iter().filter(of).count()
    };
    assert_eq!((count(0, true), count(0, false), count(1, true), count(1, false)), (273, 1, 1, 1));
    assert_eq!((count(2, true), count(2, false), count(3, false)), (0, 1, 0));
    for (level, index, width) in [(0, 273, 112), (1, 1, 17), (2, 0, 1)] {
        assert!(tiles.contains(&Tile::hashes(level, index, width).unwrap()), "level {level}");
    }
    let bundles = tiles.iter().filter(|tile| tile.kind() == TileKind::Entries);
    assert_eq!(bundles.map(|bundle| u64::from(bundle.width())).sum::<u64>(), 70_000);
    let paths = |size| Tile::all_of(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(paths(1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
    assert!(paths(0).is_empty());
}

#[test]
fn a_tile_is_of_a_log_exactly_if_it_is_listed() {
    for size in (0..1200).chain([65_535, 65_536, 65_537]) {
        let listed: Vec<Tile> = Tile::all_of(size).collect();
        assert!(listed.iter().all(|tile| tile.is_of(size) && tile.is_within(size)), "size {size}");
        for (level, index) in [(0, 0), (0, 1), (0, 4), (1, 0), (1, 1), (2, 0), (63, 0), (0, u64::MAX)] {
            for width in 1..=FULL_WIDTH {
                let tile = Tile::hashes(level, index, width).unwrap();
                assert_eq!(tile.is_of(size), listed.contains(&tile), "{tile} of {size}");
                let larger =
                    |other: &Tile| other.index() == index && other.kind() == tile.kind() && other.width() >= width;
                assert_eq!(tile.is_within(size), listed.iter().any(larger), "{tile} within {size}");
            }
        }
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/+01",
        "tile/0/-01",
        "tile/00/001",
        "tile/64/001",
        "tile/256/001",
        "tile/-1/001",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/x000/001",
        "tile/0/x001/x067",
        "tile/0/xx001/067",
        "tile/0/001.p",
        "tile/0/001.p/",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/08",
        "tile/0/001.p/+8",
        "tile/0/001.p/8/",
        "tile/0/001.p/8.p/8",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/999/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/data/001",
        "tile/entries/001/",
        "tile/entries/../../secret",
        "/tile/0/001",
        "tile/0/００１",
    ] {
        assert_eq!(Tile::from_path(bad), None, "{bad}");
    }
}

#[test]
fn bundles_have_lengths_of_two_bytes() {
    let entries: [&[u8]; 3] = [b"ab", b"", &[7; 65_535]];
    let bundle = encode_bundle(entries).unwrap();
    assert_eq!(bundle[..8], [0, 2, b'a', b'b', 0, 0, 0xff, 0xff]);
    assert_eq!(decode_bundle(&bundle).unwrap(), entries);
    assert_eq!(encode_bundle([vec![0; 65_536]]), None);
    for cut in [1, 3, 7, bundle.len() - 1] {
        assert_eq!(decode_bundle(&bundle[..cut]), None, "{cut}");
    }
    assert_eq!(decode_bundle(&[]), Some(vec![]));
    assert_eq!((decode_hashes(&[1; 64]).map(<[_]>::len), decode_hashes(&[1; 65])), (Some(2), None));
}

proptest! {
    #[test]
    fn a_path_reads_back(level in 0..64_u8, index: u64, width in 1..=FULL_WIDTH) {
        for tile in [Tile::hashes(level, index, width).unwrap(), Tile::entries(index, width).unwrap()] {
            prop_assert_eq!(Tile::from_path(&tile.to_string()), Some(tile));
            let _ = (tile.is_within(index), tile.is_of(index));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(path in "(tile/)?(entries|[0-9]{1,3})/[x0-9/.p]{0,40}", bytes: Vec<u8>) {
        if let Some(tile) = Tile::from_path(&path) {
            prop_assert_eq!(tile.to_string(), path);
        }
        if let Some(entries) = decode_bundle(&bytes) {
            prop_assert_eq!(encode_bundle(entries), Some(bytes));
        }
    }
}
