//! Web Push: a message is encrypted for one browser (RFC 8291), signed by the sender's key (RFC 8292), and posted to the push
//! service that the browser named. No I/O but the key's file. [`Receiver`] is the browser's side, which the simulator plays.

mod encryption;
mod receiver;
mod sender_key;
mod subscription;

pub use encryption::{MAX_TEXT, seal};
pub use receiver::{NotForReceiver, Receiver};
pub use sender_key::{KeyFileError, SenderKey};
pub use subscription::Subscription;

/// A cryptographic operation failed, for example because a key is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the subscription cannot be used")]
pub struct UnusableKey;

impl From<aws_lc_rs::error::Unspecified> for UnusableKey {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for UnusableKey {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}
