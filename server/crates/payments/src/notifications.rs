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
        let mut result = self.read_by(&merchants, headers, body);
        if matches!(result, Err(NotificationError::UnknownKey)) && self.refresh_keys(channel).await {
            result = self.read_by(&merchants, headers, body);
        }
        if let Some(merchant) = merchants.first() {
            merchant.health().notification(self.parts().1.now(), &result);
        }
        result
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

    /// The keys of some channels verify the messages to all merchants, so the merchant that a message names is preferred. A
    /// message that names none of them is taken from whoever verifies it, to be held as a payment to somebody else. One that
    /// names a merchant whose own keys do not verify it is false.
    fn read_by(&self, merchants: &[&Merchant], headers: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError> {
        let (mut first, mut refusal) = (None, None);
        for merchant in merchants {
            match merchant.parse_notification(headers, body) {
                Ok(Notification::Event(event)) if is_named(merchant, &event) => return Ok(Notification::Event(event)),
                Ok(notification) => first = first.or(Some(notification)),
                Err(error) => refusal = Some(refusal.map_or(error, |before| more_telling(before, error))),
            }
        }
        match first {
            Some(Notification::Event(event)) if merchants.iter().any(|merchant| is_named(merchant, &event)) => {
                Err(NotificationError::Signature)
            }
            Some(notification) => Ok(notification),
            None => Err(refusal.unwrap_or(NotificationError::Signature)),
        }
    }
}

fn is_named(merchant: &Merchant, event: &VerifiedEvent) -> bool {
    merchant.is_named(event.app_id(), event.seller_id())
}

/// Of the refusals of two merchants the one that got further: another merchant's keys say only that the signature is not theirs.
const fn more_telling(one: NotificationError, other: NotificationError) -> NotificationError {
    const fn depth(error: NotificationError) -> u8 {
        match error {
            NotificationError::Form => 0,
            NotificationError::Signature => 1,
            NotificationError::UnknownKey => 2,
            NotificationError::Stale | NotificationError::Probe => 3,
            NotificationError::Field(_) => 4,
        }
    }
    if depth(other) > depth(one) { other } else { one }
}
