//! Decides the next action for a money command from the meter's state block.

use model::case::{DeliveryCase, HoldReason};
use model::command::CommandReason;
use model::money::Fen;

use super::{MAX_RESENDS, MAX_SENDS};
use domain::meter_state::StateBlock;
use domain::money_rule::{ClaimedOperation, MoneyOperation, MoneyVerdict};
use domain::result_code::{FrameOutcome, outcome};

/// A frame sent in this activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentFrame {
    /// The challenge it was sealed for.
    pub challenge: [u8; 4],
    /// The meter accepted the write.
    pub accepted: bool,
}

impl SentFrame {
    /// Whether the result in the state block belongs to this frame: the meter accepted it, or the challenge has changed since,
    /// and it names the operation. After a power cut it names none.
    pub(super) fn is_judged_in(&self, operation: u8, seen: &StateBlock) -> bool {
        (self.accepted || self.challenge != seen.challenge) && seen.last_operation == operation
    }
}

/// How far the delivery of a command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendProgress {
    /// No frame was sent for the command before this activation.
    pub never_sent: bool,
    /// The newest frame of this activation.
    pub last_frame: Option<SentFrame>,
    /// Frames sent in this activation.
    pub sends: u32,
    /// The hoarding limit; 0 for none.
    pub limit: Fen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoneyAction {
    /// The meter has applied the command.
    Settle,
    /// Send a frame and read the meter again.
    Send,
    /// The meter declines, no money has moved, and no operator is needed. Carries the meter's result code and the reason.
    Refuse(Option<u8>, CommandReason),
    /// An operator must decide. Carries the meter's result code and the findings.
    Hold(Option<u8>, Box<DeliveryCase>),
    /// The outcome is still unknown after the allowed number of frames.
    Wait,
}

#[must_use]
pub fn next_action(claimed: &ClaimedOperation, progress: &SendProgress, seen: &StateBlock) -> MoneyAction {
    match claimed.judge(seen) {
        MoneyVerdict::Delivered => return MoneyAction::Settle,
        MoneyVerdict::Stop(case) => return MoneyAction::Hold(Some(seen.last_result), case),
        MoneyVerdict::Send => {}
    }
    let operation = claimed.operation().code();
    let judged = progress.last_frame.is_some_and(|frame| frame.is_judged_in(operation, seen));
    let unsent = progress.never_sent && progress.last_frame.is_none();
    if let Some(why) = debit_refusal(claimed.money_operation, seen, judged, unsent) {
        return MoneyAction::Refuse(judged.then_some(seen.last_result), why);
    }
    match judged.then(|| outcome(seen.last_result)) {
        Some(FrameOutcome::Refused(why)) => return hold_refused(seen, why),
        Some(FrameOutcome::Retry(why)) if progress.sends >= MAX_SENDS => return hold_refused(seen, why),
        Some(FrameOutcome::Retry(_)) => {}
        answer => {
            // The meter took the frame and does not show it: a power cut may have taken its last write.
            let lost_write = answer.is_some() || progress.last_frame.is_some_and(|frame| frame.accepted);
            if lost_write && progress.sends > MAX_RESENDS {
                return hold_refused(seen, HoldReason::Contradiction);
            }
            if lost_write {
                return MoneyAction::Send;
            }
        }
    }
    // Two purchases may each have fitted when they were made. Once a frame was sent, the limit is for the meter to enforce.
    if unsent && let Some(case) = hoarding_violation(claimed.money_operation, seen, progress.limit) {
        return MoneyAction::Hold(None, Box::new(case));
    }
    if progress.sends >= MAX_SENDS { MoneyAction::Wait } else { MoneyAction::Send }
}

/// Why a debit is refused without an operator: it exceeds the remaining amount, by the meter's own result or by its state before
/// the first frame. No money has moved; the requester chooses a smaller amount.
fn debit_refusal(money_operation: MoneyOperation, seen: &StateBlock, judged: bool, unsent: bool) -> Option<CommandReason> {
    const EXCEEDS: HoldReason = HoldReason::ExceedsRemaining;
    let MoneyOperation::Debit { amount, .. } = money_operation else { return None };
    let reported = judged && outcome(seen.last_result) == FrameOutcome::Refused(EXCEEDS);
    let shown = unsent && seen.remaining < Fen(amount.into());
    (reported || shown).then_some(EXCEEDS.into())
}

/// Whether a credit would exceed the hoarding limit, as the meter itself would check it.
fn hoarding_violation(money_operation: MoneyOperation, seen: &StateBlock, limit: Fen) -> Option<DeliveryCase> {
    let MoneyOperation::Credit { amount, .. } = money_operation else { return None };
    let over = limit > Fen::ZERO && seen.remaining + Fen(amount.into()) > limit;
    let case = DeliveryCase::new(HoldReason::HoardingLimit);
    over.then_some(DeliveryCase { remaining: Some(seen.remaining), limit: Some(limit), ..case })
}

