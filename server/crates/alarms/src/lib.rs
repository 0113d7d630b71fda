//! Alarms for operators: lists, the rules of places and groups, what people do about alarms, silences for maintenance, and what a
//! rule would have raised. What raises and ends alarms is `store::events`, in the transactions of what is observed.
//!
//! Queries name the room `r`, its parent `b` and the parent's parent `t`; `$1` is the operator.

mod actions;
mod lines;
mod observed;
mod preview;
mod rules;
mod silences;

pub use actions::{acknowledge, assign, assignees, history};
pub use lines::{event, events, events_of};
pub use observed::{StuckMeter, channels_down, mismatched_payments, observed_channels, observed_meters, stuck_deliveries};
pub use preview::{EditedRule, Preview, preview, preview_of_meters};
pub use rules::{RuleTree, own_rules, set_rule, tree};
pub use silences::{all_scopes, end_silence, past_silences, scopes, silence, silences, silences_of};
