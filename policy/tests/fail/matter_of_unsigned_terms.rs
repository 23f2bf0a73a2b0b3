//! A decision rests on a contract that an officer signed, not on terms that anybody can write.

use glovebox_policy::Contract;
use glovebox_policy::decide::Matter;

fn widen<'a>(matter: Matter<'a>, wider: &'a Contract) -> Matter<'a> {
    Matter { contract: wider, ..matter }
}

fn main() {}
