//! A permit is made by a decision, not written down.

use glovebox_policy::{ContractId, Digest, Permit};

fn forge(request: Digest, contract: ContractId) -> Permit {
    Permit { request, contract, decision: request, record: Vec::new() }
}

fn main() {}
