//! Texts about the payment channels' health.

use super::Lang;
pub use super::catalogue::channels::*;
use crate::api::channels::ChannelState;

/// What a channel's state means.
#[must_use]
pub const fn state(state: ChannelState, lang: Lang) -> &'static str {
    let t = texts(lang).state;
    match state {
        ChannelState::Working => t.working,
        ChannelState::Unknown => t.unknown,
        ChannelState::ClockSkewed => t.clock_skewed,
        ChannelState::Failing => t.failing,
        ChannelState::Off => t.off,
    }
}
