//! What a resident wants to be told, and when not.

use super::NotificationKind;

/// Hours of the day in which nothing is sent that can wait, in Shanghai. The same hour twice: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The hour in which they begin, 0 to 23.
    pub from: u8,
    /// The hour at which they end, 0 to 23.
    pub until: u8,
}

impl QuietHours {
    /// Of groups and other systems, which nobody sleeps beside: whoever is on duty decides what may ring.
    pub const NONE: Self = Self { from: 0, until: 0 };

    /// `None` where one is no hour.
    #[must_use]
    pub fn new(from: u8, until: u8) -> Option<Self> {
        (from < 24 && until < 24).then_some(Self { from, until })
    }
}

impl Default for QuietHours {
    fn default() -> Self {
        Self { from: 22, until: 7 }
    }
}

/// What a resident wants to be told. Arrears and what ends them are told unless everything is turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertPreferences {
    /// Nothing at all, not even that the power is cut.
    pub is_off: bool,
    pub alarm1: bool,
    pub alarm2: bool,
    pub tonight: bool,
    pub recharge: bool,
    pub quiet: QuietHours,
}

impl Default for AlertPreferences {
    fn default() -> Self {
        Self { is_off: false, alarm1: true, alarm2: true, tonight: true, recharge: true, quiet: QuietHours::default() }
    }
}

impl AlertPreferences {
    /// Whether the person wants messages of that kind. A code is asked for, so it always comes.
    #[must_use]
    pub const fn wants(&self, kind: NotificationKind) -> bool {
        match kind {
            NotificationKind::AddressCode | NotificationKind::LogInCode => true,
            _ if self.is_off => false,
            // Only who has chosen a balance is reminded to top up.
            NotificationKind::Arrears | NotificationKind::StaysOn | NotificationKind::Restored | NotificationKind::TopUp => true,
            NotificationKind::Alarm1 => self.alarm1,
            NotificationKind::Alarm2 => self.alarm2,
            NotificationKind::EmptyTonight => self.tonight,
            NotificationKind::Recharge => self.recharge,
            NotificationKind::GatewayLost
            | NotificationKind::DeliveryStuck
            | NotificationKind::PaymentMismatch
            | NotificationKind::CertificateExpiring
            | NotificationKind::ReplyBalance
            | NotificationKind::ReplyStop
            | NotificationKind::ReplyTopUp
            | NotificationKind::Digest
            | NotificationKind::Alarm
            | NotificationKind::Test => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrears_are_told_unless_everything_is_off() {
        let none =
            AlertPreferences { alarm1: false, alarm2: false, tonight: false, recharge: false, ..AlertPreferences::default() };
        let wanted = |preferences: AlertPreferences| {
            NotificationKind::OF_RESIDENTS.into_iter().filter(|kind| preferences.wants(*kind)).collect::<Vec<_>>()
        };
        let always = [NotificationKind::Arrears, NotificationKind::StaysOn, NotificationKind::Restored, NotificationKind::TopUp];
        assert_eq!(wanted(none), always);
        assert_eq!(wanted(AlertPreferences { is_off: true, ..none }), []);
        assert_eq!(wanted(AlertPreferences::default()), NotificationKind::OF_RESIDENTS);
        assert!(AlertPreferences { is_off: true, ..none }.wants(NotificationKind::AddressCode));
    }

    #[test]
    fn residents_hear_nothing_that_is_for_operators() {
        let wants = |kind: &NotificationKind| AlertPreferences::default().wants(*kind);
        assert_eq!(NotificationKind::ALL.iter().filter(|kind| wants(kind)).count(), NotificationKind::OF_RESIDENTS.len() + 2);
    }
}
