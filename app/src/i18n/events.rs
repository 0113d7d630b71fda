//! Texts of the alarms page, and what each kind of event means.

use super::Lang;
pub use super::catalogue::events::*;
use model::event::EventKind;

/// What a kind of event is called, why it is raised, and what to do.
#[must_use]
pub const fn event(kind: EventKind, lang: Lang) -> EventItemTexts {
    let t = texts(lang).event;
    match kind {
        EventKind::RelayFault => t.relay_fault,
        EventKind::Overload => t.overload,
        EventKind::Malignant => t.malignant,
        EventKind::Arrears => t.arrears,
        EventKind::Alarm2 => t.alarm2,
        EventKind::Alarm1 => t.alarm1,
        EventKind::Reverse => t.reverse,
        EventKind::CoverOpen => t.cover_open,
        EventKind::Tamper => t.tamper,
        EventKind::CounterZeroed => t.counter_zeroed,
        EventKind::ClockLost => t.clock_lost,
        EventKind::MeterLost => t.meter_lost,
        EventKind::MeterUnreadable => t.meter_unreadable,
        EventKind::ItemUnreadable => t.item_unreadable,
        EventKind::AbnormalUse => t.abnormal_use,
        EventKind::GatewayLost => t.gateway_lost,
        EventKind::InstrumentLost => t.instrument_lost,
        EventKind::InstrumentHeld => t.instrument_held,
        EventKind::ClockStepped => t.clock_stepped,
        EventKind::Tripped => t.tripped,
        EventKind::Restored => t.restored,
        EventKind::LineNoise => t.line_noise,
        EventKind::DeliveryStuck => t.delivery_stuck,
        EventKind::PaymentMismatch => t.payment_mismatch,
        EventKind::ChannelDown => t.channel_down,
        EventKind::CertificateExpiring => t.certificate_expiring,
        EventKind::DiskLow => t.disk_low,
        EventKind::BackupOverdue => t.backup_overdue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_name() {
        for lang in Lang::ALL {
            let names: std::collections::HashSet<_> = EventKind::ALL.map(|kind| event(kind, lang).name).into();
            assert_eq!(names.len(), EventKind::ALL.len());
        }
    }
}
