//! What a refusal quotes goes through the function that cuts it.

use glovebox_policy::{Public, Reason, Refusal};

fn unbounded(text: String) -> Refusal {
    Refusal { reason: Reason::Internal, about: Some(Public::from_request(text)) }
}

fn main() {}
