//! A refusal as gRPC says it.
//!
//! The message starts with the stable code, and the metadata `glovebox-code` holds the code alone, so that a client
//! need not parse words. Whatever reaches a client without that metadata did not come from us: [`coded`] replaces it.

use glovebox_policy::{Reason, Refusal};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The metadata that holds the stable code of a refusal.
pub const CODE_METADATA: &str = "glovebox-code";

/// The refusal as a gRPC status.
pub(crate) fn status_of(refusal: &Refusal) -> Status {
    let reason = refusal.reason();
    let mut status = Status::new(Code::from(reason.grpc().0), refusal.english());
    status.metadata_mut().insert(CODE_METADATA, MetadataValue::from_static(reason.code()));
    status
}

/// The refusal that stands for a status of the Flight library or of the transport, whose words are not ours.
///
/// They may name types of the implementation, so only the kind of fault is kept.
pub(crate) fn refusal_of(status: &Status) -> Refusal {
    match status.code() {
        Code::Unimplemented => Refusal::about(Reason::StatementRefused, "this call"),
        // The library says `internal` when it cannot unpack what the caller sent; our own faults carry our code.
        Code::InvalidArgument | Code::Internal => Reason::BadRequest.into(),
        Code::OutOfRange | Code::ResourceExhausted => {
            Refusal::about(Reason::BadRequest, "a message is longer than 64 KiB")
        }
        Code::Unauthenticated => Reason::Unauthenticated.into(),
        Code::Cancelled | Code::DeadlineExceeded | Code::Unavailable => Reason::Busy.into(),
        _ => Reason::Internal.into(),
    }
}

/// The status itself if it is a refusal of ours, else the refusal that stands for it.
pub(crate) fn coded(status: Status) -> Status {
    if status.metadata().contains_key(CODE_METADATA) { status } else { status_of(&refusal_of(&status)) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_code_first_and_in_the_metadata() {
        for reason in Reason::ALL {
            let status = status_of(&Refusal::about(*reason, "年龄 `x`"));
            assert!(status.message().starts_with(&format!("{}: ", reason.code())), "{reason}");
            assert_eq!(status.metadata().get(CODE_METADATA).unwrap().to_str().unwrap(), reason.code());
            assert_ne!(status.code(), Code::Ok);
            assert_ne!(status.code(), Code::Unknown, "{reason}");
            assert_eq!(coded(status.clone()).message(), status.message());
        }
    }

    #[test]
    fn foreign_words_never_pass() {
        for code in 1..=16 {
            let status = coded(Status::new(Code::from(code), "DataFusion error: src/plan.rs: canary"));
            assert!(!status.message().contains("canary"));
            assert!(status.metadata().contains_key(CODE_METADATA));
        }
    }
}
