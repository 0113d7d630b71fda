//! What has happened to a resident's account, as one list: money in and out, alarms, switchings, messages.

use serde::{Deserialize, Serialize};

use crate::command::CommandKind;
use crate::console::{ClosingKind, RangeProblem};
use crate::event::EventKind;
use crate::ids::OrderId;
use crate::meter::ControlMode;
use crate::money::Fen;
use crate::notification::{NotificationChannel, NotificationKind, NotificationState, NotificationValues};
use crate::order::{CommandState, OrderState, ReturnKind, ReturnState, TakenBack, Tender};
use crate::refund::RefundState;
use crate::time::{Date, Timestamp};
use crate::typed;
use crate::word_enum;

word_enum! {
    /// Kinds of records, to filter by.
    pub enum AccountRecordKind {
        /// What was paid in or subsidised.
        Recharge = "recharge",
        Return = "return",
        /// The reversal of a sale or a return.
        Correction = "correction",
        Refund = "refund",
        /// Opening, final and carried amounts.
        Balance = "balance",
        Alarm = "alarm",
        Switch = "switch",
        Message = "message",
    }

    /// Who had the power switched.
    pub enum SwitchedBy {
        Resident = "resident",
        Operator = "operator",
        /// The server, by the balance.
        Server = "server",
    }
}

/// Which records are listed; what is left out matches everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountRecordQuery {
    pub kind: Option<AccountRecordKind>,
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
    /// The page of the list, counted from 1.
    pub page: u32,
}

impl AccountRecordQuery {
    /// Records on a page.
    pub const SIZE: i64 = 20;
    /// The last page that is looked up.
    const LAST: u32 = 10_000;

    /// From the address, in which empty and unknown words filter nothing.
    ///
    /// # Errors
    /// [`RangeProblem`].
    pub fn parse(kind: &str, from: &str, until: &str, page: &str) -> Result<Self, RangeProblem> {
        let day = |text: &str| match text.trim() {
            "" => Ok(None),
            text => typed::parse(text).map(Some).map_err(|_| RangeProblem::NotADay),
        };
        let (from, until) = (day(from)?, day(until)?);
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            return Err(RangeProblem::Reversed);
        }
        let page = page.parse().unwrap_or(1).clamp(1, Self::LAST);
        Ok(Self { kind: AccountRecordKind::parse(kind), from, until, page })
    }

    /// The first instant, and the first one that is not listed any more.
    #[must_use]
    pub fn instants(&self) -> (Timestamp, Timestamp) {
        let from = self.from.map_or(Timestamp(i64::MIN), Date::start);
        (from, self.until.map_or(Timestamp(i64::MAX), |day| day.plus(1).start()))
    }

    /// Records on the pages before.
    #[must_use]
    pub fn skipped(&self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * Self::SIZE
    }
}

/// Something that happened to the account, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    pub at: Timestamp,
    pub of: AccountRecordOf,
}

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRecordOf {
    Order(OrderRecord),
    Back(ReturnRecord),
    Refund {
        order: OrderId,
        tender: Tender,
        amount: Fen,
        state: RefundState,
    },
    /// The account was opened.
    Opened,
    /// A meter left the account with this balance.
    FinalBalance {
        closing: ClosingKind,
        amount: Fen,
    },
    Alarm {
        kind: EventKind,
        until: Option<Timestamp>,
    },
    Switch(SwitchRecord),
    Message {
        kind: NotificationKind,
        channel: NotificationChannel,
        state: NotificationState,
        values: NotificationValues,
        /// The site's text of that time; `None`: the product's.
        own_text: Option<String>,
    },
}

/// A payment for another room, as the records of its payer and of the paid room show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherRoom {
    /// By the resident of another room, whose name is masked.
    PaidBy(String),
    /// For this room, named from the building inwards.
    PaidFor(String),
}

/// What credits the account: a purchase, a subsidy, a carried amount, or the reversal of a return. Also what the resident paid
/// for another room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    pub order: OrderId,
    pub tender: Tender,
    pub amount: Fen,
    pub state: OrderState,
    /// The purchase count after it.
    pub count: Option<i64>,
    pub taken_back: TakenBack,
    /// It credits a return again.
    pub undoes_return: bool,
    pub other_room: Option<OtherRoom>,
}

/// A debit: a return, or the correction of a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnRecord {
    pub kind: ReturnKind,
    /// The sale that it corrects.
    pub corrects: Option<OrderId>,
    pub tender: Tender,
    pub amount: Fen,
    pub state: ReturnState,
    /// The purchase count after it.
    pub count: Option<i64>,
    pub reason: String,
}

/// What was taken back of a sale at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleCorrection {
    pub amount: Fen,
    /// How its money goes back.
    pub tender: Tender,
    pub state: ReturnState,
    /// When it was requested.
    pub at: Timestamp,
    /// When it was out of the meter.
    pub taken_at: Option<Timestamp>,
    /// When its money was paid out.
    pub settled_at: Option<Timestamp>,
    pub reason: String,
}

impl TakenBack {
    /// The sums of the corrections of one sale.
    #[must_use]
    pub fn of(corrections: &[SaleCorrection]) -> Self {
        let sum = |taken: bool| {
            corrections
                .iter()
                .filter(|one| one.state.is_carried_out() && one.state.is_taken() == taken)
                .map(|one| one.amount)
                .sum()
        };
        Self { done: sum(true), coming: sum(false) }
    }
}

/// A command that switches the power or changes who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchRecord {
    pub change: PowerChange,
    pub by: SwitchedBy,
    pub state: CommandState,
}

/// What a command asks of the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerChange {
    On,
    Off,
    Mode(ControlMode),
    /// Written by another version of this program.
    Unreadable(CommandKind),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_filter_words_match_everything() {
        let all = AccountRecordQuery { page: 1, ..AccountRecordQuery::default() };
        assert_eq!(AccountRecordQuery::parse("", "", " ", ""), Ok(all));
        assert_eq!(AccountRecordQuery::parse("earthquake", "", "", "0"), Ok(all));
        assert_eq!(all.instants(), (Timestamp(i64::MIN), Timestamp(i64::MAX)));
        let third = AccountRecordQuery { page: 3, kind: Some(AccountRecordKind::Alarm), ..all };
        assert_eq!(AccountRecordQuery::parse("alarm", "", "", "3"), Ok(third));
        assert_eq!((all.skipped(), third.skipped()), (0, 40));
    }

    #[test]
    fn the_last_day_of_a_period_is_in_it() {
        let query = AccountRecordQuery::parse("", "2026-11-20", "2026-11-20", "").unwrap();
        let (from, until) = query.instants();
        assert_eq!((from.to_string(), until.to_string()), ("2026-11-20 00:00:00".into(), "2026-11-21 00:00:00".into()));
    }

    #[test]
    fn a_period_is_in_order_and_of_real_days() {
        assert_eq!(AccountRecordQuery::parse("", "2026-11-21", "2026-11-20", ""), Err(RangeProblem::Reversed));
        for bad in ["2026-02-30", "yesterday", "2026-11"] {
            assert_eq!(AccountRecordQuery::parse("", bad, "", ""), Err(RangeProblem::NotADay), "{bad}");
        }
    }
}
