//! Delivery reports that providers of text messages send over HTTP.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use domain::secret::Secret;
use model::ids::NotificationId;
use model::notification::NotificationReceipt;

/// The most reports in one request.
pub const MOST_RECEIPTS: usize = 1_000;

/// What a provider says became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub id: NotificationId,
    pub receipt: NotificationReceipt,
}

/// Why reports are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("the channel takes no reports")]
    NotSetUp,
    #[error("the key is wrong")]
    Key,
    #[error("the body cannot be read")]
    Body,
}

/// Compares the key of a request with that of the configuration, in the same time wherever they differ.
///
/// # Errors
/// [`ReceiptError::NotSetUp`] without a key, [`ReceiptError::Key`] with another one.
pub(crate) fn require_key(expected: &Secret, key: &str) -> Result<(), ReceiptError> {
    if expected.expose().is_empty() {
        return Err(ReceiptError::NotSetUp);
    }
    let hash = |text: &str| digest(&SHA256, text.as_bytes());
    verify_slices_are_equal(hash(expected.expose()).as_ref(), hash(key).as_ref()).map_err(|_| ReceiptError::Key)
}

/// A key that guards a route of the internet.
pub(crate) fn is_long_enough(key: &Secret) -> bool {
    key.expose().is_empty() || key.expose().len() >= 16
}

/// One report, or a list of them.
fn each(body: &[u8]) -> Result<Vec<serde_json::Value>, ReceiptError> {
    let reports = match serde_json::from_slice(body).map_err(|_| ReceiptError::Body)? {
        serde_json::Value::Array(reports) => reports,
        report => vec![report],
    };
    if reports.len() > MOST_RECEIPTS { Err(ReceiptError::Body) } else { Ok(reports) }
}

/// The receipts that `read` makes of the reports: `None` for what is no report, `Some(None)` for a message that another system
/// sent with the same account.
///
/// # Errors
/// [`ReceiptError::Body`] where a part is no report.
pub(crate) fn all(
    body: &[u8],
    read: impl Fn(serde_json::Value) -> Option<Option<Receipt>>,
) -> Result<Vec<Receipt>, ReceiptError> {
    let receipts = each(body)?.into_iter().map(|report| read(report).ok_or(ReceiptError::Body));
    receipts.filter_map(Result::transpose).collect()
}

pub(crate) const fn of(is_delivered: bool) -> NotificationReceipt {
    if is_delivered { NotificationReceipt::Delivered } else { NotificationReceipt::Undelivered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_opens() {
        assert_eq!(require_key(&"0123456789abcdef".into(), "0123456789abcdef"), Ok(()));
        assert_eq!(require_key(&"0123456789abcdef".into(), ""), Err(ReceiptError::Key));
        assert_eq!(require_key(&"".into(), ""), Err(ReceiptError::NotSetUp));
        assert!(is_long_enough(&"".into()) && !is_long_enough(&"short".into()));
    }

    #[test]
    fn reports_come_alone_or_as_a_list() {
        assert_eq!(each(b"{}").map(|reports| reports.len()), Ok(1));
        assert_eq!(each(b"[{},{}]").map(|reports| reports.len()), Ok(2));
        assert_eq!(each(b"<html>"), Err(ReceiptError::Body));
        assert_eq!(each(format!("[{}1]", "1,".repeat(MOST_RECEIPTS)).as_bytes()), Err(ReceiptError::Body));
    }
}
