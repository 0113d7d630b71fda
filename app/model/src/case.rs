//! Cases: what a person must decide. A case is stored as its kind and the JSON of its detail.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::ClosingId;
use crate::order::Tender;
use crate::time::{DAY, Date, Timestamp};
use crate::word_enum;

mod configuration;
mod money;
mod reasons;

pub use configuration::{ChannelOffCase, ExpiryCase};
pub use money::{DeliveryCase, JournalCase, MeterPosition, PaymentCase, RefundCase, StatementCase, UndeliverableCase};
pub use reasons::{
    CertificateState, ClosingReason, HeldReadingReason, HoldReason, MoneyRecord, PaymentReason, PaymentSource, RefundReason,
    RefundTrouble, UnusableReason,
};

word_enum! {
    /// What a case is about; the operator's pages have words for each kind and its next step.
    pub enum CaseKind {
        /// A money command is neither delivered nor undelivered by the rule; money commands of that meter wait.
        Delivery = "delivery",
        /// Purchase count or cumulative amount in the meter differ from the ledger's.
        MeterDiffers = "meter-differs",
        /// The meter shows another account or control mode than this system gave it.
        MeterChanged = "meter-changed",
        /// A counter fell, jumped or came out of order.
        Reading = "reading",
        /// Another serial number answers at this address.
        Identity = "identity",
        /// A verified payment does not fit its order: amount, merchant or state.
        Payment = "payment",
        /// One order was paid twice; the second payment goes back.
        PaidTwice = "paid-twice",
        /// Paid for a meter that accepts no more sales; the payment goes back.
        Undeliverable = "undeliverable",
        /// A refund failed, takes too long, or cannot go through its channel.
        Refund = "refund",
        /// The channel refunded money that this system did not ask it to.
        RefundElsewhere = "refund-elsewhere",
        /// The relay does not follow its commands.
        Relay = "relay",
        /// The meter rejects our password for switching and setting, or none is configured. The server does not retry while the
        /// case is open.
        Password = "password",
        /// A meter that cannot be read as it is registered.
        Unusable = "unusable",
        /// Planned prices did not come into force.
        Prices = "prices",
        /// Another system changed parameters in the meter.
        Parameters = "parameters",
        /// A clock that does not keep time.
        Clock = "clock",
        /// The meter's journal holds money that no command of this system moved.
        Journal = "journal",
        /// Energy was consumed where no price plan applies.
        Unpriced = "unpriced",
        /// The channel's statement has a line that the ledger does not have.
        StatementChannelOnly = "statement-channel-only",
        /// The ledger has an entry that no statement has.
        StatementLedgerOnly = "statement-ledger-only",
        /// Statement and ledger have different amounts.
        StatementAmount = "statement-amount",
        /// The statement has a payment or refund that the ledger did not post.
        StatementState = "statement-state",
        /// Statement and ledger agree, and the meter does not.
        StatementMeter = "statement-meter",
        /// The statement or the ledger of a closed settlement day changed.
        StatementReopened = "statement-reopened",
        /// A certificate of a payment channel expires.
        Expiry = "expiry",
        /// A merchant at a payment channel is switched off because its configuration is wrong.
        ChannelOff = "channel-off",
        /// An account closure cannot continue: a meter is lost, or there is no way to pay the balance.
        Closing = "closing",
    }
}

impl CaseKind {
    /// How long it may stay open before it is overdue, ms: a day where money or supply depends on it, a week where something
    /// expires or was noticed, three days otherwise.
    #[must_use]
    pub const fn due_within(self) -> i64 {
        match self {
            Self::Delivery
            | Self::MeterDiffers
            | Self::MeterChanged
            | Self::Payment
            | Self::PaidTwice
            | Self::Undeliverable
            | Self::Refund
            | Self::RefundElsewhere
            | Self::Relay
            | Self::Prices
            | Self::ChannelOff => DAY,
            Self::Expiry | Self::Clock | Self::Parameters => 7 * DAY,
            Self::Reading
            | Self::Identity
            | Self::Password
            | Self::Unusable
            | Self::Journal
            | Self::Unpriced
            | Self::StatementChannelOnly
            | Self::StatementLedgerOnly
            | Self::StatementAmount
            | Self::StatementState
            | Self::StatementMeter
            | Self::StatementReopened
            | Self::Closing => 3 * DAY,
        }
    }
}

