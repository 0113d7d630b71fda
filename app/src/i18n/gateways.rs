//! Texts about gateways and how often meters are read.

use super::Lang;
pub use super::catalogue::gateways::*;
use model::gateway::scan::ScanMatch;
use model::gateway::test::TestOutcome;
use model::gateway::{ConnectFault, FormField, Framing, GatewayHealth, GatewayTest, PortState, SweepInterval};

/// What a gateway's health means; one that dials in is waited for, and one that speaks TLS has a certificate.
#[must_use]
pub const fn health(health: GatewayHealth, is_dial_in: bool, framing: Framing, lang: Lang) -> &'static str {
    let t = texts(lang).health;
    match health {
        GatewayHealth::Connecting => t.connecting,
        GatewayHealth::Up => t.up,
        GatewayHealth::Unreachable if is_dial_in => t.away,
        GatewayHealth::Unreachable if matches!(framing, Framing::ModbusTls) => t.unreachable_tls,
        GatewayHealth::Unreachable => t.unreachable,
        GatewayHealth::Silent => t.silent,
    }
}

/// What a test found and what to do, and whether all is well.
#[must_use]
pub fn found(test: GatewayTest, lang: Lang) -> (bool, String) {
    let t = texts(lang);
    let unit = test.unit.unwrap_or_default();
    match test.outcome {
        TestOutcome::Answered => (true, FoundAnswered { unit }.text(lang)),
        TestOutcome::NoMeters => (true, t.found_no_meters.to_owned()),
        TestOutcome::OtherMeter => (false, FoundOtherMeter { unit }.text(lang)),
        TestOutcome::Unreadable => (false, FoundUnreadable { unit }.text(lang)),
        TestOutcome::Silent => (false, FoundSilent { unit }.text(lang)),
        TestOutcome::OtherFraming => (false, t.found_other_framing.to_owned()),
        TestOutcome::Unreachable => {
            let fault = test.fault.unwrap_or(ConnectFault::Other);
            (false, t.connect_fault.get(fault.as_str()).unwrap_or_default().to_owned())
        }
    }
}

/// How the port where gateways dial in does.
#[must_use]
pub fn port_state(state: PortState, lang: Lang) -> &'static str {
    texts(lang).port_state.get(state.as_str()).unwrap_or_default()
}

/// What is wrong with a field of the form.
#[must_use]
pub fn wrong_field(field: FormField, lang: Lang) -> String {
    let t = texts(lang);
    let name = t.field.get(field.as_str()).unwrap_or_default();
    let rule = t.rule.get(field.as_str()).unwrap_or_default();
    WrongField { name, rule }.text(lang)
}

/// What a found meter is to the site, and what to do.
#[must_use]
pub const fn standing(standing: ScanMatch, lang: Lang) -> &'static str {
    let t = texts(lang).standing;
    match standing {
        ScanMatch::New => t.new,
        ScanMatch::Known => t.known,
        ScanMatch::OtherSerial => t.other_serial,
        ScanMatch::Elsewhere => t.elsewhere,
        ScanMatch::Doubled => t.doubled,
        ScanMatch::Unknown => t.unknown,
        ScanMatch::Collision => t.collision,
    }
}

/// How far a scan is, and how many meters it found.
#[must_use]
pub fn scan_progress(tried: u16, total: u16, count: usize, lang: Lang) -> String {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    format!("{} {}", ScanTried { tried, total }.text(lang), ScanFound { count }.text(lang))
}

/// How many meters were registered.
#[must_use]
pub fn placed(count: u32, lang: Lang) -> String {
    Placed { count }.text(lang)
}

/// Milliseconds as people read them.
#[must_use]
pub fn duration(ms: u64, lang: Lang) -> String {
    match ms {
        0..1_000 => Milliseconds { ms }.text(lang),
        1_000..120_000 => Seconds { seconds: format!("{}.{}", ms / 1_000, ms % 1_000 / 100) }.text(lang),
        _ => Minutes { minutes: ms / 60_000 }.text(lang),
    }
}

/// An interval in minutes where it is whole, otherwise in seconds.
#[must_use]
pub fn interval(interval: SweepInterval, lang: Lang) -> String {
    match interval.seconds() {
        0 => texts(lang).continuous.to_owned(),
        seconds if seconds % 60 == 0 => Minutes { minutes: seconds / 60 }.text(lang),
        seconds => Seconds { seconds }.text(lang),
    }
}

/// How often there was noise on the line of a gateway.
#[must_use]
pub fn noise_on_the_line(count: u64, lang: Lang) -> String {
    Noise { count }.text(lang)
}

/// How a gateway carries frames.
#[must_use]
pub const fn framing(framing: Framing, lang: Lang) -> &'static str {
    let t = texts(lang).framing_kind;
    match framing {
        Framing::ModbusTcp => t.modbus_tcp,
        Framing::ModbusTls => t.modbus_tls,
        Framing::Transparent => t.transparent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_minutes_are_shown_as_minutes() {
        let shown = |s| SweepInterval::new(s).map(|i| interval(i, Lang::En)).unwrap_or_default();
        assert_eq!((shown(0), shown(90), shown(1_800)), ("as often as the bus allows".into(), "90 s".into(), "30 min".into()));
    }

    #[test]
    fn an_unreachable_gateway_of_tls_names_its_certificate() {
        for (lang, certificate) in [(Lang::Zh, "证书"), (Lang::En, "certificate")] {
            let words = |framing| health(GatewayHealth::Unreachable, false, framing, lang);
            let named = Framing::ALL.map(|framing| words(framing).contains(certificate));
            assert_eq!(named, Framing::ALL.map(|framing| framing == Framing::ModbusTls), "{lang:?}");
        }
    }

    #[test]
    fn every_finding_and_field_has_words() {
        for lang in Lang::ALL {
            let faults = ConnectFault::ALL.map(|fault| found(GatewayTest::unreachable(fault), lang).1);
            let outcomes = TestOutcome::ALL.map(|outcome| found(GatewayTest::of(outcome, Some(7)), lang).1);
            assert!(faults.iter().chain(&outcomes).all(|words| !words.is_empty()));
            let fields = texts(lang).field;
            assert!(FormField::ALL.iter().all(|field| fields.get(field.as_str()).is_some()));
            assert!(FormField::ALL.iter().all(|field| texts(lang).rule.get(field.as_str()).is_some()));
        }
        assert_eq!(duration(950, Lang::En), "950 ms");
        assert_eq!(duration(61_230, Lang::En), "61.2 s");
    }
}
