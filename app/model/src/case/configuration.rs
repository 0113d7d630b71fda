//! Details of cases about what is configured.

use serde::{Deserialize, Serialize};

use super::CertificateState;
use crate::order::Tender;
use crate::time::Timestamp;

/// A certificate that expires, or whose files cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryCase {
    /// The configuration key that names it, or the name of the gateway that showed it.
    pub key: String,
    /// Of the one in use; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// `None` more than 30 days before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<CertificateState>,
    /// Of the server's own: why the files that are there now cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A merchant at a payment channel that is switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOffCase {
    pub channel: Tender,
    /// Whether no payments can be made; otherwise only older ones cannot be queried and refunded.
    pub current: bool,
    /// The configuration key that is wrong.
    pub key: String,
}
