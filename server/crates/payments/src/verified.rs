//! The only place where verified events are made.

use aws_lc_rs::digest::{SHA256, digest};
use domain::payment_event::{EventFacts, VerifiedEvent};

/// The event of a message whose signature the caller has verified.
#[expect(clippy::disallowed_methods, reason = "the one call behind the channels' signature checks")]
pub fn event(facts: EventFacts) -> VerifiedEvent {
    VerifiedEvent::from_verified_signature(facts)
}

pub fn sha256(message: &[u8]) -> Vec<u8> {
    digest(&SHA256, message).as_ref().to_vec()
}
