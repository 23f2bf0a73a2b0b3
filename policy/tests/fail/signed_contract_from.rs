//! No conversion makes a contract signed, and a signed one does not change.

use glovebox_policy::{Contract, SignedContract};

fn convert(contract: Contract) -> SignedContract {
    contract.into()
}

fn enrich(signed: &SignedContract) {
    signed.contract().max_groups_contributed = 65_536;
}

fn main() {}
