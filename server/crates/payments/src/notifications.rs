//! Notifications: verified by the merchant that they name, settled, and counted.

use http::HeaderMap;
use model::order::Tender;
use tokio::task::JoinHandle;

use super::Payments;
use super::channel::{Channel, Notification, NotificationError};
use super::merchant::Merchant;
use domain::payment_event::VerifiedEvent;

impl Payments {
    /// Verifies and parses a notification with the keys of the merchant that it names, after fetching new keys where necessary.
    ///
    /// # Errors
    /// [`NotificationError`] says why it is rejected; nothing of it may be used.
    pub async fn read_notification(
        &self,
        channel: Tender,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        let merchants: Vec<&Merchant> = self.merchants().iter().filter(|merchant| merchant.tender() == channel).collect();
        let mut verdict = verify_by_all(&merchants, headers, body);
        if verdict.is_a_key_unknown && self.refresh_keys(channel).await {
            verdict = verify_by_all(&merchants, headers, body);
        }
        if let Some(merchant) = verdict.merchant {
            merchant.health().notification(self.parts().1.now(), &verdict.result);
        }
        verdict.result
    }

    /// Fetches new keys of all merchants at a channel; whether there are any. Each in a task of its own: whoever sent a message
    /// could otherwise end the request, and with it the refresh that is due, by going away.
    async fn refresh_keys(&self, channel: Tender) -> bool {
        let all = self.merchants().iter().enumerate().filter(|(_, merchant)| merchant.tender() == channel);
        let refreshes: Vec<JoinHandle<bool>> = all
            .map(|(index, _)| {
                let payments = self.clone();
                tokio::spawn(async move {
                    match payments.merchants().get(index) {
                        Some(merchant) => merchant.refresh_keys().await,
                        None => false,
                    }
                })
            })
            .collect();
        let mut is_any_new = false;
        for refresh in refreshes {
            is_any_new |= refresh.await.unwrap_or(false);
        }
        is_any_new
    }
}

/// What the merchants of a channel say of a message.
struct Verdict<'a> {
    /// Whose word it is: the merchant that the message names, as far as that is known.
    merchant: Option<&'a Merchant>,
    result: Result<Notification, NotificationError>,
    /// Whether another result is possible with new keys.
    is_a_key_unknown: bool,
}

/// The keys of some channels verify the messages to all merchants, so the merchant that a message names is preferred. A message
/// that names none of them is taken from whoever verifies it, to be held as a payment to somebody else. One that names a merchant
/// which itself refuses it is refused as that merchant says.
fn verify_by_all<'a>(merchants: &[&'a Merchant], headers: &HeaderMap, body: &[u8]) -> Verdict<'a> {
    let (mut accepted, mut refusals) = (None, Vec::new());
    for &merchant in merchants {
        match merchant.parse_notification(headers, body) {
            Ok(Notification::Event(event)) if is_named(merchant, &event) => {
                let result = Ok(Notification::Event(event));
                return Verdict { merchant: Some(merchant), result, is_a_key_unknown: false };
            }
            Ok(notification) => accepted = accepted.or(Some((merchant, notification))),
            Err(error) => refusals.push((merchant, error)),
        }
    }
    let is_a_key_unknown = refusals.iter().any(|(_, error)| *error == NotificationError::UnknownKey);
    let named = match &accepted {
        Some((_, Notification::Event(event))) => refusals.iter().find(|(merchant, _)| is_named(merchant, event)),
        _ => None,
    };
    let (merchant, result) = match (named, accepted) {
        (Some(&(merchant, error)), _) => (Some(merchant), Err(error)),
        (None, Some((merchant, notification))) => (Some(merchant), Ok(notification)),
        (None, None) => {
            // The one that got furthest, of equal ones the first: another merchant's keys say only that a signature is not
            // theirs.
            let furthest = refusals.into_iter().rev().max_by_key(|(_, error)| checks_passed(*error));
            let (merchant, error) = furthest.unzip();
            (merchant, Err(error.unwrap_or(NotificationError::Signature)))
        }
    };
    Verdict { merchant, result, is_a_key_unknown }
}

fn is_named(merchant: &Merchant, event: &VerifiedEvent) -> bool {
    merchant.is_named(event.app_id(), event.seller_id())
}

/// How many checks a message had passed before it was refused.
const fn checks_passed(error: NotificationError) -> u8 {
    match error {
        NotificationError::Form => 0,
        NotificationError::Signature => 1,
        NotificationError::UnknownKey => 2,
        NotificationError::Stale | NotificationError::Probe => 3,
        NotificationError::Field(_) => 4,
    }
}
