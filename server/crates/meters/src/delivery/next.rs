//! Decides the next action for a money command from the meter's state block.

use model::money::Fen;

use super::SENDS;
use domain::meter_state::State;
use domain::money_rule::{Claimed, MoneyOperation, Verdict};
use domain::result_code::{Outcome, outcome};

/// A frame sent in this activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The challenge it was sealed for.
    pub challenge: [u8; 4],
    /// The meter accepted the write.
    pub taken: bool,
}

impl Frame {
    /// Whether the result in the state block belongs to this frame: the meter accepted it, or the challenge has changed since.
    fn is_judged_in(&self, seen: &State) -> bool {
        self.taken || self.challenge != seen.challenge
    }
}

/// How far the delivery of a command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// No frame was sent for the command before this activation.
    pub fresh: bool,
    /// The newest frame of this activation.
    pub last: Option<Frame>,
    /// Frames sent in this activation.
    pub sends: u32,
    /// The hoarding limit; 0 for none.
    pub limit: Fen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The meter has applied the command.
    Settle,
    /// Send a frame and read the meter again.
    Send,
    /// The meter declines, no money has moved, and no operator is needed. Carries the meter's result code and a reason code.
    Refuse(Option<u8>, &'static str),
    /// An operator must decide. Carries the meter's result code and the findings as JSON.
    Hold(Option<u8>, String),
    /// The outcome is still unknown after the allowed number of frames.
    Wait,
}

#[must_use]
pub fn next(claimed: &Claimed, progress: &Progress, seen: &State) -> Next {
    match claimed.judge(seen) {
        Verdict::Delivered => return Next::Settle,
        Verdict::Stop(why) => return Next::Hold(Some(seen.last_result), why),
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
            // The meter reports the command as applied but shows that it was not.
            Outcome::Applied => return refused(seen, "contradiction"),
            Outcome::Again(why) if progress.sends >= SENDS => return refused(seen, why),
            Outcome::Again(_) => {}
        }
    }
    // Two purchases may each have fitted when they were made. Once a frame was sent, the limit is for the meter to enforce.
    if unsent && let Some(why) = too_much(claimed.money_operation, seen, progress.limit) {
        return Next::Hold(None, why);
    }
    if progress.sends >= SENDS { Next::Wait } else { Next::Send }
}

/// Why a debit is refused without an operator: it exceeds the remaining amount, by the meter's own result or by its state before
/// the first frame. No money has moved; the requester chooses a smaller amount.
fn declines(money_operation: MoneyOperation, seen: &State, judged: bool, unsent: bool) -> Option<&'static str> {
    const EXCEEDS: &str = "exceeds-remaining";
    let MoneyOperation::Debit { amount, .. } = money_operation else { return None };
    let said = judged && outcome(seen.last_result) == Outcome::Refused(EXCEEDS);
    let shown = unsent && seen.remaining < Fen(amount.into());
    (said || shown).then_some(EXCEEDS)
}

/// Whether a credit would exceed the hoarding limit, as the meter itself would check it.
fn too_much(money_operation: MoneyOperation, seen: &State, limit: Fen) -> Option<String> {
    let MoneyOperation::Credit { amount, .. } = money_operation else { return None };
    let over = limit > Fen::ZERO && seen.remaining + Fen(amount.into()) > limit;
    let why = || serde_json::json!({ "why": "hoarding-limit", "remaining_fen": seen.remaining.0, "limit_fen": limit.0 });
    over.then(|| why().to_string())
}

fn refused(seen: &State, why: &str) -> Next {
    let detail = serde_json::json!({
        "why": why, "result": seen.last_result, "count": seen.count, "remaining_fen": seen.remaining.0,
    });
    Next::Hold(Some(seen.last_result), detail.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fixtures::state;
    use model::meter::StatusWord;

    const CREDIT: Claimed = Claimed { money_operation: MoneyOperation::Credit { order: 9, amount: 5_000 }, epoch: 1, count: 8 };
    const DEBIT: Claimed = Claimed { money_operation: MoneyOperation::Debit { order: 9, amount: 5_000 }, epoch: 1, count: 8 };
    const FRESH: Progress = Progress { fresh: true, last: None, sends: 0, limit: Fen(10_000) };

    /// State of a meter that has not applied the command.
    fn seen(remaining: i64, last_result: u8) -> State {
        State { epoch: 1, count: 7, last_order: 8, status: StatusWord(0b11), remaining: Fen(remaining), last_result, ..state() }
    }

    fn sent(taken: bool, sends: u32) -> Progress {
        Progress { last: Some(Frame { challenge: [0; 4], taken }), sends, ..FRESH }
    }

    fn held(next: &Next, why: &str) -> bool {
        matches!(next, Next::Hold(_, detail) if detail.contains(&format!("\"why\":\"{why}\"")))
    }

    #[test]
    fn only_amounts_that_fit_are_sent() {
        assert_eq!(next(&CREDIT, &FRESH, &seen(5_000, 0)), Next::Send);
        assert!(held(&next(&CREDIT, &FRESH, &seen(5_001, 0)), "hoarding-limit"));
        assert_eq!(next(&CREDIT, &Progress { fresh: false, ..FRESH }, &seen(5_001, 0)), Next::Send, "a frame may be on its way");
        assert_eq!(next(&DEBIT, &FRESH, &seen(5_000, 0)), Next::Send);
        assert_eq!(next(&DEBIT, &FRESH, &seen(4_999, 0)), Next::Refuse(None, "exceeds-remaining"));
        assert_eq!(next(&DEBIT, &Progress { fresh: false, ..FRESH }, &seen(4_999, 0)), Next::Send);
    }

    #[test]
    fn a_result_counts_only_for_its_own_frame() {
        let unknown = sent(false, 1);
        assert_eq!(next(&CREDIT, &unknown, &seen(0, 3)), Next::Send, "the result of an older frame");
        let moved = State { challenge: [1; 4], ..seen(0, 3) };
        assert!(held(&next(&CREDIT, &unknown, &moved), "hoarding-limit"));
        assert!(held(&next(&CREDIT, &sent(true, 1), &seen(0, 0)), "contradiction"));
        assert_eq!(next(&DEBIT, &sent(true, 1), &seen(9_000, 8)), Next::Refuse(Some(8), "exceeds-remaining"));
    }

    #[test]
    fn the_number_of_frames_is_limited() {
        for sends in 0..SENDS {
            assert_eq!(next(&CREDIT, &sent(true, sends), &seen(0, 9)), Next::Send, "a stale challenge");
            assert_eq!(next(&CREDIT, &sent(false, sends), &seen(0, 0)), Next::Send);
        }
        assert!(held(&next(&CREDIT, &sent(true, SENDS), &seen(0, 9)), "stale-challenge"));
        assert_eq!(next(&CREDIT, &sent(false, SENDS), &seen(0, 0)), Next::Wait);
    }
}