/// What was found, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "kebab-case")]
pub enum CaseDetail {
    Delivery(Box<DeliveryCase>),
    MeterDiffers {
        ledger: MeterPosition,
        meter: MeterPosition,
    },
    MeterChanged {
        expected: MeterPosition,
        found: MeterPosition,
    },
    Reading(ReadingCase),
    Identity {
        /// The serial number that answers.
        answers: String,
    },
    Payment(PaymentCase),
    PaidTwice(PaymentCase),
    Undeliverable(UndeliverableCase),
    Refund(RefundCase),
    RefundElsewhere(PaymentCase),
    Relay(RelayCase),
    Password(RelayCase),
    Unusable(UnusableCase),
    Prices(PricesCase),
    Parameters(ParametersCase),
    Clock {
        off_s: Option<i64>,
        /// How often the clock was set within a month.
        sets: i64,
    },
    Journal(JournalCase),
    Unpriced {
        since: Timestamp,
    },
    StatementChannelOnly(StatementCase),
    StatementLedgerOnly(StatementCase),
    StatementAmount(StatementCase),
    StatementState(StatementCase),
    StatementMeter(StatementCase),
    StatementReopened {
        channel: Tender,
        day: Date,
    },
    Expiry(ExpiryCase),
    ChannelOff(ChannelOffCase),
    Closing {
        reason: ClosingReason,
        closing: ClosingId,
    },
}

/// A counter value that is stored and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingCase {
    pub quality: HeldReadingReason,
    pub at: Timestamp,
    pub total_wh: i64,
    pub last_at: Option<Timestamp>,
    pub last_total_wh: Option<i64>,
}

/// What was seen of a plain command: the relay, or the clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RelayCase {
    /// The command's kind.
    pub command: String,
    /// Whether the relay should be closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// The status word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// 0.01 A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_ca: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<i64>,
    /// By how much the clock is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_s: Option<i64>,
    /// How many commands in a row it did not follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<i64>,
    /// When the system commands it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// Why a meter cannot be read as it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusableCase {
    pub reason: UnusableReason,
    /// The value that is wrong.
    pub value: String,
}

/// Prices that did not come into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricesCase {
    pub planned: [u32; 4],
    pub since: Timestamp,
    pub clock_off_s: Option<i64>,
}

/// Parameter commands that a meter accepted, and how many this system sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParametersCase {
    pub since: Timestamp,
    pub accepted: i64,
    pub sent: i64,
}

/// A stored detail that does not have the form of its kind.
#[derive(Debug, thiserror::Error)]
#[error("the detail of a case of kind {} is malformed", kind.as_str())]
pub struct MalformedDetail {
    pub kind: CaseKind,
    #[source]
    pub source: serde_json::Error,
}

impl CaseDetail {
    #[must_use]
    pub const fn kind(&self) -> CaseKind {
        match self {
            Self::Delivery(_) => CaseKind::Delivery,
            Self::MeterDiffers { .. } => CaseKind::MeterDiffers,
            Self::MeterChanged { .. } => CaseKind::MeterChanged,
            Self::Reading(_) => CaseKind::Reading,
            Self::Identity { .. } => CaseKind::Identity,
            Self::Payment(_) => CaseKind::Payment,
            Self::PaidTwice(_) => CaseKind::PaidTwice,
            Self::Undeliverable(_) => CaseKind::Undeliverable,
            Self::Refund(_) => CaseKind::Refund,
            Self::RefundElsewhere(_) => CaseKind::RefundElsewhere,
            Self::Relay(_) => CaseKind::Relay,
            Self::Password(_) => CaseKind::Password,
            Self::Unusable(_) => CaseKind::Unusable,
            Self::Prices(_) => CaseKind::Prices,
            Self::Parameters(_) => CaseKind::Parameters,
            Self::Clock { .. } => CaseKind::Clock,
            Self::Journal(_) => CaseKind::Journal,
            Self::Unpriced { .. } => CaseKind::Unpriced,
            Self::StatementChannelOnly(_) => CaseKind::StatementChannelOnly,
            Self::StatementLedgerOnly(_) => CaseKind::StatementLedgerOnly,
            Self::StatementAmount(_) => CaseKind::StatementAmount,
            Self::StatementState(_) => CaseKind::StatementState,
            Self::StatementMeter(_) => CaseKind::StatementMeter,
            Self::StatementReopened { .. } => CaseKind::StatementReopened,
            Self::Expiry(_) => CaseKind::Expiry,
            Self::ChannelOff(_) => CaseKind::ChannelOff,
            Self::Closing { .. } => CaseKind::Closing,
        }
    }

