//! Texts about the payment channels' health.

use super::Lang;
pub use super::catalogue::channels::*;
use crate::api::channels::ChannelState;
use model::order::ChannelFailure;

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

/// Why the last request failed.
#[must_use]
pub const fn failure(failure: ChannelFailure, lang: Lang) -> &'static str {
    let t = texts(lang).failure;
    match failure {
        ChannelFailure::Unreachable => t.unreachable,
        ChannelFailure::Status => t.status,
        ChannelFailure::Response => t.response,
        ChannelFailure::Refused => t.refused,
        ChannelFailure::Signing => t.signing,
    }
}
