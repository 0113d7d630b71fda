//! What is or was the matter with a meter, a gateway or the server.

use serde::{Deserialize, Serialize};

use crate::word_enum;

word_enum! {
    /// Kinds of events, those of meters first and of these the gravest; the catalogues have the reason and the next step of each.
    pub enum EventKind {
        /// The relay does not do what it is told: welded or stuck.
        RelayFault = "relay-fault",
        /// Tripped for too much power.
        Overload = "overload",
        /// Tripped for a load that is forbidden.
        Malignant = "malignant-load",
        /// Nothing is left, and the relay is open for it.
        Arrears = "arrears",
        /// The relay is open, and neither credit nor load nor mode is the reason.
        Tripped = "tripped",
        /// Below alarm amount 2.
        Alarm2 = "alarm-2",
        /// Below alarm amount 1.
        Alarm1 = "alarm-1",
        /// Energy flows backwards: a wiring fault or a bypass.
        Reverse = "reverse-energy",
        /// The cover is open.
        CoverOpen = "cover-open",
        /// The count of cover and bypass events grew: over as it is seen.
        Tamper = "tamper",
        /// The energy counter was set to nothing.
        CounterZeroed = "counter-zeroed",
        /// The clock shows no real time.
        ClockLost = "clock-lost",
        /// The meter does not answer, though its gateway does.
        MeterLost = "meter-lost",
        /// The meter answers, and nothing of it can be read.
        MeterUnreadable = "meter-unreadable",
        /// Some of what the meter shows cannot be read; the rest counts.
        ItemUnreadable = "item-unreadable",
        /// The use of the last finished day was unusual: high at night, a jump, or nothing in an occupied room.
        AbnormalUse = "abnormal-use",
        /// Nothing behind the gateway answers.
        GatewayLost = "gateway-lost",
        /// An instrument cannot be read, though its gateway works.
        InstrumentLost = "instrument-lost",
        /// A counter of an instrument did not go on as it can have.
        InstrumentHeld = "instrument-held",
        /// The server's clock was set.
        ClockStepped = "clock-stepped",
        /// The power is back after arrears or a trip. Such an event ends the moment it is raised.
        Restored = "restored",
        /// Stray bytes on the line of a gateway disturb its readings.
        LineNoise = "line-noise",
        /// A money command has not arrived in its meter for long.
        DeliveryStuck = "delivery-stuck",
        /// A payment does not fit its order.
        PaymentMismatch = "payment-mismatch",
        /// A channel of payments or of messages does not answer.
        ChannelDown = "channel-down",
        /// A certificate of a payment channel, of a gateway or of the server itself expires soon.
        CertificateExpiring = "certificate-expiring",
        /// Little space is left where data is kept.
        DiskLow = "disk-low",
        /// The newest backup is too old, or there is none.
        BackupOverdue = "backup-overdue",
    }
}

/// How sure a day's energy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayMark {
    /// A midnight of it was not read but worked out from the readings around it.
    pub estimated: bool,
    /// Late data changed it after it was over.
    pub revised: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_round() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::parse("earthquake"), None);
    }
}