    /// The stored JSON of the detail, without its kind.
    #[must_use]
    pub fn to_json(&self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::Object(mut tagged)) => tagged.remove("detail").unwrap_or_default().to_string(),
            _ => Value::Null.to_string(),
        }
    }

    /// From the stored kind and JSON.
    ///
    /// # Errors
    /// [`MalformedDetail`].
    pub fn from_json(kind: CaseKind, detail: &str) -> Result<Self, MalformedDetail> {
        let malformed = |source| MalformedDetail { kind, source };
        let detail: Value = serde_json::from_str(detail).map_err(malformed)?;
        serde_json::from_value(json!({ "kind": kind, "detail": detail })).map_err(malformed)
    }

    /// The account closure that it is about.
    #[must_use]
    pub const fn closing(&self) -> Option<ClosingId> {
        match self {
            Self::Closing { closing, .. } => Some(*closing),
            Self::Undeliverable(case) => case.closing,
            _ => None,
        }
    }

    /// Whether the account in the meter is not the one that this system opened there: nothing can be sold or returned.
    #[must_use]
    pub fn has_foreign_account(&self) -> bool {
        matches!(self, Self::MeterChanged { expected, found } if expected.account != found.account)
    }

    /// The settlement day that it is about.
    #[must_use]
    pub const fn settlement_day(&self) -> Option<(Tender, Date)> {
        match self {
            Self::StatementChannelOnly(case)
            | Self::StatementLedgerOnly(case)
            | Self::StatementAmount(case)
            | Self::StatementState(case)
            | Self::StatementMeter(case) => Some((case.channel, case.day)),
            Self::StatementReopened { channel, day } => Some((*channel, *day)),
            _ => None,
        }
    }

    /// Whether the order's money may have to be refunded.
    #[must_use]
    pub fn may_need_refund(&self) -> bool {
        match self {
            Self::Delivery(case) => case.reason == HoldReason::HoardingLimit,
            detail => matches!(
                detail.kind(),
                CaseKind::Payment | CaseKind::PaidTwice | CaseKind::Undeliverable | CaseKind::Refund | CaseKind::RefundElsewhere
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AppError;
    use crate::ids::Uuid;
    use crate::money::Fen;
    use crate::order::OrderState;

    #[test]
    fn details_round_trip() {
        let refund = |reason| RefundCase { reason, refund: None, channel: Some(Tender::Alipay), amount: Fen(5_000) };
        for detail in [
            CaseDetail::Clock { off_s: Some(400), sets: 2 },
            CaseDetail::Closing { reason: ClosingReason::Lost, closing: ClosingId(Uuid::from_u128(7)) },
            CaseDetail::Refund(refund(Some(RefundReason::Trouble(RefundTrouble::Slow)))),
            CaseDetail::Refund(refund(Some(RefundReason::Refused(AppError::RefundTooOld)))),
            CaseDetail::Delivery(Box::new(DeliveryCase {
                expected: Some(MeterPosition { order: Some(u64::MAX), ..MeterPosition::default() }),
                ..DeliveryCase::new(HoldReason::Order)
            })),
            CaseDetail::Payment(PaymentCase {
                reason: PaymentReason::Amount,
                channel: Tender::WechatPay,
                source: PaymentSource::Query,
                out_trade_no: "A1".into(),
                trade_no: None,
                amount: Fen(1),
                refunded: None,
                expected: Some(Fen(2)),
                order_was: Some(OrderState::Pending),
            }),
        ] {
            let json = detail.to_json();
            assert!(!json.contains("kind"), "{json}");
            assert_eq!(CaseDetail::from_json(detail.kind(), &json).unwrap(), detail);
        }
    }

    #[test]
    fn malformed_details_are_refused() {
        for detail in ["{}", "?", r#"{"reason":"unknown","closing":null}"#] {
            assert!(CaseDetail::from_json(CaseKind::Closing, detail).is_err(), "{detail}");
        }
    }
}
