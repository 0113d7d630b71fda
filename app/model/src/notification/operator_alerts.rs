//! What an operator wants to be told, and when.

use super::{NotificationKind, QuietHours};
use crate::word_enum;

word_enum! {
    /// How an operator is told of a kind of matter.
    pub enum AlertDelivery {
        /// As soon as it happens.
        AtOnce = "at-once",
        /// In the digest of the day.
        Digest = "digest",
        Off = "off",
    }
}

/// What an operator wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorAlerts {
    pub gateway_lost: AlertDelivery,
    pub delivery_stuck: AlertDelivery,
    pub payment_mismatch: AlertDelivery,
    pub certificate_expiring: AlertDelivery,
    /// Alarms of other kinds.
    pub alarm: AlertDelivery,
    /// The hour of the digest, 0 to 23.
    pub digest_hour: u8,
    pub quiet: QuietHours,
}

impl Default for OperatorAlerts {
    fn default() -> Self {
        Self {
            gateway_lost: AlertDelivery::AtOnce,
            delivery_stuck: AlertDelivery::Digest,
            payment_mismatch: AlertDelivery::Digest,
            certificate_expiring: AlertDelivery::Digest,
            alarm: AlertDelivery::Digest,
            digest_hour: 8,
            quiet: QuietHours::default(),
        }
    }
}

impl OperatorAlerts {
    /// How they are told of a kind; `None` for what operators do not choose.
    #[must_use]
    pub const fn delivery(&self, kind: NotificationKind) -> Option<AlertDelivery> {
        match kind {
            NotificationKind::GatewayLost => Some(self.gateway_lost),
            NotificationKind::DeliveryStuck => Some(self.delivery_stuck),
            NotificationKind::PaymentMismatch => Some(self.payment_mismatch),
            NotificationKind::CertificateExpiring => Some(self.certificate_expiring),
            NotificationKind::Alarm => Some(self.alarm),
            _ => None,
        }
    }

    /// The same with another way to tell of a kind.
    #[must_use]
    pub const fn with(mut self, kind: NotificationKind, delivery: AlertDelivery) -> Self {
        match kind {
            NotificationKind::GatewayLost => self.gateway_lost = delivery,
            NotificationKind::DeliveryStuck => self.delivery_stuck = delivery,
            NotificationKind::PaymentMismatch => self.payment_mismatch = delivery,
            NotificationKind::CertificateExpiring => self.certificate_expiring = delivery,
            NotificationKind::Alarm => self.alarm = delivery,
            _ => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_operators_has_a_delivery() {
        let all_off = NotificationKind::OF_OPERATORS
            .into_iter()
            .fold(OperatorAlerts::default(), |alerts, kind| alerts.with(kind, AlertDelivery::Off));
        for kind in NotificationKind::ALL {
            let is_of_operators = NotificationKind::OF_OPERATORS.contains(&kind);
            assert_eq!(all_off.delivery(kind), is_of_operators.then_some(AlertDelivery::Off), "{kind:?}");
        }
    }
}