fn hold_refused(seen: &StateBlock, reason: HoldReason) -> MoneyAction {
    let case = DeliveryCase {
        result: Some(seen.last_result),
        count: Some(seen.count),
        remaining: Some(seen.remaining),
        ..DeliveryCase::new(reason)
    };
    MoneyAction::Hold(Some(seen.last_result), Box::new(case))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fixtures::state;
    use model::meter::StatusWord;

    const CREDIT: ClaimedOperation =
        ClaimedOperation { money_operation: MoneyOperation::Credit { order: 9, amount: 5_000 }, epoch: 1, count: 8 };
    const DEBIT: ClaimedOperation =
        ClaimedOperation { money_operation: MoneyOperation::Debit { order: 9, amount: 5_000 }, epoch: 1, count: 8 };
    const FRESH: SendProgress = SendProgress { never_sent: true, last_frame: None, sends: 0, limit: Fen(10_000) };

    /// State of a meter that has not applied the command.
    fn seen(remaining: i64, last_result: u8) -> StateBlock {
        StateBlock {
            epoch: 1,
            count: 7,
            last_order: 8,
            status: StatusWord(0b11),
            remaining: Fen(remaining),
            last_operation: 2,
            last_result,
            ..state()
        }
    }

    fn sent(accepted: bool, sends: u32) -> SendProgress {
        SendProgress { last_frame: Some(SentFrame { challenge: [0; 4], accepted }), sends, ..FRESH }
    }

    fn is_held(action: &MoneyAction, why: &str) -> bool {
        matches!(action, MoneyAction::Hold(_, case) if case.reason.as_str() == why)
    }

    #[test]
    fn only_amounts_that_fit_are_sent() {
        assert_eq!(next_action(&CREDIT, &FRESH, &seen(5_000, 0)), MoneyAction::Send);
        assert!(is_held(&next_action(&CREDIT, &FRESH, &seen(5_001, 0)), "hoarding-limit"));
        assert_eq!(
            next_action(&CREDIT, &SendProgress { never_sent: false, ..FRESH }, &seen(5_001, 0)),
            MoneyAction::Send,
            "a frame may be on its way"
        );
        assert_eq!(next_action(&DEBIT, &FRESH, &seen(5_000, 0)), MoneyAction::Send);
        assert_eq!(next_action(&DEBIT, &FRESH, &seen(4_999, 0)), MoneyAction::Refuse(None, CommandReason::ExceedsRemaining));
        assert_eq!(next_action(&DEBIT, &SendProgress { never_sent: false, ..FRESH }, &seen(4_999, 0)), MoneyAction::Send);
    }

    #[test]
    fn a_result_counts_only_for_its_own_frame() {
        let unknown = sent(false, 1);
        assert_eq!(next_action(&CREDIT, &unknown, &seen(0, 3)), MoneyAction::Send, "the result of an older frame");
        let moved = StateBlock { challenge: [1; 4], ..seen(0, 3) };
        assert!(is_held(&next_action(&CREDIT, &unknown, &moved), "hoarding-limit"));
        let restarted = StateBlock { last_operation: 0, ..moved };
        assert_eq!(next_action(&CREDIT, &unknown, &restarted), MoneyAction::Send, "not the result of a credit");
        let exceeds = StateBlock { last_operation: 3, ..seen(9_000, 8) };
        assert_eq!(next_action(&DEBIT, &sent(true, 1), &exceeds), MoneyAction::Refuse(Some(8), CommandReason::ExceedsRemaining));
    }

    #[test]
    fn a_lost_write_is_sent_again_three_times() {
        // A power cut leaves no result; a meter that only lost the write may still show one.
        for (last_operation, last_result) in [(0, 0), (2, 0), (2, 1)] {
            let forgot = StateBlock { last_operation, challenge: [1; 4], ..seen(0, last_result) };
            for sends in 1..=3 {
                assert_eq!(next_action(&CREDIT, &sent(true, sends), &forgot), MoneyAction::Send, "frame {}", sends + 1);
            }
            assert!(is_held(&next_action(&CREDIT, &sent(true, 4), &forgot), "contradiction"));
        }
        let kept = StateBlock { count: 8, last_order: 9, ..seen(5_000, 0) };
        assert_eq!(next_action(&CREDIT, &sent(true, 4), &kept), MoneyAction::Settle);
    }

    #[test]
    fn the_number_of_frames_is_limited() {
        for sends in 0..MAX_SENDS {
            assert_eq!(next_action(&CREDIT, &sent(true, sends), &seen(0, 9)), MoneyAction::Send, "a stale challenge");
            assert_eq!(next_action(&CREDIT, &sent(false, sends), &seen(0, 0)), MoneyAction::Send);
        }
        assert!(is_held(&next_action(&CREDIT, &sent(true, MAX_SENDS), &seen(0, 9)), "stale-challenge"));
        assert_eq!(next_action(&CREDIT, &sent(false, MAX_SENDS), &seen(0, 0)), MoneyAction::Wait);
    }
}
