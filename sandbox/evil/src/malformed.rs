//! Bytes that are no module, or nearly one.

use crate::attack::Attack;

/// What every WebAssembly binary begins with: magic and version 1.
const PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

/// Bytes after the preamble.
fn with_preamble(tail: &[u8]) -> Vec<u8> {
    [PREAMBLE.as_slice(), tail].concat()
}

/// The honest module with its first byte-sequence `from` replaced.
fn replaced(honest: &[u8], at: usize, with: u8) -> Vec<u8> {
    let mut bytes = honest.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte = with;
    }
    bytes
}

/// Bytes that look random and are the same every time.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)).to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(bytes).collect()
}

/// A section: its number, its length, its bytes. Lengths here are below 128 and take one byte.
fn section(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX) & 0x7F;
    [&[number, length], body].concat()
}

/// The sections of a binary, each with its head, in their order.
fn sections(module: &[u8]) -> Vec<Vec<u8>> {
    let mut sections = Vec::new();
    let mut rest = module.get(PREAMBLE.len()..).unwrap_or_default();
    while let Some((_, after)) = rest.split_first() {
        let (mut length, mut shift, mut head) = (0_usize, 0, 1);
        for byte in after {
            head += 1;
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (one, tail) = rest.split_at((head + length).min(rest.len()));
        sections.push(one.to_vec());
        rest = tail;
    }
    sections
}

fn swapped(honest: &[u8]) -> Vec<u8> {
    let mut all = sections(honest);
    all.reverse();
    with_preamble(&all.concat())
}

fn doubled(honest: &[u8]) -> Vec<u8> {
    let all = sections(honest);
    let first = all.first().cloned().unwrap_or_default();
    with_preamble(&[first, all.concat()].concat())
}

fn without_code(honest: &[u8]) -> Vec<u8> {
    let kept = sections(honest).into_iter().filter(|section| section.first() != Some(&10));
    with_preamble(&kept.flatten().collect::<Vec<u8>>())
}

/// All of them, some of them made of the honest module.
pub(crate) fn all(honest: &[u8]) -> Vec<Attack> {
    let half = honest.get(..honest.len() / 2).unwrap_or_default().to_vec();
    let most = honest.get(..honest.len().saturating_sub(1)).unwrap_or_default().to_vec();
    let huge_count = section(1, &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
    let endless = section(1, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]);
    let lying = [section(1, &[0]).as_slice(), &[3, 0x7F, 0]].concat();
    let made = [
        ("malformed-empty", "No bytes.", Vec::new()),
        ("malformed-preamble-only", "A module of nothing: well formed, and without any export.", PREAMBLE.to_vec()),
        ("malformed-magic", "Another magic number.", replaced(honest, 0, 0x7F)),
        ("malformed-version", "Version 2.", replaced(honest, 4, 2)),
        ("malformed-component", "The head of a component in place of a core module's.", replaced(honest, 6, 1)),
        (
            "malformed-text",
            "WebAssembly text in place of a binary: a friendly library would compile it.",
            b"(module)".to_vec(),
        ),
        ("malformed-half", "The first half of the honest module.", half),
        ("malformed-one-byte-less", "The honest module without its last byte.", most),
        ("malformed-tail", "The honest module with a byte behind it.", [honest, &[0xFF]].concat()),
        ("malformed-noise", "4,096 random bytes.", noise(4_096, 1)),
        ("malformed-noise-inside", "A preamble and 4,096 random bytes.", with_preamble(&noise(4_096, 2))),
        ("malformed-order", "The honest module's sections in reverse.", swapped(honest)),
        ("malformed-twice", "Its first section twice.", doubled(honest)),
        ("malformed-no-code", "Functions without their code.", without_code(honest)),
        ("malformed-count", "A section that claims 2³² − 1 types in 5 bytes.", with_preamble(&huge_count)),
        ("malformed-number", "A number that goes on for 10 bytes.", with_preamble(&endless)),
        ("malformed-length", "A section that claims to be longer than the module.", with_preamble(&lying)),
        ("malformed-section", "A section of a number that does not exist.", with_preamble(&section(77, &[0; 8]))),
        ("malformed-elf", "The head of an ELF file.", [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 57]].concat()),
        ("malformed-archive", "A zip archive's head.", [b"PK\x03\x04".as_slice(), &[0; 60]].concat()),
    ];
    made.into_iter().map(|(name, about, bytes)| Attack::made(name, about, bytes)).collect()
}
