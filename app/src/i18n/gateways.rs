//! Texts about gateways and how often meters are read.

use super::Lang;
pub use super::catalogue::gateways::*;
use model::gateway::{GatewayHealth, SweepInterval};

/// What a gateway's health means.
#[must_use]
pub const fn health(health: GatewayHealth, lang: Lang) -> &'static str {
    let t = texts(lang).health;
    match health {
        GatewayHealth::Connecting => t.connecting,
        GatewayHealth::Up => t.up,
        GatewayHealth::Unreachable => t.unreachable,
        GatewayHealth::Silent => t.silent,
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

/// How a gateway carries frames, by its code in the database.
#[must_use]
pub fn framing(code: &str, lang: Lang) -> &'static str {
    let t = texts(lang).framing_kind;
    t.get(code).unwrap_or(t.modbus_tcp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_minutes_are_shown_as_minutes() {
        let shown = |s| SweepInterval::new(s).map(|i| interval(i, Lang::En)).unwrap_or_default();
        assert_eq!((shown(0), shown(90), shown(1_800)), ("as often as the bus allows".into(), "90 s".into(), "30 min".into()));
    }
}
