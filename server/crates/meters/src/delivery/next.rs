//! What an activation of a money command does next, by what its meter shows: pure.

use model::command::CommandReason;
use model::money::Fen;

use super::SENDS;
use domain::meter_state::State;
use domain::money_rule::{Claimed, MoneyOperation, Verdict};
use domain::result_code::{Outcome, outcome};
use store::deliveries::Hold;

/// A frame that was sent in this activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// For which challenge.
    pub challenge: [u8; 4],
    /// The meter said that it took it.
    pub taken: bool,
}

impl Frame {
    /// Whether the result that the meter shows is this frame's: it took it, or its challenge has moved on.
    fn is_judged_in(&self, seen: &State) -> bool {
        self.taken || self.challenge != seen.challenge
    }
}

/// How far the command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// No frame of it was ever sent before this activation.
    pub fresh: bool,
    /// The newest frame of this activation.
    pub last: Option<Frame>,
    /// How many frames this activation has sent.
    pub sends: u32,
    /// The most that the meter may hold; 0: no limit.
    pub limit: Fen,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The meter has it.
    Settle,
    /// A frame is sent, and the meter read again.
    Send,
    /// The meter will not, no money has moved, and nobody has to look: with the meter's own result and the reason.
    Refuse(Option<u8>, CommandReason),
    /// A person decides.
    Hold(Hold),
    /// Nobody knows after so many frames: the meter waits a while.
    Wait,
}

#[must_use]
pub fn next(claimed: &Claimed, progress: &Progress, seen: &State) -> Next {
    match claimed.judge(seen) {
        Verdict::Delivered => return Next::Settle,
        Verdict::Stop(reason, detail) => return Next::Hold(Hold { reason, result: Some(seen.last_result), detail }),
        Verdict::Send => {}
    }
    let judged = progress.last.is_some_and(|frame| frame.is_judged_in(seen));
    let unsent = progress.fresh && progress.last.is_none();
    if let Some(why) = declines(claimed.money_operation, seen, judged, unsent) {
        return Next::Refuse(judged.then_some(seen.last_result), why);
    }
    if judged {
        match outcome(seen.last_result) {
            Outcome::Refused(why) => return refused(seen, why),
            // It says that it was applied and shows that it was not.
            Outcome::Applied => return refused(seen, CommandReason::Contradiction),
            Outcome::Again(why) if progress.sends >= SENDS => return refused(seen, why),
            Outcome::Again(_) => {}
        }
    }
    // Two purchases may each have fitted when they were made. What was sent is the meter's to refuse.
    if unsent && let Some(why) = too_much(claimed.money_operation, seen, progress.limit) {
        return Next::Hold(why);
    }
    if progress.sends >= SENDS { Next::Wait } else { Next::Send }
}

/// Why a debit ends without a person: the meter was asked for more than it holds and has said so, or shows it before the first frame
/// was sent. Nothing has moved then; whoever asked chooses a smaller amount.
fn declines(money_operation: MoneyOperation, seen: &State, judged: bool, unsent: bool) -> Option<CommandReason> {
    const EXCEEDS: CommandReason = CommandReason::ExceedsRemaining;
    let MoneyOperation::Debit { amount, .. } = money_operation else { return None };
    let said = judged && outcome(seen.last_result) == Outcome::Refused(EXCEEDS);
    let shown = unsent && seen.remaining < Fen(amount.into());
    (said || shown).then_some(EXCEEDS)
}

/// Whether the meter would hold more than it may, with what it shows now; as the meter itself says it.
fn too_much(money_operation: MoneyOperation, seen: &State, limit: Fen) -> Option<Hold> {
    let MoneyOperation::Credit { amount, .. } = money_operation else { return None };
    let over = limit > Fen::ZERO && seen.remaining + Fen(amount.into()) > limit;
    let reason = CommandReason::HoardingLimit;
    let detail = || serde_json::json!({ "why": reason, "remaining_fen": seen.remaining.0, "limit_fen": limit.0 }).to_string();
    over.then(|| Hold { reason, result: None, detail: detail() })
}

fn refused(seen: &State, reason: CommandReason) -> Next {
    let detail = serde_json::json!({
        "why": reason, "result": seen.last_result, "count": seen.count, "remaining_fen": seen.remaining.0,
    });
    Next::Hold(Hold { reason, result: Some(seen.last_result), detail: detail.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fixtures::state;
    use model::meter::StatusWord;

    const CREDIT: Claimed = Claimed { money_operation: MoneyOperation::Credit { order: 9, amount: 5_000 }, epoch: 1, count: 8 };
    const DEBIT: Claimed = Claimed { money_operation: MoneyOperation::Debit { order: 9, amount: 5_000 }, epoch: 1, count: 8 };
    const FRESH: Progress = Progress { fresh: true, last: None, sends: 0, limit: Fen(10_000) };

    /// Not applied, with so much in it and that result.
    fn seen(remaining: i64, last_result: u8) -> State {
        State { epoch: 1, count: 7, last_order: 8, status: StatusWord(0b11), remaining: Fen(remaining), last_result, ..state() }
    }

    fn sent(taken: bool, sends: u32) -> Progress {
        Progress { last: Some(Frame { challenge: [0; 4], taken }), sends, ..FRESH }
    }

    fn held(next: &Next, why: CommandReason) -> bool {
        matches!(next, Next::Hold(held) if held.reason == why && held.detail.contains(why.as_str()))
    }

    #[test]
    fn what_fits_is_sent_and_what_never_fitted_is_not() {
        assert_eq!(next(&CREDIT, &FRESH, &seen(5_000, 0)), Next::Send);
        assert!(held(&next(&CREDIT, &FRESH, &seen(5_001, 0)), CommandReason::HoardingLimit));
        assert_eq!(next(&CREDIT, &Progress { fresh: false, ..FRESH }, &seen(5_001, 0)), Next::Send, "it may be on its way");
        assert_eq!(next(&DEBIT, &FRESH, &seen(5_000, 0)), Next::Send);
        assert_eq!(next(&DEBIT, &FRESH, &seen(4_999, 0)), Next::Refuse(None, CommandReason::ExceedsRemaining));
        assert_eq!(next(&DEBIT, &Progress { fresh: false, ..FRESH }, &seen(4_999, 0)), Next::Send);
    }

    #[test]
    fn a_result_counts_only_if_it_is_this_frames() {
        let unknown = sent(false, 1);
        assert_eq!(next(&CREDIT, &unknown, &seen(0, 3)), Next::Send, "an older frame's result");
        let moved = State { challenge: [1; 4], ..seen(0, 3) };
        assert!(held(&next(&CREDIT, &unknown, &moved), CommandReason::HoardingLimit));
        assert!(held(&next(&CREDIT, &sent(true, 1), &seen(0, 0)), CommandReason::Contradiction));
        assert_eq!(next(&DEBIT, &sent(true, 1), &seen(9_000, 8)), Next::Refuse(Some(8), CommandReason::ExceedsRemaining));
    }

    #[test]
    fn it_is_not_sent_for_ever() {
        for sends in 0..SENDS {
            assert_eq!(next(&CREDIT, &sent(true, sends), &seen(0, 9)), Next::Send, "a stale challenge");
            assert_eq!(next(&CREDIT, &sent(false, sends), &seen(0, 0)), Next::Send);
        }
        assert!(held(&next(&CREDIT, &sent(true, SENDS), &seen(0, 9)), CommandReason::StaleChallenge));
        assert_eq!(next(&CREDIT, &sent(false, SENDS), &seen(0, 0)), Next::Wait);
    }
}
