//! Numbers that look random and are the same on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// A generator of its own for each purpose of each seed.
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed ^ mix(purpose)))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from 0 to `below` − 1; 0 when `below` is 0. The low numbers are likelier by less than one part in 2³².
    pub const fn below(&mut self, below: u32) -> u32 {
        // The upper half of a product of two 32-bit numbers fits 32 bits.
        (((self.bits() >> 32) * below as u64) >> 32) as u32
    }
}

/// A number that depends on all bits of `x`: SplitMix64's last step.
pub const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number for a place: the same for the same `seed`, `a`, `b` and `c`, whatever was asked before.
pub const fn at(seed: u64, a: u64, b: u64, c: u64) -> u64 {
    mix(mix(mix(seed ^ 0x5e7d).wrapping_add(a)).wrapping_add(b)).wrapping_add(mix(c))
}
